"""Send an e-mail again that has been given up, because somebody in the back office wants it."""

from django.db import transaction
from django.utils.translation import gettext_lazy

from aftercart.actions.upkeep import jobs
from aftercart.mail.models import Email
from aftercart.orders.errors import Conflict


class EmailNotStuck(Conflict):
    """The e-mail was sent, is being sent, or must not be sent again."""

    code = "email_not_stuck"
    sentence = gettext_lazy("This e-mail can't be sent again.")


@transaction.atomic(durable=True)
def resend_email(email_pk: int) -> None:
    """Put a given-up e-mail back among those that wait, its tries counted anew. Raises `EmailNotStuck`."""
    count = (
        Email.objects.filter(
            pk=email_pk,
            state__in=[Email.State.FAILED, Email.State.UNKNOWN],
            manual_since__isnull=False,
        )
        .exclude(kind__in=Email.AT_MOST_ONCE)
        .update(state=Email.State.PREPARED, attempts=0, manual_since=None)
    )
    if not count:
        raise EmailNotStuck
    jobs.enqueue(jobs.SEND_EMAIL, email_pk)
