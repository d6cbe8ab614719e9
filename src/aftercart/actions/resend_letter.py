"""Send a letter again that has been given up, because somebody in the back office wants it."""

from django.db import transaction
from django.utils.translation import gettext as _

from aftercart.actions import jobs
from aftercart.mail.models import Letter
from aftercart.orders.errors import ActionError


class LetterNotStuck(ActionError):
    """The letter was sent, is being sent, or must not be sent again."""

    status = 409
    code = "letter_not_stuck"

    def __str__(self) -> str:
        return _("This letter can't be sent again.")


@transaction.atomic(durable=True)
def resend_letter(letter_pk: int) -> None:
    """Put a given-up letter back among those that wait, its tries counted anew. Raises `LetterNotStuck`."""
    count = (
        Letter.objects.filter(
            pk=letter_pk,
            state__in=[Letter.State.FAILED, Letter.State.UNKNOWN],
            manual_since__isnull=False,
        )
        .exclude(kind__in=Letter.AT_MOST_ONCE)
        .update(state=Letter.State.PREPARED, attempts=0, manual_since=None)
    )
    if not count:
        raise LetterNotStuck
    jobs.enqueue(jobs.SEND_LETTER, letter_pk)
