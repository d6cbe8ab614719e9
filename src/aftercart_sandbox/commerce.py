"""``python -m aftercart_sandbox.commerce``: a sandbox for the shop's commerce backend, in memory.

It knows customers with their sessions and address books, as much as Aftercart asks a shop about: log-in, log-out,
sign-up, `/current_user/`, `/csrf_token/`, `/address/detailed/`, and, under a token, its order documents.
`/sandbox/faults/` makes it slow, or fail.
"""

import argparse
import asyncio
import hashlib
import html
import itertools
import secrets
import signal
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit

from aiohttp import web

_COOKIES = ("sessionid", "osessionid")
#: What its own API of orders wants.
TOKEN = "sandbox-shop"  # noqa: S105 - the sandbox's
_LOWER = "abcdefghijklmnopqrstuvwxyz0123456789"
_FORM = """<!doctype html><html lang="en"><meta charset="utf-8"><title>The shop: log in</title>
<body style="font: 1rem sans-serif; margin: 4rem auto; max-width: 24rem"><h1>The shop's own log-in</h1><p>{message}</p>
<form method="post"><input type="hidden" name="csrfmiddlewaretoken" value="{token}">
<input type="hidden" name="next" value="{next}">
<p><label>E-mail address<br><input name="email" type="email" autofocus></label></p>
<p><label>Password<br><input name="password" type="password"></label></p><button>Log in</button></form></body></html>"""


@dataclass
class Shop:
    """All that it knows. `url` is where its log-in sends a browser back to: the shop's pages, and ours."""

    url: str
    customers: dict[str, dict[str, Any]] = field(default_factory=dict)
    sessions: dict[str, str] = field(default_factory=dict)
    orders: dict[str, dict[str, Any]] = field(default_factory=dict)
    fault: dict[str, Any] = field(default_factory=dict)
    ids: "itertools.count[int]" = field(default_factory=lambda: itertools.count(100_000))
    asked: int = 0

    def find(self, request: web.Request) -> dict[str, Any] | None:
        """Find whose cookies these are; two that differ are nobody's."""
        keys = {request.cookies[name] for name in _COOKIES if request.cookies.get(name)}
        email = self.sessions.get(keys.pop()) if len(keys) == 1 else None
        return self.customers.get(email) if email else None

    def enter(self, response: web.StreamResponse, customer: dict[str, Any]) -> str:
        """Begin a session, and set its cookies."""
        key = _make_token()
        self.sessions[key] = customer["email"]
        for name in _COOKIES:
            response.set_cookie(name, key, httponly=True, samesite="Lax", path="/")
        response.set_cookie("csrftoken", _make_token(), samesite="Lax", path="/")
        return key


SHOP = web.AppKey("shop", Shop)


def _make_token() -> str:
    return "".join(secrets.choice(_LOWER) for _ in range(32))


def _write_user(customer: dict[str, Any]) -> dict[str, Any]:
    names = ("pk", "email", "first_name", "last_name", "phone")
    return {
        **{name: customer.get(name, "") for name in names},
        "email_allowed": False, "sms_allowed": False, "date_joined": "2026-01-01T00:00:00.000000Z",
        "last_login": None, "date_of_birth": None, "gender": None, "is_staff": False,
        "hashed_email": hashlib.sha256(customer["email"].encode()).hexdigest(),
    }  # fmt: skip


def _refuse(status: int, detail: str) -> web.Response:
    return web.json_response({"detail": detail}, status=status)


def _list(rows: list[dict[str, Any]]) -> web.Response:
    return web.json_response({"count": len(rows), "next": None, "previous": None, "results": rows})


async def _read(request: web.Request) -> dict[str, Any]:
    if request.content_type == "application/json":
        body = await request.json()
        return body if isinstance(body, dict) else {}
    return {name: str(value) for name, value in (await request.post()).items()}


