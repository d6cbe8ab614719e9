"""Customers, staff, the worker and Omnitron do what they like, in any order; the books are compared after each step.

A rule machine. Answers are lost, before and after Omnitron has taken what was sent, and what was sent may arrive late,
until its grace is over; what is lost is looked for, as the worker would. The model is a count: of the units that
somebody asked for, and of those that Omnitron has taken. A deep run shows that it sees what it is there for.
"""

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from datetime import timedelta
from typing import Any, Literal

import pytest
from django.db.models import F, Q, Sum
from hypothesis import Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from aftercart.actions.cancel.cancel_items import cancel_items
from aftercart.actions.cancel.request_cancellation import request_cancellation
from aftercart.actions.cancel.verify_submission import verify_submission
from aftercart.actions.requests.approve_request import approve_request, execute_approval
from aftercart.actions.requests.deliver_request import deliver_request
from aftercart.actions.requests.read_created import Created
from aftercart.actions.requests.reject_request import deliver_rejection, reject_request
from aftercart.actions.requests.reject_spare import reject_spare
from aftercart.actions.sync.sync_order import sync_order
from aftercart.cancellations.models import (
    CancellationRequest,
    Delivery,
    SpareRequest,
    Submission,
    SubmissionLine,
)
from aftercart.cancellations.selectors import BEING_REJECTED
from aftercart.lib.clock import read_clock
from aftercart.oms.errors import AnswerUnknown, NotSent, OmsError
from aftercart.oms.port import Dialogue
from aftercart.orders.errors import ActionError
from tests.action_modules import get_action
from tests.shop import Line, Shop, ask, make_command, make_customer
from tests.strength import examples

pytestmark = pytest.mark.django_db

Fault = Literal["none", "unreachable", "lost before", "lost after", "late"]
_FAULTS = st.sampled_from(["none", "none", "unreachable", "lost before", "lost after", "late"])
_ITEMS = st.integers(0, 1)
_WRITES = {"cancel_items", "create_request", "reject_request"}
_GRACE = timedelta(seconds=100)
_TAKEN = {"50", "100"}


class _Dialogue:
    """A dialogue over a line with a fault: it breaks before a write arrives, or before its answer is back.

    What is late goes to `travelling`: a write's name and arguments.
    """

    def __init__(
        self, dialogue: Dialogue, fault: Fault, travelling: list[tuple[str, dict[str, Any]]]
    ) -> None:
        self._dialogue, self._fault, self._travelling = dialogue, fault, travelling

    def __getattr__(self, name: str) -> Any:
        call = getattr(self._dialogue, name)
        if name not in _WRITES or self._fault == "none":
            return call

        def write(**arguments: Any) -> None:
            guard = arguments.get("guard")
            if self._fault == "unreachable" or (guard is not None and not guard()):
                raise NotSent("Not sent.", code="unreachable")
            if self._fault == "lost after":
                call(**arguments)
            if self._fault == "late":
                self._travelling.append((name, {**arguments, "guard": None}))
            raise AnswerUnknown("No answer.", code="timeout")

        return write


