"""How to get the documented answers of the address book, its places, and the look-up of guests' orders."""

from typing import Any
from unittest import mock

from django.conf import settings

from aftercart.accounts.models import Address
from aftercart.cancellations.models import AddressChange
from tests.http.schema_scenarios import PLACES, SCENARIOS, Scenario, add, show
from tests.http.schema_world import World


@show("list_addresses", 200, "addresses", "A book of one address")
def _(world: World) -> Any:
    return world.call("list_addresses")


@show("list_detailed_addresses", 200, "addresses", "A book of one address")
def _(world: World) -> Any:
    return world.call("list_detailed_addresses")


@show("add_address", 201, "added", "A new entry", sends="address")
def _(world: World) -> Any:
    return world.call("add_address")


@show("add_address", 200, "repeat", "The book has just this one")
def _(world: World) -> Any:
    world.call("add_address")
    return world.call("add_address")


@show("add_address", 400, "input", "Fields are missing or make no sense")
def _(world: World) -> Any:
    return world.call("add_address", {"title": "", "city": "İstanbul", "email": "ayse"})


@show("add_address", 400, "places", "A city of another country, and no phone number")
def _(world: World) -> Any:
    body = {
        "title": "Work",
        "first_name": "Ayşe",
        "last_name": "Yılmaz",
        "phone_number": "123",
        "country": 1,
        "city": 999,
        "township": 341,
        "line": "Büyükdere Caddesi 100",
    }
    return world.call("add_address", body)


@show("edit_address", 200, "edited", "Another line", sends="line")
def _(world: World) -> Any:
    return world.call("edit_address")


@show("edit_address", 200, "primary", "It becomes the first choice", sends="primary")
def _(world: World) -> Any:
    Address.objects.update(primary=False)
    return world.call("edit_address", {"primary": True})


@show("edit_address", 400, "primary", "There is always a first choice")
def _(world: World) -> Any:
    return world.call("edit_address", {"primary": False})


def _use(world: World, operation_id: str) -> Any:
    snapshot = {"pk": world.address.pk}
    AddressChange.objects.create(order=world.order, user=world.user, address=snapshot)
    return world.log_in().call(operation_id)


add(("edit_address", "remove_address"), 400, "in_use", "An order is being sent there", _use)


@show("remove_address", 204, "removed", "It is gone")
def _(world: World) -> Any:
    return world.call("remove_address")


add(
    ("edit_address", "remove_address"),
    404,
    "unknown",
    "Unknown, or in somebody else's book",
    lambda w, o: w.log_in().call(o, path="/address/999999/"),
)
add(PLACES, 200, "places", "All of them", lambda w, o: w.log_in().call(o))
add(
    PLACES,
    400,
    "filter",
    "An id that is none",
    lambda w, o: w.log_in().call(o, query="?country=Türkiye&city=x&township=y"),
)


def _look_up_too_often(world: World) -> Any:
    with mock.patch.object(settings, "GUEST_LOOKUPS", 1):
        world.call("find_anonymous_order")
        return world.call("find_anonymous_order", {"number": world.guests.number, "email": "a@example.com"})


SCENARIOS += [
    Scenario(
        "find_anonymous_order",
        200,
        "order",
        "The order, alone in its list",
        lambda w: w.call("find_anonymous_order"),
        request="number_and_email",
    ),
    Scenario(
        "find_anonymous_order",
        400,
        "miss",
        "Another e-mail address, an unknown number, or a customer's order",
        lambda w: w.call("find_anonymous_order", {"number": w.guests.number, "email": "a@example.com"}),
    ),
    Scenario(
        "find_anonymous_order",
        400,
        "input",
        "Fields are missing",
        lambda w: w.call("find_anonymous_order", {"email": "mehmet"}),
    ),
    Scenario("find_anonymous_order", 429, "throttled", "Too many look-ups", _look_up_too_often),
]

__all__ = ["SCENARIOS", "Scenario"]
