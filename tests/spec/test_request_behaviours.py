"""Behaviours of Request.tla, replayed: the real actions against the in-memory Omnitron, compared after each step."""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from django.db.models import F

from aftercart.actions.cancel.request_cancellation import request_cancellation
from aftercart.actions.cancel.verify_submission import verify_submission
from aftercart.actions.requests.approve_request import approve_request, execute_approval
from aftercart.actions.requests.deliver_request import deliver_request
from aftercart.actions.requests.reject_request import deliver_rejection, reject_request
from aftercart.actions.sync.sync_order import sync_order
from aftercart.actions.upkeep.recover import recover_submissions
from aftercart.cancellations.models import CancellationRequest, DecisionNotice, Delivery, Submission
from aftercart.oms.errors import AnswerUnknown, NotSent, Refused
from tests.shop import Shop, make_customer
from tests.spec.behaviours import Step, read_graph, walk
from tests.spec.processes import Process, lines_of, stop_at
from tests.spec.tlc import MODELS, run_tlc
from tests.strength import find_turn

pytestmark = [pytest.mark.django_db, pytest.mark.deep, pytest.mark.timeout(1_800)]
_WALKS, _DEPTH, _ROUNDS = 120, 20, 2
#: Whatever is chosen, these are among it; so are makings and losses, and lost approvals, which TLC gives no name.
_ACTIONS = {
    "Send", "Find", "Miss", "Fail", "Make", "Lose", "Grace", "OmsDecides", "CommandEnds", "Progress", "Book", "Approve",
    "TakeBack", "Withdraw", "SendApproval", "Hold", "Confirm", "Bounce", "HoldLate", "Reject", "Report",
}  # fmt: skip
_LONG = timedelta(seconds=100)
_DECISIONS = {"completed": "approved", "rejected": "rejected"}
_APPROVAL = {"prepared": "prepared", "refused": "none"}


def name_action(step: Step) -> str:
    """Name a step, where TLC names the disjunction that it is one of."""
    if step.action == "World":
        return "Make" if step.after["queue"] != step.before["queue"] else "Lose"
    return "Bounce" if step.action == "Works" else step.action