async def log_in(request: web.Request) -> web.Response:
    """``GET/POST /users/login/``: a page for browsers, `{"key"}` for JSON."""
    shop, target = request.app[SHOP], request.query.get("next", "/")
    if request.method == "GET":
        return _show_form(target, "")
    body = await _read(request)
    customer = shop.customers.get(str(body.get("email", "")).strip().lower())
    is_known = customer is not None and customer["password"] == body.get("password")
    if request.content_type != "application/json":
        target = str(body.get("next", target))
        if not is_known or customer is None:
            return _show_form(target, "This e-mail address and password do not belong together.")
        parts = urlsplit(target)
        path = parts.path if parts.path.startswith("/") and not parts.path.startswith("//") else "/"
        query = f"?{parts.query}" if parts.query else ""
        response = web.Response(status=303, headers={"Location": f"{shop.url}{path}{query}"})
        shop.enter(response, customer)
        return response
    if not is_known or customer is None:
        return web.json_response(
            {"non_field_errors": ["Unable to log in with provided credentials."]}, status=400
        )
    return _answer_key(shop, customer)


def _answer_key(shop: Shop, customer: dict[str, Any], status: int = 200) -> web.Response:
    response = web.json_response({}, status=status)
    response.body = f'{{"key": "{shop.enter(response, customer)}"}}'.encode()
    return response


def _show_form(target: str, message: str) -> web.Response:
    token = _make_token()
    text = _FORM.format(message=html.escape(message), token=token, next=html.escape(target, quote=True))
    response = web.Response(text=text, content_type="text/html")
    response.set_cookie("csrftoken", token, samesite="Lax", path="/")
    return response


async def log_out(request: web.Request) -> web.Response:
    """``GET/POST /users/logout/``."""
    shop = request.app[SHOP]
    for name in _COOKIES:
        shop.sessions.pop(request.cookies.get(name, ""), None)
    response = web.json_response({"detail": "Successfully logged out."})
    for name in (*_COOKIES, "csrftoken"):
        response.del_cookie(name, path="/")
    return response


async def register(request: web.Request) -> web.Response:
    """``POST /users/registration/``."""
    shop, body = request.app[SHOP], await _read(request)
    email = str(body.get("email", "")).strip().lower()
    if "@" not in email or not body.get("password"):
        return web.json_response({"email": ["Enter a valid email address."]}, status=400)
    if email in shop.customers:
        return web.json_response({"email": ["This e-mail address is already registered."]}, status=400)
    customer = {**body, "pk": next(shop.ids), "email": email, "addresses": []}
    shop.customers[email] = customer
    return _answer_key(shop, customer, status=201)


async def read_current_user(request: web.Request) -> web.Response:
    """``GET /current_user/``."""
    shop = request.app[SHOP]
    shop.asked += 1
    customer = shop.find(request)
    if customer is None:
        return _refuse(401, "Authentication credentials were not provided.")
    return web.json_response(_write_user(customer))


async def give_token(_request: web.Request) -> web.Response:
    """``GET /csrf_token/``."""
    token = _make_token()
    response = web.json_response({"csrf_token": token})
    response.set_cookie("csrftoken", token, samesite="Lax", path="/")
    return response


async def list_addresses(request: web.Request) -> web.Response:
    """``GET /address/`` and ``/address/detailed/``."""
    customer = request.app[SHOP].find(request)
    if customer is None:
        return _refuse(401, "Not logged in")
    return _list(customer.get("addresses", []))


async def list_orders(request: web.Request) -> web.Response:
    """``GET /api/v1/remote/1/orders/?number=``: order documents, for whoever has the token."""
    if request.headers.get("Authorization") != f"Token {TOKEN}":
        return _refuse(401, "Authentication credentials were not provided.")
    number = request.query.get("number")
    rows = [row for row in request.app[SHOP].orders.values() if number in (None, str(row["number"]))]
    return _list(rows)


