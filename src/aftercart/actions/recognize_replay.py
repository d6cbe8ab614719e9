"""Recognise a write that has been made before (contract section 3.5).

The record is made in the transaction that records the intent, so a refusal, which writes nothing, is not
remembered: its replay is judged anew, and told the same while nothing has changed.
"""

import logging
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import timedelta
from functools import wraps
from typing import Any, ParamSpec, TypeVar

from django.db import DatabaseError, IntegrityError, InterfaceError, models
from django.db.models.functions import Now

from aftercart.accounts.models import User
from aftercart.actions.commands import Answer, Caller
from aftercart.lib.batch import Batch
from aftercart.lib.database import is_outage
from aftercart.lib.prepared import prepared, prepared_part
from aftercart.orders.errors import BeingChecked, KeyReused, StillRunning
from aftercart.orders.models import IdempotencyRecord

#: How long a key is remembered, and how long a body alone.
KEY_LIFE = timedelta(hours=24)
BODY_LIFE = timedelta(minutes=10)

_logger = logging.getLogger(__name__)
_P = ParamSpec("_P")
_R = TypeVar("_R")


def recognize_replay(caller: Caller) -> IdempotencyRecord | None:
    """Find the record of the same write, answered, decided or not. Inside a transaction that has locked the order.

    The database's clock says how old it is: hosts may differ. Raises `KeyReused` if the key belongs to another
    write, `StillRunning` if there is no answer yet.
    """
    if caller.key:
        records = IdempotencyRecord.objects.filter(user=caller.user, guest_order=caller.guest_order)
        records.filter(key=caller.key, created_at__lt=Now() - KEY_LIFE).delete()
        record = records.filter(key=caller.key).first()
        if record is not None and record.fingerprint not in caller.fingerprints:
            raise KeyReused
    else:
        found = _list_same(caller.user, caller.guest_order, caller.fingerprints, BODY_LIFE)
        record = found[0] if found else None
    if record is not None and record.status_code is None:
        raise StillRunning(record.pk)
    return record


@prepared
def _list_same(
    user: User | None, guest_order: int | None, fingerprints: Sequence[str], life: timedelta
) -> models.QuerySet[IdempotencyRecord]:
    """List the records of writes that bring no key, the newest first."""
    records = IdempotencyRecord.objects.filter(user=user, guest_order=guest_order, key="")
    return records.filter(fingerprint=fingerprints, created_at__gt=Now() - life).order_by("-created_at")


def make_idempotency_record(caller: Caller) -> IdempotencyRecord:
    """Make the record of a write that begins now, unsaved, its answer to come."""
    return IdempotencyRecord(
        user=caller.user, guest_order_id=caller.guest_order, key=caller.key, fingerprint=caller.fingerprint
    )


def create_idempotency_record(caller: Caller) -> IdempotencyRecord:
    """Remember a write that begins now, its answer to come."""
    record = make_idempotency_record(caller)
    record.save(force_insert=True)
    return record


def record_answer(record: IdempotencyRecord | None, answer: Answer, *, batch: Batch | None = None) -> None:
    """Remember the answer to a write, at once or with a batch.

    The first answer stays: what follows is told in other ways.
    """
    if record is None:
        return
    if batch is not None and answer.body is None:
        batch.add(_answer_empty(record.pk, answer.status))
        return
    unanswered = IdempotencyRecord.objects.filter(pk=record.pk, status_code=None)
    if batch is None:
        unanswered.update(status_code=answer.status, body=answer.body)
    else:
        batch.update(unanswered, status_code=answer.status, body=answer.body)


@prepared_part
def _answer_empty(pk: int, status: int) -> tuple[models.QuerySet[IdempotencyRecord], dict[str, Any]]:
    unanswered = IdempotencyRecord.objects.filter(pk=pk, status_code=None)
    return unanswered, {"status_code": status, "body": None}


def replay(record: IdempotencyRecord) -> Answer:
    """Give the first answer again."""
    assert record.status_code is not None  # noqa: S101 - recognize_replay() has seen to it
    return Answer(record.status_code, record.body, is_replay=True)


def once_more_if_raced(action: Callable[_P, _R]) -> Callable[_P, _R]:
    """Try again when a unique index has decided a race, so that the loser sees the winner's row.

    Two writes with one key can be about two orders, whose locks do not meet: the index on the key decides.
    """

    @wraps(action)
    def wrapper(*args: _P.args, **kwargs: _P.kwargs) -> _R:
        try:
            return action(*args, **kwargs)
        except IntegrityError:
            return action(*args, **kwargs)

    return wrapper


@contextmanager
def checking_later(record: int | None) -> Iterator[None]:
    """Raise `BeingChecked` where the database is away for what follows a committed intent: a worker settles it."""
    try:
        yield
    except (DatabaseError, InterfaceError) as error:
        if not is_outage(error):
            raise
        _logger.warning("The database went away while a write was under way; it is checked later.")
        raise BeingChecked(record) from error