class Books(RuleBasedStateMachine):
    """One order: three units that are three items at Omnitron, and one of another item."""

    def __init__(self) -> None:
        super().__init__()
        self.shop = Shop([Line(quantity=3), Line()], split_units=True)
        self.fault: Fault = "none"
        self.travelling: list[tuple[str, dict[str, Any]]] = []
        self.pks = [pk for pk, _ in sorted(self.shop.fake.backoffice.items.items())]
        self.pks_of = {
            item.pk: part for item, part in zip(self.shop.items, (self.pks[:3], self.pks[3:]), strict=True)
        }

    @contextmanager
    def dialogue(self, seconds: float | None = None, *, will_write: bool = False) -> Iterator[Any]:
        with self.shop.fake.dialogue(seconds, will_write=will_write) as dialogue:
            yield _Dialogue(dialogue, self.fault, self.travelling)

    @property
    def requests(self) -> Any:
        return CancellationRequest.objects.filter(line__order_item__order=self.shop.order).order_by("pk")

    @property
    def submissions(self) -> Any:
        return Submission.objects.filter(order=self.shop.order).order_by("pk")

    @rule(position=_ITEMS, quantity=st.integers(1, 3), fault=_FAULTS, is_direct=st.booleans())
    def a_customer_asks(self, position: int, quantity: int, fault: Fault, is_direct: bool) -> None:
        self.fault = fault
        item = self.shop.items[position]
        command = make_command(
            self.shop.order, ask(item, self.shop.cancel_reason, quantity=min(quantity, item.quantity))
        )
        with suppress(ActionError):
            if is_direct:
                cancel_items(command, self)
            else:
                request_cancellation(command)

    @precondition(lambda self: self.requests.filter(status="waiting").exists())
    @rule(number=st.integers(0, 3), fault=_FAULTS)
    def staff_approve(self, number: int, fault: Fault) -> None:
        request = self.requests.filter(status="waiting").order_by("pk")[number : number + 1].first()
        if request is not None:
            with suppress(ActionError):
                approve_request(request.pk, make_customer())
            self.approvals_are_sent(fault)

    @precondition(lambda self: self.requests.filter(status="approved").exists())
    @rule(fault=_FAULTS)
    def approvals_are_sent(self, fault: Fault) -> None:
        self.fault = fault
        for request in self.requests.filter(status="approved", decided_by__isnull=False):
            execute_approval(request.pk, self)

    @precondition(lambda self: self.requests.filter(status="waiting").exists())
    @rule(number=st.integers(0, 3))
    def staff_reject(self, number: int) -> None:
        request = self.requests.filter(status="waiting").order_by("pk")[number : number + 1].first()
        if request is not None:
            with suppress(ActionError):
                reject_request(request.pk, make_customer(), "No.")

    @precondition(lambda self: self.requests.filter(notice__state="due").exists())
    @rule(fault=_FAULTS)
    def rejections_are_reported(self, fault: Fault) -> None:
        self.fault = fault
        for request in self.requests.filter(status="rejected", notice__state="due"):
            deliver_rejection(request.pk, self)

    @precondition(
        lambda self: self.requests.filter(status="waiting").exclude(delivery__state="known").exists()
    )
    @rule(fault=_FAULTS)
    def requests_are_delivered(self, fault: Fault) -> None:
        self.fault = fault
        undelivered = self.requests.filter(delivery__state__in=Delivery.TO_MAKE)
        for request in undelivered.filter(status__in=["waiting", "completed"]):
            deliver_request(request.pk, self)

    @precondition(lambda self: bool(self.travelling))
    @rule()
    def what_is_late_arrives(self) -> None:
        travelling, self.travelling[:] = list(self.travelling), []
        for name, arguments in travelling:
            with self.shop.fake.dialogue() as dialogue, suppress(OmsError):
                getattr(dialogue, name)(**arguments)

    @precondition(
        lambda self: (
            self.submissions.filter(state="unknown").exists()
            or self.requests.filter(delivery__state="sent").exists()
        )
    )
    @rule()
    def the_grace_goes_by(self) -> None:
        self.what_is_late_arrives()
        self.submissions.update(sent_at=F("sent_at") - _GRACE)
        Delivery.objects.update(sent_at=F("sent_at") - _GRACE)

    @precondition(lambda self: self.submissions.filter(state="unknown").exists())
    @rule()
    def lost_answers_are_looked_for(self) -> None:
        for submission in self.submissions.filter(state="unknown"):
            verify_submission(submission.pk, self.shop.fake)

    @precondition(lambda self: SpareRequest.objects.filter(request__in=self.requests, state="found").exists())
    @rule(fault=_FAULTS)
    def spares_are_rejected(self, fault: Fault) -> None:
        self.fault = fault
        for spare in SpareRequest.objects.filter(request__in=self.requests, state="found"):
            reject_spare(spare.pk, self)

    @precondition(lambda self: self.submissions.exists())
    @rule()
    def the_order_is_read(self) -> None:
        with suppress(OmsError):
            sync_order(self.shop.order.pk, self.shop.fake)

    @precondition(
        lambda self: any(self.shop.fake.backoffice.items[pk].remote.status == "50" for pk in self.pks)
    )
    @rule(number=st.integers(0, 3), decision=st.sampled_from(["approve", "reject", "confirm"]))
    def omnitron_decides_an_item(self, number: int, decision: Any) -> None:
        if self.shop.fake.backoffice.items[self.pks[number]].remote.status == "50":
            self.shop.fake.decide_items(decision, self.pks[number])

    @precondition(lambda self: bool(self.shop.fake.backoffice.requests))
    @rule(number=st.integers(0, 3), decision=st.sampled_from(["approve", "reject", "confirm"]))
    def omnitron_decides_a_request(self, number: int, decision: Any) -> None:
        rows = self.shop.fake.backoffice.requests
        waiting = [
            pk for pk, row in sorted(rows.items()) if row.remote.status not in {"completed", "rejected"}
        ]
        if number < len(waiting):
            self.shop.fake.decide_request(decision, waiting[number])

    def count_taken(self, item_pk: int) -> int:
        return sum(self.shop.fake.backoffice.items[pk].remote.status in _TAKEN for pk in self.pks_of[item_pk])

    @invariant()
    def no_more_is_taken_than_was_asked_for(self) -> None:
        for item in self.shop.items:
            lines = SubmissionLine.objects.filter(order_item=item)
            asked = (
                lines.filter(Q(is_open=True) | BEING_REJECTED).aggregate(units=Sum("quantity"))["units"] or 0
            )
            assert self.count_taken(item.pk) <= asked + item.cancelled_quantity

    @invariant()
    def units_are_reserved_by_open_lines_alone(self) -> None:
        for item in self.shop.items:
            lines = SubmissionLine.objects.filter(order_item=item, is_open=True)
            reserved = lines.aggregate(units=Sum("quantity"))["units"] or 0
            assert (item.reserved_quantity, lines.count() <= 1) == (reserved, True)
            assert item.reserved_quantity + item.cancelled_quantity <= item.quantity

    def teardown(self) -> None:
        """Let everything come to its end: nothing is forgotten, nothing stuck, and the books agree."""
        for _ in range(6):
            self.the_grace_goes_by()
            self.lost_answers_are_looked_for()
            self.spares_are_rejected("none")
            self.approvals_are_sent("none")
            self.rejections_are_reported("none")
            self.requests_are_delivered("none")
            for pk, row in list(self.shop.fake.backoffice.requests.items()):
                if row.remote.status not in {"completed", "rejected"}:
                    self.shop.fake.decide_request("approve", pk)
            for pk in self.pks:
                if self.shop.fake.backoffice.items[pk].remote.status == "50":
                    self.shop.fake.decide_items("approve", pk)
            self.the_order_is_read()
        for request in self.requests.filter(status="waiting"):  # what Omnitron's queue did not take
            with suppress(ActionError):
                reject_request(request.pk, make_customer(), "No.")
            self.rejections_are_reported("none")
        assert list(self.requests.exclude(status__in=["completed", "rejected"])) == []
        assert not self.submissions.filter(state__in=["prepared", "sent", "unknown"]).exists()
        for item in self.shop.items:
            assert item.cancelled_quantity == self.count_taken(item.pk)
            assert item.reserved_quantity == 0
        assert not SpareRequest.objects.filter(request__in=self.requests, state="found").exists()


