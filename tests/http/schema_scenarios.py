"""How to get every documented answer. Each scenario becomes an example of the document, told by its summary."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from unittest import mock

from django.conf import settings
from django.db.models import F

from aftercart.omnitron.errors import NotSent, Refused
from aftercart.orders.models import IdempotencyRecord, Order, OrderItem
from tests.http.schema_world import DELIVERED, MUG, SHIRT, SHOES, World

Run = Callable[[World], Any]


@dataclass(frozen=True, slots=True)
class Scenario:
    """One answer to one operation. With a `request`, the body sent is an example too, under that name."""

    operation_id: str
    status: int
    name: str
    summary: str
    run: Run
    request: str = ""


SCENARIOS: list[Scenario] = []


def add(
    operation_ids: str | Iterable[str], status: int, name: str, summary: str, run: Callable[[World, str], Any]
) -> None:
    """Add the same scenario for each of these operations."""
    for operation_id in [operation_ids] if isinstance(operation_ids, str) else operation_ids:
        SCENARIOS.append(Scenario(operation_id, status, name, summary, _bind(run, operation_id)))


def _bind(run: Callable[[World, str], Any], operation_id: str) -> Run:
    return lambda world: run(world, operation_id)


def show(operation_id: str, status: int, name: str, summary: str, *, sends: str = "") -> Callable[[Run], Run]:
    """Register a scenario of a customer who is logged in, by its function."""

    def register(run: Run) -> Run:
        SCENARIOS.append(
            Scenario(operation_id, status, name, summary, lambda world: run(world.log_in()), request=sends)
        )
        return run

    return register


# --- what many operations have in common -------------------------------------------------------------------

CANCELS = ("cancel_order_items", "request_cancellations", "request_cancellation")
WRITES = (*CANCELS, "change_order_address")
#: A write that knows its repeats by what it states, not by a key.
WITHDRAWS = "withdraw_from_contract"
POSTS = (*WRITES, "quote_cancellation", WITHDRAWS)
BOOK_WRITES = ("add_address", "edit_address", "remove_address")
PLACES = ("list_countries", "list_cities", "list_townships", "list_districts")
READS = (
    *PLACES,
    "list_addresses",
    "list_detailed_addresses",
    "get_completed_order",
    "list_orders",
    "get_order",
    "list_cancellation_reasons",
    "get_current_user",
)
SHARED = (
    "get_completed_order",
    "change_order_address",
    "cancel_order_items",
    WITHDRAWS,
    "log_in",
    "log_out",
    "log_out_by_get",
    "list_orders",
    "get_order",
    "list_addresses",
    "add_address",
    "edit_address",
    "remove_address",
)
OWN = (
    "quote_cancellation",
    "find_anonymous_order",
    "list_detailed_addresses",
    *PLACES,
    "list_cancellation_reasons",
    "request_cancellations",
    "request_cancellation",
    "get_current_user",
    "get_csrf_token",
)


def _send_twice(world: World, operation_id: str, *, second: Any = None, is_running: bool = False) -> Any:
    key = {"idempotency-key": "9b1deb4d"}
    first = world.log_in().call(operation_id, headers=key)
    assert first.status_code < 300, first.content
    if is_running:
        IdempotencyRecord.objects.update(status_code=None)
    return world.call(operation_id, second, headers=key)


def _send_another(world: World, operation_id: str) -> Any:
    return _send_twice(world, operation_id, second={**_typical(world, operation_id), "surprise": 1})


def _typical(world: World, operation_id: str) -> dict[str, Any]:
    from tests.http.schema_world import CALLS

    body: dict[str, Any] = CALLS[operation_id][2](world)
    return body


add((*READS, *POSTS, *BOOK_WRITES), 401, "anonymous", "Nobody is logged in", lambda w, o: w.call(o))
add(
    (*POSTS, *BOOK_WRITES, "log_out"),
    403,
    "token",
    "The CSRF token is wrong",
    lambda w, o: w.log_in().call(o, headers={"x-csrftoken": "wrong"}),
)
add(SHARED, 404, "page", "An unknown format", lambda w, o: w.log_in().call(o, query="?format=xml"))
add(OWN, 404, "format", "An unknown format", lambda w, o: w.log_in().call(o, query="?format=xml"))
add(
    (*POSTS, "add_address", "edit_address", "find_anonymous_order", "log_in", "receive_events"),
    415,
    "xml",
    "The body is XML",
    lambda w, o: w.log_in().call(o, "<all/>", content_type="text/xml"),
)
add(
    (*POSTS, "add_address", "edit_address", "find_anonymous_order", "log_in", "receive_events"),
    400,
    "not_json",
    "The body is no JSON",
    lambda w, o: w.log_in().call(o, "everything, please"),
)
add(WRITES, 422, "other_body", "The key belongs to another body", _send_another)
add(
    ("cancel_order_items", "change_order_address"),
    409,
    "running",
    "The first write with this key is still running",
    lambda w, o: _send_twice(w, o, is_running=True),
)
add(
    (
        *READS,
        *POSTS,
        *BOOK_WRITES,
        "find_anonymous_order",
        "log_in",
        "log_out",
        "log_out_by_get",
        "receive_events",
    ),
    503,
    "database",
    "The database is away",
    lambda w, o: (w if o == "log_in" else w.log_in()).call_without_database(o),
)


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


@show("list_cancellation_reasons", 200, "reasons", "The first of two pages")
def _(world: World) -> Any:
    return world.call("list_cancellation_reasons", query="?limit=2")


# --- orders ------------------------------------------------------------------------------------------------


@show("get_completed_order", 200, "order", "The order just placed")
def _(world: World) -> Any:
    return world.call("get_completed_order")


@show("get_completed_order", 404, "link", "Bad, expired, revoked, foreign or unknown")
def _(world: World) -> Any:
    return world.call("get_completed_order", path="/orders/completed/ORD-2026-001042:1tXyZa:forged/")


@show("list_orders", 200, "orders", "The last of two pages, a delivered order")
def _(world: World) -> Any:
    return world.call("list_orders", query="?page=2&limit=1")


@show("list_orders", 400, "filter", "A date that is none")
def _(world: World) -> Any:
    return world.call("list_orders", query="?created_date__gte=yesterday")


add(
    ("list_orders", "list_cancellation_reasons", "list_addresses", "list_detailed_addresses", *PLACES),
    404,
    "beyond",
    "A page beyond the last",
    lambda w, o: w.log_in().call(o, query="?page=9"),
)


@show("get_order", 200, "order", "An order with a request for one of its items")
def _(world: World) -> Any:
    world.call("request_cancellation")
    return world.call("get_order")


@show("get_order", 404, "unknown", "Unknown, or somebody else's")
def _(world: World) -> Any:
    return world.call("get_order", path="/users/orders/999999/")


@show("change_order_address", 200, "taken", "Omnitron has taken it", sends="change")
def _(world: World) -> Any:
    return world.call("change_order_address")


@show("change_order_address", 202, "pending", "Omnitron did not answer")
def _(world: World) -> Any:
    world.fake.fail("change_address", NotSent("down", code="unreachable"))
    return world.call("change_order_address")


@show("change_order_address", 400, "unknown", "An order that is unknown, or somebody else's")
def _(world: World) -> Any:
    return world.call("change_order_address", {"order": 5, "address": 18})


@show("change_order_address", 400, "too_late", "The order has left")
def _(world: World) -> Any:
    return world.call("change_order_address", {"order": DELIVERED, "address": 18})


@show("change_order_address", 400, "omnitron", "Omnitron says no")
def _(world: World) -> Any:
    world.fake.fail("change_address", Refused("The parcel is being packed.", code="refused", status=406))
    return world.call("change_order_address")


def _lack_migrations(world: World) -> Any:
    with mock.patch("aftercart.api.health.MigrationExecutor.migration_plan", return_value=[("a", "b")]):
        return world.call("check_readiness")


def _close_events(world: World) -> Any:
    with mock.patch.object(settings, "OMNITRON_WEBHOOK_SECRETS", []):
        return world.call("receive_events")


# --- session, operators, Omnitron --------------------------------------------------------------------------


def _fail_to_log_in(world: World, times: int) -> Any:
    body = {"email": world.user.email, "password": "wrong"}
    return [world.call("log_in", body) for _ in range(times)][-1]


SCENARIOS += [
    Scenario("log_in", 200, "key", "The session's key", lambda w: w.call("log_in"), request="credentials"),
    Scenario("log_in", 400, "failed", "E-mail or password is wrong", lambda w: _fail_to_log_in(w, 1)),
    Scenario("log_in", 400, "input", "Fields are missing", lambda w: w.call("log_in", {"email": "ayse"})),
    Scenario(
        "log_in",
        429,
        "locked",
        "Too many failures",
        lambda w: _fail_to_log_in(w, settings.AXES_FAILURE_LIMIT),
    ),
    Scenario("get_csrf_token", 200, "token", "A token", lambda w: w.call("get_csrf_token")),
    Scenario("check_life", 200, "alive", "It runs", lambda w: w.call("check_life")),
    Scenario("check_readiness", 200, "ready", "It is ready", lambda w: w.call("check_readiness")),
    Scenario(
        "check_readiness",
        503,
        "database",
        "The database does not answer",
        lambda w: w.call_without_database("check_readiness"),
    ),
    Scenario("check_readiness", 503, "migrations", "Migrations are missing", _lack_migrations),
    Scenario(
        "receive_events",
        202,
        "accepted",
        "One order is ours",
        lambda w: w.call("receive_events"),
        request="one_order",
    ),
    Scenario("receive_events", 400, "input", "No events", lambda w: w.call("receive_events", {})),
    Scenario("receive_events", 404, "closed", "There is no secret", _close_events),
    Scenario(
        "receive_events",
        401,
        "forged",
        "Signed by somebody else",
        lambda w: w.call("receive_events", headers={"X-Omnitron-Signature": "0" * 64}),
    ),
]


@show("log_out", 200, "done", "Logged out")
def _(world: World) -> Any:
    return world.call("log_out")


@show("log_out_by_get", 200, "done", "Logged out")
def _(world: World) -> Any:
    return world.call("log_out_by_get")


@show("get_current_user", 200, "customer", "The customer")
def _(world: World) -> Any:
    return world.call("get_current_user")
