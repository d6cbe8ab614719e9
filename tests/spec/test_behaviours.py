"""Behaviours of Submission.tla, replayed: the real actions against the in-memory Omnitron, compared after each step.

A process that sends is a greenlet. It stops where the specification's process can stand still, and goes on, or dies,
when the behaviour says so.
"""

from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.db.models import F

from aftercart.actions.cancel.request_cancellation import request_cancellation
from aftercart.actions.cancel.verify_submission import verify_submission
from aftercart.actions.requests.approve_request import approve_request, execute_approval
from aftercart.actions.sync.sync_order import sync_order
from aftercart.actions.upkeep.recover import recover_submissions
from aftercart.cancellations.models import CancellationRequest, Submission
from aftercart.cancellations.states import UNPROVEN
from aftercart.oms.errors import AnswerUnknown, Refused
from tests.shop import Line, Shop, ask, make_command, make_customer
from tests.spec.behaviours import Step, read_graph, walk
from tests.spec.processes import Process, lines_of, stop_at
from tests.spec.tlc import MODELS, run_tlc
from tests.strength import find_turn

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [pytest.mark.django_db, pytest.mark.deep, pytest.mark.timeout(1_800)]
_WALKS, _DEPTH = 120, 24
#: Whatever is chosen, these are among it.
_ACTIONS = {
    "Prepare", "Plan", "Adopt", "Mark", "Look", "Post", "Answered", "NoteLate", "Unanswered", "Die", "Recover",
    "FindApplied", "Release", "TakeLate", "Complete", "OmsTakes", "Lose",
}  # fmt: skip
_LONG = timedelta(seconds=100)
_POINTS = {"approve.prepared": "planning", "send.planned": "planned", "send.marked": "marked"}


@dataclass
class _World:
    """A shop with one request for one of two units; submissions of the specification by their numbers."""

    shop: Shop
    request: CancellationRequest
    units: dict[str, int]
    processes: dict[int, Process] = field(default_factory=dict)

    def dialogue(self, seconds: float | None = None, *, will_write: bool = False) -> Any:
        return lines_of(self.shop.fake, seconds, will_write=will_write)

    @property
    def submissions(self) -> dict[int, Submission]:
        found = Submission.objects.filter(order=self.shop.order, origin="approval").order_by("pk")
        return dict(enumerate(found, start=1))

    def find_number(self, step: Step) -> int:
        """Return the number of the submission, or of the process, that a step is about."""
        for name in ("step", "state", "reply"):
            before, after = step.before[name], step.after[name]
            for number, pair in enumerate(zip(before, after, strict=True), start=1):
                if pair[0] != pair[1]:
                    return number
        return 0

    def take(self, step: Step) -> None:
        """Do what an action of the specification does."""
        number = self.find_number(step)
        actions: dict[str, Callable[[int], None]] = {
            "Prepare": self.prepare, "Plan": self.go, "Adopt": self.go, "Mark": self.mark, "Look": self.go,
            "Post": self.go, "Answered": self.answer, "NoteLate": self.answer, "Unanswered": self.lose_answer,
            "Die": self.die, "Recover": self.recover, "FindApplied": self.verify, "Release": self.verify,
            "TakeLate": self.sync, "Complete": self.complete, "OmsTakes": self.arrive, "Lose": self.forget,
        }  # fmt: skip
        actions[step.action](number)

    def prepare(self, number: int) -> None:
        self.shop.order.refresh_from_db()
        approve_request(self.request.pk, make_customer())
        self.processes[number] = Process(lambda: execute_approval(self.request.pk, self))

    def go(self, number: int) -> None:
        self.processes[number].go()

    def mark(self, number: int) -> None:
        """Mark as sent, long after whatever was given up had left."""
        given_up = Submission.objects.filter(order=self.shop.order, state="refused", sent_at__isnull=False)
        given_up.update(sent_at=F("sent_at") - _LONG)
        self.go(number)

    def answer(self, number: int) -> None:
        self.processes[number].go(self.processes[number].reply)

    def lose_answer(self, number: int) -> None:
        self.processes[number].go(AnswerUnknown("No answer.", code="timeout"))

    def die(self, number: int) -> None:
        self.processes[number].die()

    def recover(self, number: int) -> None:
        rows = Submission.objects.filter(pk=self.submissions[number].pk)
        rows.update(created_at=F("created_at") - _LONG, sent_at=F("sent_at") - _LONG)
        assert recover_submissions() == 1

    def verify(self, number: int) -> None:
        pk = self.submissions[number].pk
        Submission.objects.filter(pk=pk).update(sent_at=F("sent_at") - _LONG)
        verify_submission(pk, self.shop.fake)

    def sync(self, _number: int = 0) -> None:
        sync_order(self.shop.order.pk, self.shop.fake)

    def complete(self, _number: int) -> None:
        taken = [
            pk for pk in self.units.values() if self.shop.fake.backoffice.items[pk].remote.status == "50"
        ]
        self.shop.fake.decide_items("approve", *taken)
        self.sync()

    def arrive(self, number: int) -> None:
        process = self.processes[number]
        assert process.message is not None
        try:
            self.shop.fake.backoffice.cancel(1, process.message)
        except Refused as refused:
            process.reply = refused

    def forget(self, number: int) -> None:
        """The POST is lost on the line: nothing arrives."""

    def look(self) -> dict[str, Any]:
        """Return what the specification says something about."""
        submissions = self.submissions
        unproven = Submission.objects.filter(UNPROVEN, order=self.shop.order)
        numbers = {submission.pk: number for number, submission in submissions.items()}
        return {
            "states": {number: submission.state for number, submission in submissions.items()},
            "unproven": {numbers[pk] for pk in unproven.values_list("pk", flat=True)},
            "done": not self.request.line.__class__.objects.get(pk=self.request.line_id).is_open,
            "taken": {
                name
                for name, pk in self.units.items()
                if self.shop.fake.backoffice.items[pk].remote.status != "400"
            },
            "places": {number: process.place for number, process in self.processes.items()},
        }


