"""The people who are named in the demo, and the orders prepared for each of them."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from aftercart.demo.catalogue import EUROPEAN_PLACES, TURKISH_PLACES, Place

FIRST_ORDER_ID: Final = 1001
FIRST_ITEM_ID: Final = 20001
FIRST_DISCOUNT_ID: Final = 5001

#: How many orders of each kind every named customer has. What a kind is: `fitness.py`.
KINDS: Final = {
    "cancellable": 12,
    "several_items": 3,
    "invoiced": 3,
    "shipped": 3,
    "delivered": 3,
    "cancelled": 3,
    "in_progress": 3,
    "store_pickup": 3,
}


@dataclass(frozen=True, slots=True)
class Person:
    """Somebody with orders. `places`: home, a second one in the same country, then one abroad."""

    email: str
    first_name: str
    last_name: str
    phone_number: str
    currency: str
    places: tuple[Place, ...]


NAMED: Final = (
    Person(
        "ayse@example.com", "Ayşe", "Yılmaz", "+905321112233", "TRY",
        (TURKISH_PLACES[0], TURKISH_PLACES[1], EUROPEAN_PLACES[0]),
    ),
    Person(
        "mehmet@example.com", "Mehmet", "Demir", "+905332223344", "TRY",
        (TURKISH_PLACES[2], TURKISH_PLACES[3], EUROPEAN_PLACES[3]),
    ),
    Person(
        "emma@example.com", "Emma", "Schmidt", "+4915112345678", "EUR",
        (EUROPEAN_PLACES[0], EUROPEAN_PLACES[1], TURKISH_PLACES[0]),
    ),
)  # fmt: skip
GUEST: Final = Person("guest@example.com", "Deniz", "Aksoy", "+905343334455", "TRY", (TURKISH_PLACES[4],))
NAMED_PASSWORD: Final = "demo-12345"  # noqa: S105 - printed in the README
STAFF_EMAIL: Final = "staff@example.com"
STAFF_PASSWORD: Final = "staff-12345"  # noqa: S105 - the demo's, which it shows


def list_prepared() -> Iterator[tuple[int, Person, str]]:
    """List the prepared orders: id, whose, which kind. The guest's comes last, as `guest`."""
    order_id = FIRST_ORDER_ID
    for person in NAMED:
        for kind, copies in KINDS.items():
            for _ in range(copies):
                yield order_id, person, kind
                order_id += 1
    yield order_id, GUEST, "guest"
