"""The test controls under ``/sandbox/``: JSON in, JSON out, no log-in.

So the server listens on loopback by default. A control also takes a form, for the page; then it answers with
a redirect to the page.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any
from urllib.parse import parse_qsl, urlencode

from aiohttp import web

from aftercart_sandbox import decisions, edits, faults, ledger, loading
from aftercart_sandbox.call import Reply, parse
from aftercart_sandbox.calls import list_calls
from aftercart_sandbox.errors import ApiError, invalid
from aftercart_sandbox.orders import item_json, items_of, order_json
from aftercart_sandbox.requests import request_json
from aftercart_sandbox.store import Store, dump

log = logging.getLogger("sandbox")

#: What answers a control: with the JSON of a 200, or with another `Reply`.
Control = Callable[[Store, Any], Any]
_FORM = "application/x-www-form-urlencoded"
_FORM_NUMBERS = ("times", "skip", "status", "item", "request", "seed")
_FORM_FRACTIONS = (
    "seconds",
    "probability",
    "offset_seconds",
    "after_seconds",
    "call_seconds",
    "connection_seconds",
)


def load(store: Store, body: Any) -> Reply:
    """``POST /sandbox/orders/``."""
    return Reply(loading.load_orders(store, body), 201)


def list_loaded(store: Store, query: Any) -> dict[str, Any]:
    """``GET /sandbox/orders/?number=``: orders with their items, as the API shows them; the newest 100."""
    number = query.get("number")
    rows = store.all(
        "SELECT * FROM orders WHERE ? IS NULL OR number = ? ORDER BY pk DESC LIMIT 100", number, number
    )
    shown = [
        order_json(None, row)
        | {"orderitem_set": [item_json(None, item) for item in items_of(store, row["pk"])]}
        for row in rows
    ]
    return {"count": store.count("SELECT count(*) FROM orders"), "results": shown}


def add_faults(store: Store, body: Any) -> Reply:
    """``POST /sandbox/faults/``: one fault, or a list of them; 201 with the same, each with its ``id``."""
    wanted = [faults.read_fault(one) for one in (body if isinstance(body, list) else [body])]
    ids = [faults.add_fault(store, fault) for fault in wanted]
    made = [row for row in faults.list_faults(store) if row["id"] in ids]
    return Reply(made if isinstance(body, list) else made[0], 201)


def show_faults(store: Store, _query: Any) -> dict[str, Any]:
    """``GET /sandbox/faults/``."""
    rows = faults.list_faults(store)
    return {"count": len(rows), "results": rows, "kinds": faults.KINDS}


def clear_faults(store: Store, query: Any) -> dict[str, Any]:
    """``DELETE /sandbox/faults/`` for all, ``?id=`` for one."""
    wanted = query.get("id")
    return {"deleted": store.changed("DELETE FROM faults WHERE ? IS NULL OR id = ?", wanted, wanted)}


def decide(store: Store, body: Any) -> dict[str, Any]:
    """``POST /sandbox/decide/``: a decision, or ``{"auto": {...} | null}``."""
    if not isinstance(body, dict):
        raise invalid("non_field_errors", "Expected a dictionary.")
    if "auto" in body:
        return {"auto": decisions.set_automatic(store, body["auto"])}
    return decisions.decide(store, body)


def show_pending(store: Store, _query: Any) -> dict[str, Any]:
    """``GET /sandbox/decide/``: what waits for a decision, and the automatic setting."""
    items = [item_json(None, row) for row in store.all(decisions.PENDING_ITEMS)]
    requests = [request_json(None, row) for row in store.all(decisions.PENDING_REQUESTS)]
    return {"items": items, "requests": requests, "auto": decisions.automatic(store)}


def show_ledger(store: Store, query: Any) -> dict[str, Any]:
    """``GET /sandbox/ledger/?order=number``."""
    rows = ledger.units(store, query.get("order"))
    return {"count": len(rows), "results": rows}


def reset(store: Store, body: Any) -> dict[str, Any]:
    """``POST /sandbox/reset/``: forget everything; ``keep_orders`` keeps the orders, as they were loaded.

    Tokens stay valid, so that a client which lives longer than a test is not met by a 401.
    """
    store.network.set_distance({})
    if not (isinstance(body, dict) and body.get("keep_orders")):
        store.wipe()
        return {"status": "ok", "orders": 0}
    store.generation += 1
    for table in ("failures", "calls", "faults", "settings"):
        store.run(f"DELETE FROM {table}")  # noqa: S608  # a constant
    store.clear_ledger()
    store.shift_clock(0)
    loading.restore_orders(store)
    return {"status": "ok", "orders": store.count("SELECT count(*) FROM orders")}


def expire_tokens(store: Store, _body: Any) -> dict[str, Any]:
    """``POST /sandbox/expire_tokens/``: every token given so far is expired now."""
    now = store.stamp()
    return {"expired": store.changed("UPDATE tokens SET expires = ? WHERE expires > ?", now, now)}


def set_clock(store: Store, body: Any) -> dict[str, Any]:
    """``POST /sandbox/clock/ {"offset_seconds"}``: the offset from real time, not from the offset before."""
    seconds = body.get("offset_seconds") if isinstance(body, dict) else None
    if isinstance(seconds, bool) or not isinstance(seconds, int | float) or abs(seconds) > 10**9:
        raise invalid("offset_seconds", "A number of seconds.")
    store.shift_clock(seconds)
    return {"offset_seconds": seconds, "now": store.stamp()}


def show_network(store: Store, _query: Any) -> dict[str, Any]:
    """``GET /sandbox/network/``."""
    return store.network.to_document()


def set_network(store: Store, body: Any) -> dict[str, Any]:
    """``POST /sandbox/network/ {"call_seconds", "connection_seconds"}``: how far away the sandbox is from now on."""
    store.network.set_distance(body)
    return store.network.to_document()


def health(store: Store, _query: Any) -> dict[str, Any]:
    """``GET /sandbox/health/``."""
    return {
        "status": "ok",
        "now": store.stamp(),
        "offset_seconds": store.offset.total_seconds(),
        **{name: store.count(f"SELECT count(*) FROM {name}") for name in ("orders", "calls", "faults")},  # noqa: S608  # constants
        "pending": len(store.all(decisions.PENDING_ITEMS)) + len(store.all(decisions.PENDING_REQUESTS)),
    }


CONTROLS: dict[str, dict[str, Control]] = {
    "orders": {"GET": list_loaded, "POST": load},
    "faults": {"GET": show_faults, "POST": add_faults, "DELETE": clear_faults},
    "calls": {"GET": list_calls},
    "decide": {"GET": show_pending, "POST": decide},
    "ledger": {"GET": show_ledger},
    "status": {"POST": edits.set_status},
    "refunds": {"POST": edits.set_refunds},
    "reset": {"POST": reset},
    "expire_tokens": {"POST": expire_tokens},
    "clock": {"POST": set_clock},
    "network": {"GET": show_network, "POST": set_network},
    "health": {"GET": health},
}
"""Address under ``/sandbox/`` and method to control; a GET or DELETE gets the query, a POST the body."""


def serve(store: Store, methods: dict[str, Control]) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Return the aiohttp handler of one address: each call is one transaction, each error JSON."""

    async def handle(request: web.Request) -> web.Response:
        raw, method = await request.read(), request.method
        # curl -d says that it sends a form whatever it sends
        is_form = request.content_type == _FORM and not raw.lstrip().startswith((b"{", b"["))
        try:
            query: Any = dict(request.query)
            if method == "POST":
                query = _from_form(raw) if is_form else parse(raw)
            if is_form and "delete" in query:
                method = "DELETE"
                query.pop("delete")
            control = methods.get(method) or _not_allowed(method)
            with store.transaction():
                found = control(store, query)
            answer = found if isinstance(found, Reply) else Reply(found)
        except ApiError as error:
            answer = Reply(error.body, error.status, error.headers)
        if is_form:
            raise web.HTTPSeeOther("/sandbox/?" + urlencode({"message": _in_words(answer)}))
        return web.Response(text=dump(answer.body), status=answer.status, content_type="application/json")

    return handle


