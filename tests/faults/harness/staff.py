"""What people decide: our back office, and Omnitron's."""

import random
from typing import Any

from aftercart.accounts.models import User
from aftercart.actions.requests.approve_request import approve_request
from aftercart.actions.requests.reject_request import reject_request
from aftercart.cancellations.models import CancellationRequest
from aftercart.orders.errors import ActionError
from tests.faults.harness.sandbox_client import SandboxClient

_Status = CancellationRequest.Status


class Desks:
    """Both back offices."""

    def __init__(self, sandbox: SandboxClient, staff: User, draw: random.Random) -> None:
        self._sandbox, self._staff, self._draw = sandbox, staff, draw

    def decide_there(self, most: int) -> None:
        """Have Omnitron decide some of what waits there."""
        pending = self._sandbox.show("decide")
        bodies: list[dict[str, Any]] = [{"item": row["pk"]} for row in pending["items"]]
        bodies += [{"request": row["pk"]} for row in pending["requests"]]
        for body in self._draw.sample(bodies, min(most, len(bodies))):
            decision = self._draw.choices(("approve", "reject", "confirm"), (6, 3, 1))[0]
            self._sandbox.control("decide", {"decision": decision, "reason": "Because.", **body})

    def decide_all_there(self) -> int:
        """Have Omnitron decide everything that waits there; tell how much that was."""
        pending = self._sandbox.show("decide")
        rows = [*pending["items"], *pending["requests"]]
        for decision in ("approve", "reject"):
            for row in pending["items"]:
                if self._is_chosen(row["pk"], decision):
                    self._sandbox.control("decide", {"decision": decision, "item": row["pk"]})
            for row in pending["requests"]:
                if self._is_chosen(row["pk"], decision):
                    self._sandbox.control("decide", {"decision": decision, "request": row["pk"]})
        return len(rows)

    @staticmethod
    def _is_chosen(pk: int, decision: str) -> bool:
        return (decision == "reject") == (pk % 4 == 0)

    def decide_here(self, most: int) -> None:
        """Have our staff approve or reject some of the requests that wait here."""
        waiting = list(
            CancellationRequest.objects.filter(status=_Status.WAITING).values_list("pk", flat=True)
        )
        for pk in self._draw.sample(waiting, min(most, len(waiting))):
            self._decide(pk, is_approval=self._draw.random() < 0.6)

    def decide_undeliverable(self) -> int:
        """Have our staff reject what Omnitron does not take; tell how many that were."""
        stranded = CancellationRequest.objects.filter(status=_Status.WAITING, delivery__state="failed")
        pks = list(stranded.values_list("pk", flat=True))
        for pk in pks:
            self._decide(pk, is_approval=False)
        return len(pks)

    def _decide(self, pk: int, *, is_approval: bool) -> None:
        try:
            if is_approval:
                approve_request(pk, self._staff)
            else:
                reject_request(pk, self._staff, "Because.")
        except ActionError:  # decided meanwhile, or it cannot be done here
            pass  # somebody was quicker, or it is for Omnitron to decide
