"""How to get every documented answer about quotes; beside schema_scenarios.py."""

from typing import Any

from tests.http.schema_scenarios import _typical, add, show
from tests.http.schema_world import SHIRT, SHOES, World


@show("quote_cancellation", 200, "all", "All of an order with a discount", sends="cancel")
def _(world: World) -> Any:
    return world.call("quote_cancellation")


@show("quote_cancellation", 200, "review", "One of two pairs: a review")
def _(world: World) -> Any:
    item = {"order_item": SHOES, "reason": 3, "cancellation_type": "cancel", "quantity": 1}
    return world.call("quote_cancellation", {"cancel_order_items": [item]})


@show("quote_cancellation", 200, "not_eligible", "One of two items is refused by a rule")
def _(world: World) -> Any:
    world.move_items(shoes="100")
    return world.call("quote_cancellation")


@show("quote_cancellation", 400, "input", "An item that is unknown, or somebody else's")
def _(world: World) -> Any:
    items = [{"order_item": 1, "reason": 3, "cancellation_type": "cancel"}]
    return world.call("quote_cancellation", {"cancel_order_items": items})


@show("quote_cancellation", 404, "unknown", "Unknown, or somebody else's")
def _(world: World) -> Any:
    return world.call("quote_cancellation", path="/orders/ORD-2026-999999/cancel/quote/")


def _bring_back(world: World, operation_id: str) -> Any:
    """Quote, let the order change, and bring the quote back."""
    quote = world.log_in().call("quote_cancellation").json()["quote"]
    item = {"order_item": SHIRT, "reason": 3, "cancellation_type": "cancel"}
    body = {"cancel_order_items": [item]}
    world.order.items.filter(pk=SHOES).update(status="500")
    world.order.version += 1
    world.order.save(update_fields=["version"])
    return world.call(operation_id, {**body, "quote": quote})


def _forge(world: World, operation_id: str) -> Any:
    return world.log_in().call(operation_id, {**_typical(world, operation_id), "quote": "forged"})


add(
    ("cancel_order_items", "request_cancellations"),
    409,
    "quote_stale",
    "The order has changed since the quote",
    _bring_back,
)
add(
    ("cancel_order_items", "request_cancellations"),
    400,
    "quote_invalid",
    "Not a quote of this order",
    _forge,
)
