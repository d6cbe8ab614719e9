"""Writing e-mails into the outbox, and reading what stands there."""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from django.conf import settings
from django.db import connection, models
from django.db.models import F, Q
from django.db.models.functions import Now

from aftercart.lib.batch import insert_if_new
from aftercart.lib.emails import fold_email
from aftercart.lib.prepared import prepared, prepared_update
from aftercart.mail.models import Email, OptOut, make_message_id
from aftercart.orders.models import Order

_State = Email.State

#: Beyond the longest dialogue with a mail server, whoever was sending an e-mail is dead.
SENDING_AT_MOST: Final = timedelta(minutes=5)
#: An e-mail that may be taken on: not sent, or perhaps sent where once more does no harm.
IS_TO_SEND: Final = Q(state=_State.PREPARED) | (
    Q(state=_State.UNKNOWN, manual_since=None) & ~Q(kind__in=Email.AT_MOST_ONCE)
)


def queue_email(
    order: Order,
    kind: Email.Kind,
    subject: uuid.UUID,
    facts: Mapping[str, Any],
    *,
    recipient: str = "",
    language: str = "",
    secret: str = "",
    expires_at: datetime | None = None,
) -> int | None:
    """Write an e-mail about an event, once; its id if it is new. Inside the transaction of the event.

    To the order's e-mail and in its language, unless told otherwise. None: there is such an e-mail, or nobody
    to send it to, or an optional one that the recipient does not want.
    """
    if not connection.in_atomic_block:  # an e-mail without its event, or the reverse, must be impossible
        raise RuntimeError("queue_email() needs a transaction")
    recipient = recipient or order.user_email
    if not recipient or (kind in Email.OPTIONAL and _wants_none(recipient)):
        return None
    email_uuid = uuid.uuid4()
    email = Email(
        kind=kind,
        subject=subject,
        recipient=recipient,
        uuid=email_uuid,
        order=order,
        language=language if language in dict(settings.LANGUAGES) else get_language_of(order),
        facts=dict(facts),
        secret=secret,
        expires_at=expires_at,
        message_id=make_message_id(email_uuid),
    )
    return email.pk if insert_if_new(email) else None


def queue_orderless_email(
    kind: Email.Kind,
    subject: uuid.UUID,
    *,
    recipient: str,
    language: str,
    secret: str,
    facts: Mapping[str, Any] | None = None,
    expires_at: datetime | None = None,
) -> int:
    """Write an e-mail about an account or a public statement; its id. Inside the transaction of the event.

    The secret, a link or a code, stands encrypted, and is wiped when the e-mail has been sent.
    """
    if not connection.in_atomic_block:
        raise RuntimeError("queue_orderless_email() needs a transaction")
    email_uuid = uuid.uuid4()
    email = Email.objects.create(
        uuid=email_uuid,
        kind=kind,
        subject=subject,
        recipient=recipient,
        language=language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE[:2],
        facts=dict(facts or {}),
        secret=secret,
        expires_at=expires_at,
        message_id=make_message_id(email_uuid),
    )
    return int(email.pk)


def _wants_none(email: str) -> bool:
    return OptOut.objects.filter(email=fold_email(email)).exists()


def get_language_of(order: Order) -> str:
    """Return the customer's language: the one they chose, or the one they ordered in, or the shop's.

    An order tells its language as `language_code`, as in `tr-tr`.
    """
    chosen = order.user.language if order.user else ""
    language = chosen or str(order.details.get("language_code") or "")[:2].lower()
    return language if language in dict(settings.LANGUAGES) else settings.LANGUAGE_CODE[:2]


def claim_email(pk: int) -> Email | None:
    """Take an e-mail on to be sent; None if it is not to be sent, or somebody else has taken it."""
    return _list_with_order(pk)[0] if _claim(pk) else None


@prepared_update
def _claim(pk: int) -> tuple[models.QuerySet[Email], dict[str, Any]]:
    rows = Email.objects.filter(IS_TO_SEND, pk=pk).exclude(expires_at__lt=Now())
    return rows, {"state": _State.SENDING, "sending_at": Now(), "attempts": F("attempts") + 1}


@prepared
def _list_with_order(pk: int) -> models.QuerySet[Email]:
    return Email.objects.filter(pk=pk).select_related("order__user")


def list_waiting() -> models.QuerySet[Email]:
    """List the e-mails that wait for a job of the worker."""
    return Email.objects.filter(IS_TO_SEND)


@dataclass(frozen=True, slots=True)
class OutboxState:
    """How many e-mails wait, and how many a person should look at."""

    waiting: int
    manual: int


def measure_outbox() -> OutboxState:
    """Measure the outbox, in one query."""
    is_waiting, is_manual = IS_TO_SEND | Q(state=_State.SENDING), ~Q(manual_since=None)
    # As its index says it: what was sent is never looked at.
    is_unsettled = Q(state__in=[_State.PREPARED, _State.SENDING, _State.UNKNOWN])
    counts = Email.objects.filter(is_unsettled | is_manual).aggregate(
        waiting=models.Count("pk", filter=is_waiting),
        manual=models.Count("pk", filter=is_manual & ~Q(state=_State.SENT)),
    )
    return OutboxState(**counts)