def expect(state: Any) -> dict[str, Any]:
    """Return the same of a state of the specification. What is applied is proven."""
    states = {number: name for number, name in enumerate(state["state"], start=1) if name != "none"}
    return {
        "states": states,
        "unproven": {number for number in state["unproven"] if states[number] != "applied"},
        "done": state["done"],
        "taken": {unit for unit, by in state["takenBy"].items() if by != "Nobody"},
        "places": {number: place for number, place in enumerate(state["step"], start=1) if place != "idle"},
    }


def is_as_the_code_chooses(step: Step, beside: list[Step]) -> bool:
    """Leave out what the specification leaves open and the code decides: which unit is first, what a reading books."""
    if step.action == "Plan":
        chosen = [
            min(step.after["plan"][n]) for n in range(2) if step.after["plan"][n] != step.before["plan"][n]
        ]
        others = [min(other.after["plan"][n]) for other in beside if other.action == "Plan"
                  for n in range(2) if other.after["plan"][n] != other.before["plan"][n]]  # fmt: skip
        return not chosen or chosen[0] == min(others)
    if step.action == "Complete":
        return all(other.action != "TakeLate" for other in beside)
    if step.action == "TakeLate":
        left = [max(other.before["unproven"] - other.after["unproven"], default=0) for other in beside
                if other.action == "TakeLate"]  # fmt: skip
        return max(step.before["unproven"] - step.after["unproven"], default=0) == max(left)
    return True


@pytest.fixture
def stops(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have processes stop at the points that the specification knows."""
    stop_at(monkeypatch, _POINTS)


@pytest.mark.usefixtures("stops")
def test_each_step_of_a_behaviour_ends_where_the_specification_says(tmp_path: Path) -> None:
    model = MODELS["Submission"]
    small = type(model)(model.module, {**model.constants, "Count": "2"}, ("TypeOK",), ())
    run_tlc(small, tmp_path, "-dump", "dot,actionlabels", "states")
    _first, graph = read_graph(tmp_path / "states.dot")
    made: dict[str, int] = {}

    for steps in walk(graph, count=_WALKS, depth=_DEPTH, seed=find_turn(), may=is_as_the_code_chooses):
        replay(steps)
        for step in steps:
            made[step.action] = made.get(step.action, 0) + 1

    assert set(made) >= _ACTIONS, made


def replay(steps: list[Step]) -> None:
    """Replay a behaviour in a shop of its own."""
    shop = Shop([Line(quantity=2)], split_units=True)
    request_cancellation(make_command(shop.order, ask(shop.items[0], shop.cancel_reason, quantity=1)))
    request = CancellationRequest.objects.select_related("line").get(line__order_item__order=shop.order)
    world = _World(shop, request, dict(zip(("u1", "u2"), sorted(shop.fake.backoffice.items), strict=True)))
    done: list[str] = []
    for step in steps:
        done.append(step.action)
        world.take(step)
        seen, expected = world.look(), expect(step.after)
        for number, place in expected["places"].items():
            if place == "planned" and expected["states"][number] == "refused":
                # It was given up, and can do nothing with its plan; the code may have ended it without one.
                expected["places"][number] = seen["places"][number]
        assert seen == expected, done
    for number in world.processes:
        world.die(number)
