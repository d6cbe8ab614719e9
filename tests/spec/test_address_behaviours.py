"""Behaviours of Address.tla, replayed: the real actions against the in-memory Omnitron, compared after each step."""

from collections import defaultdict
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from aftercart.accounts.models import Address
from aftercart.actions.address.change_address import change_address, deliver_address
from aftercart.actions.address.compare_address import compare_address
from aftercart.cancellations.models import AddressChange
from aftercart.oms.errors import Refused
from aftercart.orders.errors import AddressChangeRefused
from tests.shop import Shop, make_address, make_address_command
from tests.spec.behaviours import Step, read_graph, walk
from tests.spec.processes import Process, lines_of, stop_at
from tests.spec.tlc import MODELS, run_tlc
from tests.strength import find_turn

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [pytest.mark.django_db, pytest.mark.deep, pytest.mark.timeout(1_800)]
_WALKS, _DEPTH, _COUNT = 120, 24, 2
#: Whatever is chosen, these are among it.
_ACTIONS = {"Ask", "Tell", "Arrive", "Lose", "Confirm", "Refuse", "EndTooLate", "Compare", "Leave"}


@dataclass
class _World:
    """A shop with one order, an address for each change, and the processes that stand still with one."""

    shop: Shop
    addresses: list[Address]
    processes: dict[int, list[Process]] = field(default_factory=lambda: defaultdict(list))
    #: Those of which something is still on the line.
    under_way: dict[int, list[Process]] = field(default_factory=lambda: defaultdict(list))

    def dialogue(self, seconds: float | None = None, *, will_write: bool = False) -> Any:
        return lines_of(self.shop.fake, seconds, will_write=will_write)

    def take(self, step: Step) -> None:
        """Do what an action of the specification does."""
        actions: dict[str, Callable[[int], None]] = {
            "Ask": self.ask, "Tell": self.send, "Arrive": self.arrive, "Lose": self.lose, "Confirm": self.confirm,
            "Refuse": self.refuse, "EndTooLate": self.deliver, "Compare": self.compare, "Leave": self.leave,
        }  # fmt: skip
        actions[step.action](find_number(step))

    def get_change(self, number: int) -> AddressChange:
        return self.shop.order.address_changes.get(address__pk=self.addresses[number - 1].pk)

    def ask(self, number: int) -> None:
        """Have the customer ask; the process stands still before it has sent anything."""
        command = make_address_command(self.shop.order, self.addresses[number - 1])

        def run() -> None:
            try:
                change_address(command, self)
            except AddressChangeRefused as refused:
                assert refused.code == "omnitron_refused"  # noqa: PT017 - in a process of its own

        self.processes[number].append(Process(run))

    def send(self, number: int) -> None:
        """Have it sent: by the process of its customer, where that has not yet, or by a worker."""
        process = next((one for one in self.processes[number] if one.place == "telling"), None)
        if process is None:
            pk = self.get_change(number).pk
            process = Process(lambda: deliver_address(pk, self))
            self.processes[number].append(process)
        process.go()
        process.go()
        assert process.place == "waiting"
        self.under_way[number].append(process)

    def arrive(self, number: int) -> None:
        process = self.under_way[number].pop(0)
        try:
            self.shop.fake.backoffice.change_address(process.message)
            process.reply = 0
        except Refused as refused:
            process.reply = refused

    def lose(self, number: int) -> None:
        """Lose it, or have Omnitron refuse it: its process does not know yet."""
        self.under_way[number].pop(0).reply = Refused("No.", code="refused", status=406)

    def confirm(self, number: int) -> None:
        """Have the process be answered that sent it, else somebody see that Omnitron has it."""
        answered = [one for one in self.processes[number] if one.place == "waiting" and one.reply == 0]
        if answered:
            answered[0].go(200)
        else:
            self.deliver(number)
        for process in answered[1:]:
            process.die()

    def refuse(self, number: int) -> None:
        [process] = self.processes[number]
        process.go(process.reply)

    def deliver(self, number: int) -> None:
        deliver_address(self.get_change(number).pk, self.shop.fake)

    def compare(self, _number: int) -> None:
        compare_address(self.shop.order.pk, self.shop.fake)

    def leave(self, _number: int) -> None:
        """The order leaves Omnitron, and nobody here has read it yet."""
        for record in self.shop.fake.backoffice.items.values():
            self.shop.fake.backoffice.edit(record, status="500")

    def look(self) -> dict[str, Any]:
        """Return what the specification says something about."""
        numbers = {address.pk: number for number, address in enumerate(self.addresses, start=1)}
        self.shop.order.refresh_from_db()
        [record] = self.shop.fake.backoffice.orders.values()
        changes = self.shop.order.address_changes.order_by("pk")
        return {
            "state": [change.state for change in changes],
            "ours": numbers.get((self.shop.order.shipping_address or {}).get("pk", 0), 0),
            "theirs": numbers.get(record.remote.shipping_address_pk or 0, 0),
        }


def find_number(step: Step) -> int:
    """Return the number of the change that a step is about; 0: of none."""
    before, after = step.before, step.after
    for name in ("wire", "state", "sends"):
        for number, pair in enumerate(zip(before[name], after[name], strict=True), start=1):
            if pair[0] != pair[1] and not (step.action == "Ask" and pair[0] != "none"):
                return number
    return 0


def expect(state: Any) -> dict[str, Any]:
    """Return the same of a state of the specification."""
    return {
        "state": [name for name in state["state"] if name != "none"],
        "ours": state["ours"],
        "theirs": state["theirs"],
    }


@pytest.fixture
def stops(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have processes stop before they send."""
    stop_at(monkeypatch, {"address.sending": "telling"})


@pytest.mark.usefixtures("stops")
def test_each_step_of_an_address_change_ends_where_the_specification_says(tmp_path: Path) -> None:
    model = MODELS["Address"]
    small = replace(model, constants={"Count": str(_COUNT)}, invariants=("TypeOK",), properties=())
    run_tlc(small, tmp_path, "-dump", "dot,actionlabels", "states")
    _first, graph = read_graph(tmp_path / "states.dot")
    made: dict[str, int] = {}

    for steps in walk(graph, count=_WALKS, depth=_DEPTH, seed=find_turn(), may=lambda _step, _beside: True):
        replay(steps)
        for step in steps:
            made[step.action] = made.get(step.action, 0) + 1

    assert set(made) >= _ACTIONS, made


def replay(steps: list[Step]) -> None:
    """Replay a behaviour in a shop of its own."""
    shop = Shop()
    assert shop.order.user is not None
    world = _World(shop, [make_address(shop.order.user) for _change in range(_COUNT)])
    done: list[str] = []
    try:
        for step in steps:
            done.append(f"{step.action} {find_number(step)}")
            world.take(step)
            assert world.look() == expect(step.after), " > ".join(done)
    finally:
        for processes in world.processes.values():
            for process in processes:
                process.die()
