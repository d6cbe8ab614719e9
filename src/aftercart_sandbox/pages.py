"""The page of the sandbox: what waits, what came in, what goes wrong. Plain forms, everything escaped."""

import json
from collections.abc import Awaitable, Callable
from html import escape
from typing import Any

from aiohttp import web

from aftercart_sandbox import decisions
from aftercart_sandbox.calls import list_calls
from aftercart_sandbox.faults import KINDS, list_faults
from aftercart_sandbox.page_template import PAGE
from aftercart_sandbox.store import Row, Store
from aftercart_sandbox.tables import CALLS
from aftercart_sandbox.values import stamp

_HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'unsafe-inline'; img-src data:;"
    " form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "Referrer-Policy": "same-origin",
    "Cache-Control": "no-store",
}
_SHOWN_CALLS = 15
_SHOWN_PENDING = 50


def serve(store: Store) -> Callable[[web.Request], Awaitable[web.Response]]:
    """Return the aiohttp handler of ``GET /sandbox/``."""

    async def page(request: web.Request) -> web.Response:
        message, base = request.query.get("message", ""), f"{request.scheme}://{request.host}"
        return web.Response(text=render(store, message, base), content_type="text/html", headers=_HEADERS)

    return page


def render(store: Store, message: str, base: str) -> str:
    """Return the page; ``message`` tells what the last form did, ``base`` is the server's own address."""
    auto = decisions.automatic(store) or {}
    return PAGE.substitute(
        message=f'<p class="message" role="status">{escape(message)}</p>' if message else "",
        orders=store.count("SELECT count(*) FROM orders"),
        call_count=store.count("SELECT count(*) FROM calls"),
        now=stamp(store.now())[:19].replace("T", " "),
        pending=_pending(store),
        after=escape(str(auto.get("after_seconds", ""))),
        reject_selected=" selected" if auto.get("decision") == "reject" else "",
        calls=_calls(store),
        faults=_faults(store),
        call_options="".join(f"<option>{name}</option>" for name in ("*", *CALLS)),
        kind_options="".join(f"<option>{name}</option>" for name in KINDS),
        kinds="".join(f"<dt>{name}</dt><dd>{_code(text)}</dd>" for name, text in KINDS.items()),
        base=escape(base),
    )


def _pending(store: Store) -> str:
    items, requests = store.all(decisions.PENDING_ITEMS), store.all(decisions.PENDING_REQUESTS)
    if not items and not requests:
        return "<p>Nothing waits. Cancel something in the shop, and it appears here.</p>"
    rows = []
    for item in items[:_SHOWN_PENDING]:
        name = json.loads(item["document"]).get("name") or item["sku"] or item["remote_id"]
        what = f"{item['cancel_kind']} of {item['quantity']} × {name}"  # a multiplication sign is meant
        rows.append(_pending_row(store, item, "item", what, item["cancel_status"]))
    for request in requests[:_SHOWN_PENDING]:
        what = (
            f"request to {request['cancellation_type']} {request['quantity']} of item {request['order_item']}"
        )
        if request["description"]:
            what += f": “{request['description']}”"
        rows.append(_pending_row(store, request, "request", what, request["status"]))
    rest = len(items) + len(requests) - len(rows)
    note = f'<p class="quiet">and {rest} more</p>' if rest else ""
    everything = _decide_form("all", "1", "Approve all", "Reject all")
    return _table(("Order", "What", "State", "Decision"), rows) + note + f"<p>{everything}</p>"


def _pending_row(store: Store, row: Row, target: str, what: str, state: str) -> list[str]:
    number = store.get("orders", row["order_pk"])["number"]
    return [escape(number), escape(what), escape(state), _decide_form(target, str(row["pk"]))]


def _decide_form(target: str, value: str, approve: str = "Approve", reject: str = "Reject") -> str:
    return (
        '<form method="post" action="/sandbox/decide/">'
        f'<input type="hidden" name="{target}" value="{escape(value)}">'
        '<input class="wide" name="reason" placeholder="reason, if you reject"'
        ' aria-label="Reason for a rejection">'
        f'<button class="go" name="decision" value="approve">{approve}</button>'
        f'<button class="no" name="decision" value="reject">{reject}</button></form>'
    )


def _calls(store: Store) -> str:
    rows = []
    for call in reversed(list_calls(store, {"limit": str(_SHOWN_CALLS)})["results"]):
        answered = "…" if call["answered"] is None else str(call["answered"])
        fault = f" (fault {call['fault']})" if call["fault"] else ""
        rows.append(
            [
                str(call["n"]),
                call["at"][11:19],
                _code(f"`{call['method']} {call['path']}`"),
                escape(call["order"] or ""),
                escape(answered + fault),
                "yes" if call["applied"] else "",
            ]
        )
    if not rows:
        return "<p>None yet.</p>"
    return _table(("No.", "At", "Call", "Order", "Answered", "Changed something"), rows)


def _faults(store: Store) -> str:
    rows = [_fault_row(fault) for fault in list_faults(store)]
    if not rows:
        return "<p>None: everything works.</p>"
    return _table(("Call", "Kind", "Struck", "Left"), rows)


def _fault_row(fault: dict[str, Any]) -> list[str]:
    left = "for ever" if fault["left"] < 0 else str(fault["left"])
    return [escape(fault["call"]), escape(fault["kind"]), str(fault["used"]), left]


def _table(heads: tuple[str, ...], rows: list[list[str]]) -> str:
    """Return a table; the cells are HTML already."""
    head = "".join(f'<th scope="col">{head}</th>' for head in heads)
    body = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    return f'<div class="table"><table><tr>{head}</tr>{body}</table></div>'


def _code(text: str) -> str:
    """Return escaped text, with what stands between backticks as code."""
    parts = escape(text).split("`")
    return "".join(f"<code>{part}</code>" if place % 2 else part for place, part in enumerate(parts))
