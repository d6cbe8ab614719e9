"""Faults put into Aftercart on purpose, to show that the harness finds them. Only in a trial's processes.

skip-sent-mark  send without the `sent` mark: a process that dies, or loses the answer, forgets that it has sent
retry-post      send a cancellation again when its answer is lost, as a careless client would
drop-index      reserve units without the unique index. It is one of three guards of that guarantee, each of
                which is enough alone, so the mutation takes all of them away: the order's row lock, the
                index, and the check that no more units are reserved than are left

skip-last-look  send whatever has been marked, however long the process stood still between mark and send
early-verdict   decide by a reading that began before the grace had ended
endless-lease   hold a lease as long as its holder lives, and beyond, as a session's lock is held by the frozen

`AFTERCART_TRIAL_MUTATION` names one; `drop-index` drops what it does before the trial begins.
"""

import os
from collections.abc import Callable
from typing import Any
from unittest import mock

from django.apps import AppConfig
from django.db.models import Q

MUTATIONS = (
    "skip-sent-mark",
    "retry-post",
    "drop-index",
    "skip-last-look",
    "early-verdict",
    "endless-lease",
)
#: What `drop-index` does to the database.
DROP_INDEX = """
    DROP INDEX one_open_line_an_item;
    ALTER TABLE orders_orderitem DROP CONSTRAINT never_more_reserved_than_left;
    ALTER TABLE orders_orderitem DROP CONSTRAINT never_more_cancelled_than_bought;
"""


class MutationsConfig(AppConfig):
    """Mutates when the apps are ready."""

    name = "tests.faults.harness"
    label = "trial"

    def ready(self) -> None:
        """Put the mutation in that the environment names."""
        mutation = os.environ.get("AFTERCART_TRIAL_MUTATION")
        if mutation:
            _MUTATE[mutation]()


def _skip_sent_mark() -> None:
    mock.patch("aftercart.actions.cancel.send_submission._mark_sent", return_value=None).start()
    # Else the last look before the call would find no mark, and nothing would be sent.
    mock.patch("aftercart.actions.cancel.send_submission._is_still_ours", return_value=True).start()


def _retry_post() -> None:
    from aftercart.omnitron.http import HttpDialogue
    from aftercart.oms.errors import AnswerUnknown

    send = HttpDialogue.cancel_items

    def send_again(self: HttpDialogue, **arguments: Any) -> None:
        try:
            send(self, **arguments)
        except AnswerUnknown:
            send(self, **arguments)

    mock.patch.object(HttpDialogue, "cancel_items", send_again).start()


def _read_without_lock() -> None:
    from aftercart.orders.errors import OrderNotFound
    from aftercart.orders.models import Order

    def read_order(**lookup: Any) -> Order:
        order = Order.objects.filter(**lookup).first()
        if order is None:
            raise OrderNotFound
        return order

    mock.patch("aftercart.actions.cancel.read_case.lock_order", read_order).start()


def _skip_last_look() -> None:
    from aftercart.outbound.deadline import Deadline
    from aftercart.outbound.wire import DeadlineBackend, DeadlineStream

    def admit(self: DeadlineBackend, stream: DeadlineStream) -> None:
        self._stream = stream

    mock.patch.object(DeadlineBackend, "admit", admit).start()
    # Nor is anything given up for its age, which the uptime clock shows after every freeze.
    mock.patch.object(Deadline, "remaining", return_value=1.0).start()
    mock.patch.object(Deadline, "expired", new=False).start()


def _decide_early() -> None:
    mock.patch("aftercart.actions.cancel.verify_submission.is_past_grace", return_value=~Q(pk=None)).start()


def _hold_leases() -> None:
    mock.patch("aftercart.worker.leases.LIFE_SECONDS", 3600.0).start()


_MUTATE: dict[str, Callable[[], None]] = {
    "skip-sent-mark": _skip_sent_mark,
    "retry-post": _retry_post,
    "drop-index": _read_without_lock,
    "skip-last-look": _skip_last_look,
    "early-verdict": _decide_early,
    "endless-lease": _hold_leases,
}