def test_whatever_they_do_the_books_agree() -> None:
    run_state_machine_as_test(Books, settings=examples(150, quick=8, stateful_step_count=20))


def _always(*_arguments: object, **_options: object) -> Q:
    return ~Q(pk=None)


class BooksOfALostAnswer(Books):
    """The same, begun where protections are wanted: Omnitron has made a request, and nobody here knows."""

    @initialize()
    def a_delivery_is_lost(self) -> None:
        self.a_customer_asks(position=0, quantity=1, fault="none", is_direct=False)
        self.requests_are_delivered(fault="lost after")


#: What keeps the books, each taken away.
_MUTATIONS: dict[str, list[tuple[str, object]]] = {
    "units stay reserved": [("close_line._free_units", lambda _line: None)],
    "what is there already is created again": [
        ("deliver_request.read_created", lambda *_: Created(read_clock())),
        ("deliver_request.nothing_travels", _always),
        ("deliver_request.is_past_grace", _always),
    ],
}


@pytest.mark.deep
@pytest.mark.parametrize("mutation", _MUTATIONS)
def test_the_books_show_a_protection_that_is_missing(mutation: str, monkeypatch: pytest.MonkeyPatch) -> None:
    for place, replacement in _MUTATIONS[mutation]:
        module, name = place.split(".")
        monkeypatch.setattr(get_action(module), name, replacement)
    with pytest.raises(AssertionError):
        run_state_machine_as_test(
            BooksOfALostAnswer,
            settings=settings(
                max_examples=100,
                stateful_step_count=20,
                derandomize=True,
                database=None,
                phases=[Phase.generate],
            ),
        )