@dataclass
class _World:
    """A shop with one request for the only unit of its order, and the processes that stand still."""

    shop: Shop
    request: CancellationRequest
    steps: int = 0
    delivering: Process | None = None
    approving: Process | None = None
    #: One whose approval was given up while it stood still.
    stray: Process | None = None
    processes: list[Process] = field(default_factory=list)

    def dialogue(self, seconds: float | None = None, *, will_write: bool = False) -> Any:
        return lines_of(self.shop.fake, seconds, will_write=will_write)

    def begin(self, run: Callable[[], None]) -> Process:
        process = Process(run)
        self.processes.append(process)
        return process

    def take(self, step: Step) -> None:
        """Do what an action of the specification does."""
        actions: dict[str, Callable[[Step], None]] = {
            "Send": self.send, "Find": self.find, "Miss": self.miss, "Fail": self.fail, "Make": self.make,
            "Lose": lambda _: None, "Grace": self.let_grace_go_by, "OmsDecides": self.decide,
            "CommandEnds": self.end_command, "Progress": self.progress, "Book": self.book, "Approve": self.approve,
            "TakeBack": self.withdraw, "Withdraw": self.withdraw, "SendApproval": self.send_approval,
            "Hold": self.hold, "Confirm": self.confirm, "Bounce": self.bounce, "HoldLate": self.hold_late,
            "Reject": self.reject, "Report": self.report,
        }  # fmt: skip
        self.steps += 1
        actions[name_action(step)](step)

    # --- delivery -------------------------------------------------------------------------------------------

    def send(self, _step: Step) -> None:
        self.forget_earlier()
        self.delivering = self.begin(lambda: deliver_request(self.request.pk, self))
        assert self.delivering.place == "looked"
        self.delivering.go()

    def find(self, step: Step) -> None:
        """Have who has sent it be answered, or another look for it: in turns, where another one may."""
        assert self.delivering is not None
        is_looked_for = (
            step.before["status"] in {"waiting", "completed"} or step.before["reported"] == "known"
        )
        if is_looked_for and self.steps % 2:
            self.delivering.die()
            deliver_request(self.request.pk, self.shop.fake)
        else:
            self.delivering.go(self.delivering.reply)

    def miss(self, _step: Step) -> None:
        """Look for it after the grace; what is then sent once more does not leave."""
        self.deliver_with(NotSent)

    def fail(self, _step: Step) -> None:
        self.deliver_with(Refused)

    def deliver_with(self, error: type[NotSent | Refused]) -> None:
        self.forget_earlier()
        if self.delivering is not None:
            self.delivering.die()
        self.shop.fake.fail("create_request", error)
        deliver_request(self.request.pk, self.shop.fake)

    def make(self, _step: Step) -> None:
        assert self.delivering is not None
        self.delivering.reply = self.shop.fake.backoffice.create_request(1, self.delivering.message)

    def let_grace_go_by(self, _step: Step) -> None:
        Delivery.objects.filter(request=self.request).update(sent_at=F("sent_at") - _LONG)

    def forget_earlier(self) -> None:
        """What was given up was sent long ago, and does not come any more."""
        given_up = Submission.objects.filter(order=self.shop.order, state="refused", sent_at__isnull=False)
        given_up.update(sent_at=F("sent_at") - _LONG)

    # --- Omnitron, and what is read of it -------------------------------------------------------------------

    def list_made(self) -> dict[tuple[int, str], int]:
        """List what Omnitron has, by round and decision."""
        return {
            (
                2 if record.draft.remote_id.endswith("r1") else 1,
                _DECISIONS.get(record.remote.status, "undecided"),
            ): pk
            for pk, record in self.shop.fake.backoffice.requests.items()
        }

    def decide(self, step: Step) -> None:
        [(number, _, _)] = step.before["queue"] - step.after["queue"]
        [(_, _, how)] = step.after["queue"] - step.before["queue"]
        pk = self.list_made()[number, "undecided"]
        self.shop.fake.decide_request("approve" if how == "approved" else "reject", pk, "No.")

    def end_command(self, step: Step) -> None:
        process = self.approving
        assert process is not None
        if step.after["command"] == "taken":
            self.shop.fake.backoffice.cancel(1, process.message)
        else:
            process.reply = Refused("No.", code="refused", status=406)

    def progress(self, step: Step) -> None:
        for (_, decision), pk in self.list_made().items():
            record = self.shop.fake.backoffice.requests[pk]
            if decision == "undecided":
                record.remote = replace(record.remote, status=step.after["status"])
        self.book(step)

    def book(self, _step: Step) -> None:
        waiting = [
            pk for pk, item in self.shop.fake.backoffice.items.items() if item.status_before is not None
        ]
        self.shop.fake.decide_items("approve", *waiting)
        sync_order(self.shop.order.pk, self.shop.fake)

    # --- our staff ------------------------------------------------------------------------------------------

    def approve(self, _step: Step) -> None:
        approve_request(self.request.pk, make_customer())

    def withdraw(self, _step: Step) -> None:
        self.approving = self.begin(lambda: execute_approval(self.request.pk, self))

    def send_approval(self, _step: Step) -> None:
        assert self.approving is not None
        self.forget_earlier()
        self.approving.go()
        self.approving.go()
        assert self.approving.place == "waiting"

    def hold(self, _step: Step) -> None:
        assert self.approving is not None
        self.approving.go(AnswerUnknown("No answer.", code="timeout"))

    def confirm(self, step: Step) -> None:
        self.settle(step, None)

    def bounce(self, step: Step) -> None:
        if self.stray is not None:
            self.stray.die()
            self.stray = None
        assert self.approving is not None
        if step.before["approval"] == "prepared":
            self.stray = self.approving
            self.forget_earlier()
            self.stray.go()  # it stands still right before the POST, and is taken for dead
            rows = Submission.objects.filter(pk=self.get_approval().pk)
            rows.update(created_at=F("created_at") - _LONG, sent_at=F("sent_at") - _LONG)
            assert recover_submissions() == 1
            self.verify()
        else:
            self.settle(step, self.approving.reply)

    def settle(self, step: Step, reply: Exception | None) -> None:
        """Have the process be answered, or its answer looked for."""
        assert self.approving is not None
        if step.before["status"] == "approved":
            self.approving.go(reply)
        else:
            self.verify()

    def verify(self) -> None:
        approval = self.get_approval()
        Submission.objects.filter(pk=approval.pk).update(sent_at=F("sent_at") - _LONG)
        verify_submission(approval.pk, self.shop.fake)

    def hold_late(self, step: Step) -> None:
        """Let the one that was given up send its command now; it comes only where that is looked for."""
        assert self.stray is not None
        stray, self.stray = self.stray, None
        stray.go()
        stray.go(AnswerUnknown("No answer.", code="timeout"))
        if step.after["command"] != step.before["command"]:
            self.approving = stray

    def reject(self, _step: Step) -> None:
        reject_request(self.request.pk, make_customer(), "No.")

    def report(self, _step: Step) -> None:
        deliver_rejection(self.request.pk, self.shop.fake)

    def get_approval(self) -> Submission:
        return Submission.objects.filter(approved_request=self.request).latest("pk")

    # --- where it stands ------------------------------------------------------------------------------------

    def look(self) -> dict[str, Any]:
        """Return what the specification says something about."""
        request = CancellationRequest.objects.get(pk=self.request.pk)
        deliveries = Delivery.objects.filter(request=request, round__lt=_ROUNDS).order_by("round")
        notice = DecisionNotice.objects.filter(request=request).first()
        approval = Submission.objects.filter(approved_request=request).order_by("pk").last()
        return {
            "status": request.status,
            "staff": request.decided_by_id is not None or request.status == "completed",
            "delivery": [delivery.state for delivery in deliveries],
            "reported": notice.state if notice is not None else "none",
            "approval": "none" if approval is None else _APPROVAL.get(approval.state, "sent"),
            "queue": set(self.list_made()),
        }


