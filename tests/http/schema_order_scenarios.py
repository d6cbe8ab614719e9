"""How to get every documented answer about orders and log-in; beside schema_scenarios.py."""

from typing import Any
from unittest import mock

from django.conf import settings

from aftercart.lib.links import sign_number
from aftercart.oms.errors import NotSent, Refused
from tests.http.schema_scenarios import PLACES, SCENARIOS, Scenario, add, show
from tests.http.schema_world import DELIVERED, World

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


def _ask_again(world: World, operation_id: str) -> Any:
    etag = world.log_in().call(operation_id).headers["ETag"]
    return world.call(operation_id, headers={"If-None-Match": etag})


add(("get_completed_order", "get_order"), 304, "unchanged", "Nothing has changed", _ask_again)


def _open_link(world: World, operation_id: str) -> Any:
    token = sign_number(world.guests.number, purpose="guest-view", link_version=world.guests.link_version)
    assert world.api.client.get(f"/orders/guest/{token}/").status_code == 200
    return world.call(operation_id)


add("get_order", 200, "guest_link", "What a guest's link shows, and no more", _open_link)
add("list_orders", 200, "guest_link", "", _open_link)


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


@show("log_out_by_get", 403, "elsewhere", "A link on another site's page")
def _(world: World) -> Any:
    return world.call("log_out_by_get", headers={"sec-fetch-site": "cross-site"})


@show("log_out_by_get", 200, "done", "Logged out")
def _(world: World) -> Any:
    return world.call("log_out_by_get")


@show("get_current_user", 200, "customer", "The customer")
def _(world: World) -> Any:
    return world.call("get_current_user")