def _not_allowed(method: str) -> Control:
    body = {"detail": f'Method "{method}" not allowed.', "code": "method_not_allowed"}
    return lambda _store, _query: Reply(body, 405)


def _from_form(raw: bytes) -> dict[str, Any]:
    """Return a form's fields as the JSON that they mean; empty ones are left out."""
    body: dict[str, Any] = {}
    for name, text in parse_qsl(raw.decode(errors="replace")):
        try:
            body[name] = (
                int(text) if name in _FORM_NUMBERS else float(text) if name in _FORM_FRACTIONS else text
            )
        except ValueError:
            raise invalid(name, "A valid number is required.") from None
    if "auto" in body:
        seconds = body.get("after_seconds")
        auto = {"after_seconds": seconds, "decision": body.get("decision", "approve")}
        return {"auto": None if seconds is None else auto}
    return body


def _in_words(answer: Reply) -> str:
    if answer.is_success:
        return f"Done: {dump(answer.body)[:200]}"
    return f"Not done ({answer.status}): {dump(answer.body)[:300]}"


async def decide_by_itself(store: Store) -> None:
    """Make the automatic decisions as they fall due; runs for as long as the server does."""
    while True:
        await asyncio.sleep(0.1)
        try:
            decisions.decide_due(store)
        except Exception:
            log.exception("the automatic decision failed")
