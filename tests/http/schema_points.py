"""How to get every documented answer about loyalty points; beside schema_scenarios.py."""

from decimal import Decimal
from typing import Any

from aftercart.loyalty.models import LoyaltyEntry
from tests.http.schema_scenarios import add, show
from tests.http.schema_world import CALLS, World

POINTS = ("get_loyalty_balance", "list_loyalty_entries")

CALLS["get_loyalty_balance"] = ("get", lambda _: "/account/loyalty-account-balance/", lambda _: {})
CALLS["list_loyalty_entries"] = ("get", lambda _: "/account/loyalty/", lambda _: {})


def _add_entries(world: World) -> None:
    rows = (("spent", "-150.00"), ("earned", "43.78"), ("refund_credit", "399.90"))
    for pk, (kind, amount) in enumerate(rows, start=601):
        LoyaltyEntry.objects.create(
            pk=pk,
            user=world.user,
            currency="TRY",
            kind=kind,
            amount=Decimal(amount),
            order=world.order,
            reference=f"import:{pk}",
        )


add(POINTS, 401, "anonymous", "Nobody is logged in", lambda w, o: w.call(o))
add(POINTS, 400, "currency", "Not a currency", lambda w, o: w.log_in().call(o, query="?currency=lira"))
add(POINTS, 404, "format", "An unknown format", lambda w, o: w.log_in().call(o, query="?format=xml"))
add(POINTS, 503, "database", "The database is away", lambda w, o: w.log_in().call_without_database(o))


@show("get_loyalty_balance", 200, "balance", "The balance")
def _(world: World) -> Any:
    _add_entries(world)
    return world.call("get_loyalty_balance")


@show("list_loyalty_entries", 200, "entries", "The first of two pages")
def _(world: World) -> Any:
    _add_entries(world)
    return world.call("list_loyalty_entries", query="?limit=2")
