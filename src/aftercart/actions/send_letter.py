"""Send a letter of the outbox (docs/decisions/0021).

A mail server has no idempotency key. A process that dies between handing over and marking leaves a letter that
may have arrived: it is sent again under the same Message-ID, or, where a second one would do harm, not at all.
"""

from datetime import timedelta
from functools import partial

from django.db.models import Q
from django.db.models.functions import Now

from aftercart.actions import jobs
from aftercart.actions.do_apart import Fence, do_apart, stand_alone
from aftercart.actions.waits import compute_wait
from aftercart.cancellations.setbacks import exclude_set_back
from aftercart.lib.failpoints import failpoint
from aftercart.mail.compose import compose_mail
from aftercart.mail.delivery import DeliveryUnknown, NotDelivered, hand_over
from aftercart.mail.models import Letter
from aftercart.mail.outbox import SENDING_AT_MOST, claim_letter
from aftercart.orders.selectors import get_now

_State = Letter.State
_FIRST_WAIT = timedelta(seconds=20)
_LONGEST_WAIT = timedelta(hours=1)
#: After so many tries, about a day, a person should look.
MOST_TRIES = 30
#: How many letters one round of recovery takes on.
_MOST = 200
_RECOVER_LETTER = "aftercart.recover_letter"


def send_letter(letter_pk: int) -> None:
    """Send a letter that waits; tried again later if the mail server did not take it. Raises nothing remote."""
    _expire(letter_pk)
    letter = claim_letter(letter_pk)
    if letter is None:
        return
    failpoint("letter.claimed")
    try:
        hand_over(compose_mail(letter))
    except NotDelivered as error:
        if error.is_final:
            _give_up(letter, _State.FAILED, error.detail)
        else:
            _try_later(letter, _State.PREPARED, error.detail)
    except DeliveryUnknown as error:
        _leave_unknown(letter, error.detail)
    except Exception as error:  # noqa: BLE001 - a letter that cannot be composed must not stop the others
        _give_up(letter, _State.FAILED, f"{type(error).__name__}: {error}"[:500])
    else:
        failpoint("letter.handed_over")
        _mark_sent(letter)


def recover_letters(fence: Fence = stand_alone) -> int:
    """Settle what dead processes left in `sending`: nobody knows whether it was handed over. Return how many."""
    stale = Letter.objects.filter(state=_State.SENDING, sending_at__lt=Now() - SENDING_AT_MOST)
    detail = "The process that sent this letter died."
    return sum(
        do_apart(_RECOVER_LETTER, letter.pk, partial(_leave_unknown, letter, detail), fence)
        for letter in exclude_set_back(_RECOVER_LETTER, stale).order_by("pk")[:_MOST]
    )


def forget_letters(life: timedelta) -> int:
    """Delete letters that came to their end so long ago; tell how many."""
    old = Letter.objects.filter(
        Q(state=_State.SENT) | Q(state__in=[_State.FAILED, _State.UNKNOWN], manual_since=None),
        created_at__lt=get_now() - life,
    )
    return old.delete()[0]


def _mark_sent(letter: Letter) -> None:
    # Also what was meanwhile taken for dead: that it was handed over is certain now.
    Letter.objects.filter(pk=letter.pk).exclude(state=_State.SENT).update(
        state=_State.SENT, sent_at=get_now(), error="", secret="", manual_since=None
    )


def _leave_unknown(letter: Letter, detail: str) -> None:
    if letter.is_repeatable:
        _try_later(letter, _State.UNKNOWN, detail)
    else:
        _end_attempt(letter, state=_State.UNKNOWN, error=detail, secret="")


def _try_later(letter: Letter, state: Letter.State, detail: str) -> None:
    if letter.attempts >= MOST_TRIES:
        _give_up(letter, _State.FAILED if state == _State.PREPARED else state, detail)
    elif _end_attempt(letter, state=state, error=detail):
        wait = compute_wait(letter.attempts - 1, first=_FIRST_WAIT, longest=_LONGEST_WAIT)
        jobs.enqueue(jobs.SEND_LETTER, letter.pk, wait=wait)


def _give_up(letter: Letter, state: Letter.State, detail: str) -> None:
    fields = {} if letter.is_repeatable else {"secret": ""}
    _end_attempt(letter, state=state, error=detail, manual_since=get_now(), **fields)


def _end_attempt(letter: Letter, **fields: object) -> bool:
    """End this attempt, unless somebody has taken it for dead and made another; tell whether it was ended."""
    attempt = Letter.objects.filter(pk=letter.pk, state=_State.SENDING, attempts=letter.attempts)
    return bool(attempt.update(**fields))


def _expire(letter_pk: int) -> None:
    """End a letter that has become useless before it was sent."""
    Letter.objects.filter(pk=letter_pk, state=_State.PREPARED, expires_at__lt=get_now()).update(
        state=_State.FAILED, error="It expired before it could be sent.", secret=""
    )
