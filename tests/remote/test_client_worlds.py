"""No tests here: an Omnitron seen from both sides, in memory and as the sandbox, for the contract tests."""

import json
from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Literal, Protocol

from aftercart.omnitron.http import Configuration, HttpOmnitron
from aftercart.oms.errors import AnswerUnknown, NotSent, OmsError
from aftercart.oms.port import OmsClient
from tests.fake_backoffice import Decision
from tests.fake_omnitron import FakeOmnitron
from tests.remote.sandbox_process import PASSWORD, USERNAME, SandboxProcess

#: A shop's item: its id, status, quantity, price of one.
Item = tuple[int, str, int, str]
Trouble = Literal["never arrives", "applied, answer lost", "answer lost"]


class World(Protocol):
    """An Omnitron, seen from both sides."""

    @property
    def client(self) -> OmsClient: ...

    def load(
        self, number: str, shop_order_id: int, items: Sequence[Item], *, split: bool = False
    ) -> None: ...

    def decide(self, decision: Decision, *, item: int = 0, request: int = 0, reason: str = "") -> None: ...

    def break_cancel(self, trouble: Trouble) -> None: ...

    def writes(self) -> list[tuple[str, Any]]:
        """Every write that arrived, by the name of the client's method, and its body."""
        ...


class FakeWorld:
    def __init__(self) -> None:
        self.client = self.fake = FakeOmnitron()

    def load(self, number: str, shop_order_id: int, items: Sequence[Item], *, split: bool = False) -> None:
        self.fake.load_order(
            channel_id=1, shop_order_id=shop_order_id, number=number, items=items, split_units=split
        )

    def decide(self, decision: Decision, *, item: int = 0, request: int = 0, reason: str = "") -> None:
        if item:
            self.fake.decide_items(decision, item)
        else:
            self.fake.decide_request(decision, request, reason)

    def break_cancel(self, trouble: Trouble) -> None:
        kind: type[OmsError] = NotSent if trouble == "never arrives" else AnswerUnknown
        self.fake.fail("cancel_items", kind, applied=trouble == "applied, answer lost")

    def writes(self) -> list[tuple[str, Any]]:
        return [(post.call, json.loads(json.dumps(post.body))) for post in self.fake.posts]


class SandboxWorld:
    METHODS = {
        "order_cancel": "cancel_items",
        "request_create": "create_request",
        "request_reject": "reject_request",
        "address_change": "change_address",
    }

    def __init__(self, server: SandboxProcess) -> None:
        self.server = server
        self.client = HttpOmnitron(
            Configuration(url=server.base_url, username=USERNAME, password=PASSWORD, breaker_failures=1000)
        )

    def load(self, number: str, shop_order_id: int, items: Sequence[Item], *, split: bool = False) -> None:
        lines = [
            {"id": key, "status": status, "quantity": quantity, "price": price}
            for key, status, quantity, price in items
        ]
        amount = sum(Decimal(price) * quantity for _, _, quantity, price in items)
        document = {"id": shop_order_id, "number": number, "status": "400", "amount": str(amount)}
        self.server.load(document | {"orderitem_set": lines}, split_units=split)

    def decide(self, decision: Decision, *, item: int = 0, request: int = 0, reason: str = "") -> None:
        target = {"item": item} if item else {"request": request}
        self.server.control("decide", target | {"decision": decision, "reason": reason})

    def break_cancel(self, trouble: Trouble) -> None:
        if trouble == "never arrives":
            fault: dict[str, Any] = {"kind": "status", "status": 429, "body": {"detail": "Slow down."}}
        else:
            fault = {"kind": "drop_after" if trouble == "applied, answer lost" else "drop_before"}
        self.server.control("faults", fault | {"call": "order_cancel"})

    def writes(self) -> list[tuple[str, Any]]:
        return [
            (self.METHODS[call["call"]], call["body"])
            for call in self.server.calls()
            # What was throttled arrived at the door only.
            if call["call"] in self.METHODS and call["answered"] != 429
        ]
