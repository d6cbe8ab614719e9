"""How to get the documented answers of withdrawals and cancellations."""

from datetime import UTC, datetime
from typing import Any
from unittest import mock

from django.conf import settings
from django.db import OperationalError
from django.db.models import F

from aftercart.cancellations.models import CancellationRequest
from aftercart.oms.errors import NotSent
from aftercart.orders.models import Order, OrderItem
from tests.http.schema_scenarios import STATES, TAKES_BACK, WITHDRAWS, _typical, add, show
from tests.http.schema_world import MUG, SHIRT, SHOES, World

# --- withdrawals -------------------------------------------------------------------------------------------


def _date_order(world: World) -> None:
    Order.objects.filter(pk=world.order.pk).update(created_date=datetime(2026, 3, 2, 9, 30, tzinfo=UTC))


@show(WITHDRAWS, 201, "received", "The statement is recorded, its receipt sent", sends="withdraw")
def _(world: World) -> Any:
    _date_order(world)
    return world.call(WITHDRAWS)


@show(WITHDRAWS, 201, "again", "The same statement again")
def _(world: World) -> Any:
    _date_order(world)
    world.call(WITHDRAWS)
    return world.call(WITHDRAWS)


@show(WITHDRAWS, 400, "unknown_item", "An item of another order")
def _(world: World) -> Any:
    return world.call(WITHDRAWS, {"items": [MUG]})


@show(WITHDRAWS, 400, "nothing_left", "Everything is cancelled already")
def _(world: World) -> Any:
    OrderItem.objects.filter(order=world.order).update(status="100", cancelled_quantity=F("quantity"))
    return world.call(WITHDRAWS, {})


@show(WITHDRAWS, 404, "unknown", "An order of somebody else's, or none")
def _(world: World) -> Any:
    return world.call(WITHDRAWS, path="/orders/ORD-0000-000000/withdraw/")


@show(WITHDRAWS, 409, "checking", "The database went away after the statement was recorded")
def _(world: World) -> Any:
    _date_order(world)
    away = OperationalError("the connection is closed")
    with mock.patch("aftercart.actions.withdraw.withdraw_order.send_submission", side_effect=away):
        return world.call(WITHDRAWS)


@show(STATES, 202, "stated", "Recorded, and acknowledged by e-mail", sends="statement")
def _(world: World) -> Any:
    return world.call(STATES)


@show(STATES, 400, "input", "No e-mail address, and a link")
def _(world: World) -> Any:
    return world.call(STATES, {"name": "https://example.com", "number": "1", "email": "ayse"})


@show(STATES, 404, "not_offered", "The shop offers no withdrawal")
def _(world: World) -> Any:
    with mock.patch.object(settings, "WITHDRAWAL_COUNTRIES", frozenset()):
        return world.call(STATES)


@show(STATES, 429, "throttled", "Too many statements")
def _(world: World) -> Any:
    with mock.patch.object(settings, "GUEST_LOOKUPS_PER_CLIENT", 1):
        world.call(STATES)
        return world.call(STATES)


# --- cancellations -----------------------------------------------------------------------------------------


@show("cancel_order_items", 204, "direct", "Omnitron has taken it", sends="cancel")
def _(world: World) -> Any:
    return world.call("cancel_order_items")


@show("cancel_order_items", 204, "return", "A return, collected from home", sends="return")
def _(world: World) -> Any:
    item = {
        "order_item": MUG,
        "reason": 8,
        "cancellation_type": "refund",
        "exchange_preference": "The one in white",
        "quantity": 1,
        "shipping_company": 2,
        "pickup_date": {"date": "2099-05-14", "hour_range": {"start": "09:00", "end": "12:00"}},
    }
    body = {"cancel_order_items": [item], "pickup_address": world.address.pk, "return_policy": True}
    return world.call("cancel_order_items", body, path=f"/orders/{world.delivered.number}/cancel/")


@show(
    "cancel_order_items", 204, "account", "A refund to an account, for a transfer", sends="refund_to_account"
)
def _(world: World) -> Any:
    payment = {"pk": 4, "name": "Havale", "payment_type": "funds_transfer", "slug": "havale"}
    Order.objects.filter(pk=world.order.pk).update(payment_option=payment)
    item = {
        "order_item": SHIRT,
        "reason": 3,
        "cancellation_type": "cancel",
        "iban": "TR330006100519786457841326",
        "holder_name": "Ayşe Yılmaz",
    }
    return world.call("cancel_order_items", {"cancel_order_items": [item]})