def expect(state: Any) -> dict[str, Any]:
    """Return the same of a state of the specification. Who decided of what is done, its row does not say."""
    return {
        "status": state["status"],
        "staff": state["decided"] == "staff" or state["status"] == "completed",
        "delivery": [name for name in state["delivery"] if name != "none"],
        "reported": state["reported"],
        "approval": state["approval"],
        "queue": {(number, decision) for number, _, decision in state["queue"]},
    }


def is_as_the_code_does(step: Step, _beside: list[Step]) -> bool:
    """Leave out what the code does together with the next step, or where the model has no round left."""
    before, name = step.before, name_action(step)
    latest = [state for state in before["delivery"] if state != "none"][-1]
    if name == "Miss":  # of what is decided on nothing is missed: it is withdrawn with the decision
        return bool(before["status"] == "waiting")
    if name == "Fail":  # while it may still come nothing is asked
        return latest == "created" or len([r for r in before["delivery"] if r != "none"]) in before["over"]
    if name == "HoldLate":
        return not (before["status"] == "waiting" and latest == "withdrawn")
    return True


@pytest.fixture
def stops(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have approvals stop once they are prepared."""
    stop_at(monkeypatch, {"approve.prepared": "prepared"})


@pytest.mark.usefixtures("stops")
def test_each_step_of_a_request_ends_where_the_specification_says(tmp_path: Path) -> None:
    model = MODELS["Request"]
    small = replace(model, constants={"Rounds": str(_ROUNDS)}, invariants=("TypeOK",), properties=())
    run_tlc(small, tmp_path, "-dump", "dot,actionlabels", "states")
    _first, graph = read_graph(tmp_path / "states.dot")
    made: dict[str, int] = {}

    for steps in walk(graph, count=_WALKS, depth=_DEPTH, seed=find_turn(), may=is_as_the_code_does):
        replay(steps)
        for step in steps:
            made[name_action(step)] = made.get(name_action(step), 0) + 1

    assert set(made) >= _ACTIONS, made


def replay(steps: list[Step]) -> None:
    """Replay a behaviour in a shop of its own."""
    shop = Shop()
    request_cancellation(shop.command())
    world = _World(shop, CancellationRequest.objects.get(line__order_item__order=shop.order))
    done: list[str] = []
    try:
        for step in steps:
            done.append(name_action(step))
            world.take(step)
            assert world.look() == expect(step.after), " > ".join(done)
    finally:
        for process in world.processes:
            process.die()
