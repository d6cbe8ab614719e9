"""Send an e-mail of the outbox (docs/decisions/0021).

A mail server has no idempotency key. A process that dies between handing over and marking leaves an e-mail that
may have arrived: it is sent again under the same Message-ID, or, where a second one would do harm, not at all.
"""

from datetime import datetime, timedelta
from functools import partial
from typing import Any

from django.db import models
from django.db.models import Q
from django.db.models.functions import Now

from aftercart.actions.upkeep import jobs
from aftercart.actions.upkeep.do_apart import Fence, do_apart, stand_alone
from aftercart.cancellations.models.setbacks import exclude_set_back
from aftercart.lib.clock import get_now
from aftercart.lib.failpoints import failpoint
from aftercart.lib.prepared import prepared_update
from aftercart.lib.retention import delete_oldest
from aftercart.mail.compose import compose_mail
from aftercart.mail.delivery import DeliveryUnknown, NotDelivered, hand_over
from aftercart.mail.models import Email
from aftercart.mail.outbox import SENDING_AT_MOST, claim_email

_State = Email.State
_FIRST_WAIT = timedelta(seconds=20)
_LONGEST_WAIT = timedelta(hours=1)
#: After so many tries, about a day, a person should look.
MOST_TRIES = 30
#: How many e-mails one round of recovery takes on.
_MOST = 200
_RECOVER_EMAIL = "aftercart.recover_email"


def send_email(email_pk: int) -> None:
    """Send an e-mail that waits; tried again later if the mail server did not take it. Raises nothing remote."""
    email = claim_email(email_pk)
    if email is None:
        _expire(email_pk)
        return
    failpoint("email.claimed")
    try:
        hand_over(compose_mail(email))
    except NotDelivered as error:
        if error.is_final:
            _give_up(email, _State.FAILED, str(error))
        else:
            _try_later(email, _State.PREPARED, str(error))
    except DeliveryUnknown as error:
        _leave_unknown(email, str(error))
    except Exception as error:  # noqa: BLE001 - an e-mail that cannot be composed must not stop the others
        _give_up(email, _State.FAILED, f"{type(error).__name__}: {error}"[:500])
    else:
        failpoint("email.handed_over")
        _mark_sent(email.pk, get_now())


def recover_emails(fence: Fence = stand_alone) -> int:
    """Settle what dead processes left in `sending`: nobody knows whether it was handed over. Return how many."""
    stale = Email.objects.filter(state=_State.SENDING, sending_at__lt=Now() - SENDING_AT_MOST)
    detail = "The process that sent this e-mail died."
    return sum(
        do_apart(_RECOVER_EMAIL, email.pk, partial(_leave_unknown, email, detail), fence)
        for email in exclude_set_back(_RECOVER_EMAIL, stale).order_by("pk")[:_MOST]
    )


def forget_emails(life: timedelta) -> int:
    """Delete e-mails that came to their end so long ago; tell how many."""
    old = Email.objects.filter(
        Q(state=_State.SENT) | Q(state__in=[_State.FAILED, _State.UNKNOWN], manual_since=None),
        created_at__lt=get_now() - life,
    )
    return delete_oldest(old, "created_at")


@prepared_update
def _mark_sent(pk: int, at: datetime) -> tuple[models.QuerySet[Email], dict[str, Any]]:
    """End it as sent, also what was meanwhile taken for dead: that it was handed over is certain now."""
    rows = Email.objects.filter(pk=pk).exclude(state=_State.SENT)
    return rows, {"state": _State.SENT, "sent_at": at, "error": "", "secret": "", "manual_since": None}


def _leave_unknown(email: Email, detail: str) -> None:
    if email.is_repeatable:
        _try_later(email, _State.UNKNOWN, detail)
    else:
        _end_attempt(email, state=_State.UNKNOWN, error=detail, secret="")


def _try_later(email: Email, state: Email.State, detail: str) -> None:
    if email.attempts >= MOST_TRIES:
        _give_up(email, _State.FAILED if state == _State.PREPARED else state, detail)
    elif _end_attempt(email, state=state, error=detail):
        jobs.enqueue_again(
            jobs.SEND_EMAIL, email.pk, email.attempts - 1, first=_FIRST_WAIT, longest=_LONGEST_WAIT
        )


def _give_up(email: Email, state: Email.State, detail: str) -> None:
    fields = {} if email.is_repeatable else {"secret": ""}
    _end_attempt(email, state=state, error=detail, manual_since=get_now(), **fields)


def _end_attempt(email: Email, **fields: object) -> bool:
    """End this attempt, unless somebody has taken it for dead and made another; return whether it was ended."""
    attempt = Email.objects.filter(pk=email.pk, state=_State.SENDING, attempts=email.attempts)
    return bool(attempt.update(**fields))


def _expire(email_pk: int) -> None:
    """End an e-mail that has become useless before it was sent."""
    Email.objects.filter(pk=email_pk, state=_State.PREPARED, expires_at__lt=get_now()).update(
        state=_State.FAILED, error="It expired before it could be sent.", secret=""
    )
