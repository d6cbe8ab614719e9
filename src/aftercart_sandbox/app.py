"""The application: which address is which call, and what answers everything else."""

import asyncio
import contextlib
import logging
import re
from collections.abc import AsyncIterator
from http import HTTPStatus
from typing import NoReturn

from aiohttp import web
from aiohttp.typedefs import Handler as AioHandler
from yarl import URL

from aftercart_sandbox import address, auth, cancellation, controls, orders, pages, requests
from aftercart_sandbox.call import Call, Handler, Options
from aftercart_sandbox.dispatch import Dispatch
from aftercart_sandbox.errors import ApiError, not_found
from aftercart_sandbox.faults import Hangers
from aftercart_sandbox.store import Store, dump
from aftercart_sandbox.tables import API_PREFIX

log = logging.getLogger("sandbox")

_MAX_BODY = 128 * 1024 * 1024
_CHANNEL = f"{API_PREFIX}/channel/{{channel:\\d{{1,9}}}}"
_PK = r"{pk:\d{1,18}}"


def routes(options: Options) -> list[tuple[str, str, str, Handler]]:
    """Return ``(call name, methods, address, handler)`` of the whole API (contract section 8)."""
    changing = options.address_path.strip("/").replace("{pk}", _PK)
    requests_at = f"{_CHANNEL}/cancellation_requests"
    return [
        ("login", "POST", f"{API_PREFIX}/auth/login/", auth.log_in),
        ("active_user", "GET", f"{API_PREFIX}/active_user/", auth.active_user),
        ("integration_actions", "GET", f"{_CHANNEL}/integration_actions/", orders.list_actions),
        ("orders_updates", "GET", f"{_CHANNEL}/orders/updates/", orders.list_order_updates),
        ("address_change", "POST PUT PATCH", f"{_CHANNEL}/orders/{changing}/", address.change_address),
        ("orders_list", "GET", f"{_CHANNEL}/orders/", orders.list_orders),
        ("order_read", "GET", f"{_CHANNEL}/orders/{_PK}/", orders.read_order),
        ("order_cancel", "POST", f"{_CHANNEL}/orders/{_PK}/cancel/", cancellation.cancel_order),
        ("order_items", "GET", f"{_CHANNEL}/order_items/", orders.list_items),
        ("order_items", "GET", f"{_CHANNEL}/order_items/{_PK}/", orders.read_item),
        ("requests_updates", "GET", f"{requests_at}/updates/", requests.list_request_updates),
        ("requests_list", "GET", f"{requests_at}/", requests.list_requests),
        ("request_create", "POST", f"{requests_at}/", requests.create_request),
        ("request_read", "GET", f"{requests_at}/{_PK}/", requests.read_request),
        ("request_reject", "POST", f"{requests_at}/{_PK}/reject/", requests.reject_request),
        ("reasons", "GET", f"{_CHANNEL}/cancellation_reasons/", orders.list_reasons),
    ]


def build_app(store: Store, options: Options) -> web.Application:
    """Return the server for one store."""
    app = web.Application(client_max_size=_MAX_BODY, middlewares=[_errors, _same_origin])
    hangers = Hangers()
    dispatch = Dispatch(store, options, hangers)
    for name, methods, path, handler in routes(options):
        for method in methods.split():
            app.router.add_route(method, path, dispatch.serve(name, handler))
    for name, by_method in controls.CONTROLS.items():
        app.router.add_route("*", f"/sandbox/{name}/", controls.serve(store, by_method))
    app.router.add_get("/sandbox/", pages.serve(store))
    app.router.add_get("/", _home)
    unknown = dispatch.serve("unknown", _unknown({path for _, _, path, _ in routes(options)}))
    app.router.add_route("*", API_PREFIX + "/{rest:.*}", unknown)

    async def background(_app: web.Application) -> AsyncIterator[None]:
        tasks = [asyncio.create_task(hangers.sweep()), asyncio.create_task(controls.decide_by_itself(store))]
        yield
        for task in tasks:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task

    app.cleanup_ctx.append(background)
    return app


async def _home(_request: web.Request) -> NoReturn:
    raise web.HTTPFound("/sandbox/")


def _unknown(paths: set[str]) -> Handler:
    """Return what answers the rest of the API: 405 for a known address with another method, else 404."""
    known = [re.compile(re.sub(r"\{\w+:((?:[^{}]|\{[^{}]*\})+)\}", r"(?:\1)", path)) for path in paths]

    def answer(call: Call) -> NoReturn:
        if any(pattern.fullmatch(call.url.path) for pattern in known):
            detail = f'Method "{call.method}" not allowed.'
            raise ApiError(405, {"detail": detail, "code": "method_not_allowed"})
        raise not_found()

    return answer


@web.middleware
async def _errors(request: web.Request, handler: AioHandler) -> web.StreamResponse:
    """Turn every error into JSON, and an unexpected one into a log entry with its traceback."""
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < HTTPStatus.BAD_REQUEST:
            raise
        code = {404: "not_found", 405: "method_not_allowed"}.get(error.status, "error")
        detail = "Not found." if error.status == HTTPStatus.NOT_FOUND else error.reason
        return web.json_response({"detail": detail, "code": code}, status=error.status, dumps=dump)
    except ApiError as error:
        return web.json_response(error.body, status=error.status, headers=error.headers, dumps=dump)
    except ConnectionError:
        log.info("%s %s: the client left in the middle of it", request.method, request.path)
        return web.Response()
    except Exception:
        log.exception("%s %s failed", request.method, request.path)
        body = {"detail": "The sandbox itself failed; see its log.", "code": "error"}
        return web.json_response(body, status=500, dumps=dump)


@web.middleware
async def _same_origin(request: web.Request, handler: AioHandler) -> web.StreamResponse:
    """Refuse controls that another site's page sends through the developer's browser."""
    origin = request.headers.get("Origin")
    if request.path.startswith("/sandbox/") and request.method != "GET" and origin is not None:
        allowed = origin != "null" and URL(origin).authority == request.host
        if not allowed:
            return web.json_response(
                {"detail": "Cross-site request.", "code": "permission_denied"}, status=403
            )
    return await handler(request)