@show("cancel_order_items", 200, "unreachable", "Omnitron is unreachable: the back office has it")
def _(world: World) -> Any:
    world.fake.fail("read_order", NotSent("down", code="unreachable"))
    return world.call("cancel_order_items")


@show("cancel_order_items", 200, "partial", "One of two pairs: a review", sends="part_of_a_line")
def _(world: World) -> Any:
    item = {"order_item": SHOES, "reason": 3, "cancellation_type": "cancel", "quantity": 1}
    return world.call("cancel_order_items", {"cancel_order_items": [item]})


@show("cancel_order_items", 400, "input", "Fields are missing or make no sense")
def _(world: World) -> Any:
    items = [{"order_item": SHIRT, "cancellation_type": "swap"}, {"order_item": SHOES, "reason": 3}]
    return world.call("cancel_order_items", {"cancel_order_items": items, "return_policy": False})


@show("cancel_order_items", 400, "unknown_ids", "Ids that are unknown, or somebody else's")
def _(world: World) -> Any:
    items = [{"order_item": 1, "reason": 2, "cancellation_type": "cancel"}]
    return world.call("cancel_order_items", {"cancel_order_items": items, "pickup_address": 5})


@show("cancel_order_items", 400, "refused", "Two items, each refused by a rule")
def _(world: World) -> Any:
    world.move_items(shirt="500", shoes="100")
    return world.call("cancel_order_items")


@show("cancel_order_items", 400, "in_progress", "A cancellation of it is in progress")
def _(world: World) -> Any:
    world.call("cancel_order_items")
    body = {**_typical(world, "cancel_order_items"), "fully_refund_as_loyalty_money": True}
    return world.call("cancel_order_items", body)


@show("cancel_order_items", 404, "unknown", "Unknown, or somebody else's")
def _(world: World) -> Any:
    return world.call("cancel_order_items", path="/orders/ORD-2026-999999/cancel/")


@show("request_cancellations", 201, "requests", "One request for each item", sends="cancel")
def _(world: World) -> Any:
    return world.call("request_cancellations")


@show("request_cancellations", 400, "foreign", "An item that is unknown, or somebody else's")
def _(world: World) -> Any:
    items = [{"order_item": 1, "reason": 3, "cancellation_type": "cancel"}]
    return world.call("request_cancellations", {"cancel_order_items": items})


@show("request_cancellation", 201, "request", "The request", sends="cancel")
def _(world: World) -> Any:
    return world.call("request_cancellation")


@show("request_cancellation", 400, "input", "Fields are missing or make no sense")
def _(world: World) -> Any:
    return world.call("request_cancellation", {"order_item": "shirt", "iban": "TR00"})


def _request_again(world: World, operation_id: str) -> Any:
    world.log_in().call(operation_id)
    return world.call(operation_id, {**_typical(world, operation_id), "fully_refund_as_loyalty_money": True})


add(
    ("request_cancellations", "request_cancellation"),
    400,
    "second",
    "The first request is not decided yet",
    _request_again,
)


def _request(world: World, *, key: str = "") -> int:
    headers = {"idempotency-key": key} if key else None
    pk: int = world.call("request_cancellation", headers=headers).json()["id"]
    return pk


def _take_back(world: World, pk: int) -> Any:
    return world.call(TAKES_BACK, path=f"/users/orders/cancellation_requests/{pk}/take-back/")


@show(TAKES_BACK, 200, "taken_back", "The request, taken back")
def _(world: World) -> Any:
    return _take_back(world, _request(world))


@show(TAKES_BACK, 404, "foreign", "A request that is unknown, or somebody else's")
def _(world: World) -> Any:
    return world.call(TAKES_BACK)


@show(TAKES_BACK, 409, "decided", "The back office has decided")
def _(world: World) -> Any:
    pk = _request(world)
    CancellationRequest.objects.update(status=CancellationRequest.Status.APPROVED)
    return _take_back(world, pk)


@show(TAKES_BACK, 429, "often", "The sixth time within the hour")
def _(world: World) -> Any:
    return [_take_back(world, _request(world, key=str(time))) for time in range(6)][-1]


@show("list_cancellation_reasons", 200, "reasons", "The first of two pages")
def _(world: World) -> Any:
    return world.call("list_cancellation_reasons", query="?limit=2")