async def load_orders(request: web.Request) -> web.Response:
    """``POST /sandbox/orders/``: order documents (contract section 6), as the shop has them."""
    shop = request.app[SHOP]
    for document in await request.json():
        shop.orders[str(document["number"])] = document
    return web.json_response({"count": len(shop.orders)})


async def load(request: web.Request) -> web.Response:
    """``POST /sandbox/customers/``: ``[{pk, email, password, first_name, last_name, phone, addresses}]``."""
    shop = request.app[SHOP]
    for customer in await request.json():
        shop.customers[customer["email"]] = {"addresses": [], **customer}
    return web.json_response({"count": len(shop.customers)})


async def set_fault(request: web.Request) -> web.Response:
    """``POST /sandbox/faults/``: ``{"kind": "slow" | "down", "seconds": 3}``; DELETE ends it."""
    request.app[SHOP].fault = {} if request.method == "DELETE" else await request.json()
    return web.json_response(request.app[SHOP].fault)


async def check_health(request: web.Request) -> web.Response:
    """``GET /sandbox/health/``: that it is there, and how often it was asked whose a session is."""
    return web.json_response({"status": "ok", "asked": request.app[SHOP].asked})


@web.middleware
async def _fail(request: web.Request, handler: Any) -> web.StreamResponse:
    fault = request.app[SHOP].fault
    if fault and not request.path.startswith("/sandbox/"):
        if fault["kind"] == "slow":
            await asyncio.sleep(float(fault.get("seconds", 3)))
        else:
            return web.Response(
                status=502, text="<html><h1>Bad Gateway</h1></html>", content_type="text/html"
            )
    response: web.StreamResponse = await handler(request)
    return response


def build_app(shop: Shop) -> web.Application:
    """Build the server."""
    app = web.Application(middlewares=[_fail])
    app[SHOP] = shop
    for method in ("GET", "POST"):
        app.router.add_route(method, "/users/login/", log_in)
        for path in ("/users/logout", "/users/logout/"):
            app.router.add_route(method, path, log_out)
    app.router.add_post("/users/registration/", register)
    app.router.add_get("/current_user/", read_current_user)
    app.router.add_get("/csrf_token/", give_token)
    app.router.add_get("/address/", list_addresses)
    app.router.add_get("/address/detailed/", list_addresses)
    app.router.add_get("/api/v1/remote/1/orders/", list_orders)
    app.router.add_post("/sandbox/customers/", load)
    app.router.add_post("/sandbox/orders/", load_orders)
    app.router.add_post("/sandbox/faults/", set_fault)
    app.router.add_delete("/sandbox/faults/", set_fault)
    app.router.add_get("/sandbox/health/", check_health)
    return app


async def run(host: str, port: int, url: str) -> None:
    """Serve until SIGTERM or Ctrl-C."""
    stop = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        asyncio.get_running_loop().add_signal_handler(number, stop.set)
    runner = web.AppRunner(build_app(Shop(url)), access_log=None, shutdown_timeout=0.2)
    await runner.setup()
    site = web.TCPSite(runner, host, port)
    await site.start()
    address = runner.addresses[0]
    print(f"The commerce sandbox listens on http://{address[0]}:{address[1]}/", flush=True)  # noqa: T201 - read in the terminal
    await stop.wait()
    await runner.cleanup()


def main() -> None:
    """Parse the command line, and serve."""
    parser = argparse.ArgumentParser(prog="python -m aftercart_sandbox.commerce", description=__doc__)
    parser.add_argument("--host", default="127.0.0.1", help="address to listen on (%(default)s)")
    parser.add_argument("--port", type=int, default=8400, help="port; 0 takes a free one (%(default)s)")
    parser.add_argument("--shop-url", default="", help="where a log-in sends a browser on to (here)")
    chosen = parser.parse_args()
    asyncio.run(run(chosen.host, chosen.port, chosen.shop_url))


if __name__ == "__main__":
    main()
