"""How to get every documented answer about sending orders; beside schema_scenarios.py."""

from datetime import timedelta
from typing import Any
from unittest import mock

from django.db import OperationalError
from django.test import override_settings
from django.utils import timezone

from aftercart.accounts.models.api_tokens import ORDERS_WRITE, create_token
from tests.http.schema_scenarios import SCENARIOS, Scenario, add
from tests.http.schema_world import CALLS, World

SEND = "send_orders"
ITEM = {"id": 20601, "quantity": 1, "price": "249.90", "product": {"pk": 9001, "sku": "MUG-1", "name": "Mug"}}
ORDER = {
    "id": 1060,
    "number": "ORD-2026-001060",
    "user_email": "ayse@example.com",
    "status": "400",
    "currency": "try",
    "amount": "249.90",
    "created_date": "2026-03-01T10:00:00Z",
    "modified_date": "2026-03-01T10:05:00Z",
    "orderitem_set": [ITEM],
}
BAD = {
    **ORDER,
    "id": 1061,
    "number": "ORD-2026-001061",
    "amount": "a lot",
    "orderitem_set": [{"price": "1.00"}],
}
ODD = {
    **ORDER,
    "id": 1062,
    "number": "ORD-2026-001062",
    "amount": "260.00",
    "orderitem_set": [{**ITEM, "id": 20621}],
}

CALLS[SEND] = ("post", lambda _: "/api/v1/orders/", lambda _: [ORDER])


def _send(world: World, body: Any = None, *, scope: str = ORDERS_WRITE, **options: Any) -> Any:
    _row, secret = create_token("ERP", (scope,), timezone.now() + timedelta(days=1))
    return world.call(SEND, body, headers={"authorization": f"Token {secret}"}, **options)


def _send_often(world: World, _operation_id: str) -> Any:
    with override_settings(INTAKE_REQUESTS_PER_MINUTE=0):
        return _send(world)


SCENARIOS.append(Scenario(SEND, 200, "created", "A new order", _send, request="a_new_order"))
add(SEND, 207, "some", "One went in, one did not, one is doubtful", lambda w, _: _send(w, [ORDER, BAD, ODD]))
add(SEND, 400, "none", "None went in", lambda w, _: _send(w, [BAD]))
add(SEND, 400, "empty", "No orders", lambda w, _: _send(w, " "))
add(SEND, 400, "not_json", "The body is no JSON", lambda w, _: _send(w, "everything, please"))
add(SEND, 401, "anonymous", "No token", lambda w, o: w.call(o))
add(SEND, 403, "scope", "The token is good for something else", lambda w, _: _send(w, scope="orders:read"))
add(SEND, 404, "format", "An unknown format", lambda w, _: _send(w, query="?format=xml"))
add(SEND, 415, "xml", "The body is XML", lambda w, _: _send(w, "<all/>", content_type="text/xml"))
add(SEND, 429, "often", "Too many requests", _send_often)
add(SEND, 503, "database", "The database is away", lambda w, _: _send_without_database(w))


def _send_without_database(world: World) -> Any:
    _row, secret = create_token("ERP", (ORDERS_WRITE,), timezone.now() + timedelta(days=1))
    away = OperationalError("the connection is closed")
    with mock.patch("django.db.backends.utils.CursorWrapper.execute", side_effect=away):
        return world.call(SEND, headers={"authorization": f"Token {secret}"})
