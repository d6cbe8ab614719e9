"""From a request to an answer: log it, let a fault strike, check the token, run the handler."""

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable

from aiohttp import web

from aftercart_sandbox import calls
from aftercart_sandbox.auth import authenticate
from aftercart_sandbox.call import Call, Handler, Options, Reply
from aftercart_sandbox.errors import ApiError
from aftercart_sandbox.faults import BEFORE, Fault, Hangers, choose
from aftercart_sandbox.store import Store, dump

log = logging.getLogger("sandbox")

_PUBLIC = frozenset({"login", "unknown"})
_ANSWERS_ITSELF = frozenset({"status", "status_after"})


class Dispatch:
    """Serves the API's calls from one store."""

    def __init__(self, store: Store, options: Options, hangers: Hangers) -> None:
        self._store = store
        self._options = options
        self._hangers = hangers

    def serve(self, name: str, handler: Handler) -> Callable[[web.Request], Awaitable[web.StreamResponse]]:
        """Return the aiohttp handler of the call ``name``."""

        async def handle(request: web.Request) -> web.StreamResponse:
            return await self._handle(name, handler, request)

        return handle

    async def _handle(self, name: str, handler: Handler, request: web.Request) -> web.StreamResponse:
        raw = await request.read()
        await self._store.network.cross(request.protocol)
        call, fault = self._receive(name, request, raw)
        if fault is None:
            return _response(self._execute(call, handler))
        if fault.kind in BEFORE:
            return await self._fail_before(request, fault)
        if fault.kind == "latency" and not fault.after:
            await asyncio.sleep(fault.seconds)
        answer = self._execute(call, handler, fault)
        return await _deliver(request, answer, fault)

    def _receive(self, name: str, request: web.Request, raw: bytes) -> tuple[Call, Fault | None]:
        """Log the call and choose its fault in one transaction; what is never applied is settled at once."""
        store, query = self._store, dict(request.query.items())  # the last of a repeated one, as in Django
        pks = dict(request.match_info)
        with store.transaction():
            fault_id, fault = choose(store, name)
            arrival = calls.Arrival(name, request.method, request.path, query, raw, pks, fault_id)
            number = calls.record(store, arrival)
            if fault is not None and fault.kind in BEFORE:
                answered = {"drop_before": "dropped", "hang": "hung"}.get(fault.kind, fault.status)
                calls.settle(store, number, answered, applied=False)
        call = Call(
            name=name,
            number=number,
            generation=store.generation,
            method=request.method,
            url=request.url,
            path=pks,
            query=query,
            raw=raw,
            authorization=request.headers.get("Authorization", ""),
            store=store,
            options=self._options,
        )
        return call, fault

    def _execute(self, call: Call, handler: Handler, fault: Fault | None = None) -> Reply:
        """Run the handler and log its outcome in one transaction; a refusal rolls its effects back."""
        if call.generation != self._store.generation:
            return Reply({"detail": "The sandbox was reset while this call waited.", "code": "reset"}, 503)
        try:
            with self._store.transaction():
                if call.name not in _PUBLIC:
                    authenticate(call)
                answer = handler(call)
                applied = call.method != "GET" and answer.is_success
                calls.settle(self._store, call.number, _outcome(answer, fault), applied=applied)
                return answer
        except ApiError as error:
            answer = Reply(error.body, error.status, error.headers)
        except Exception:
            log.exception("call %s: %s %s failed", call.number, call.method, call.url.path)
            answer = Reply({"detail": "The sandbox itself failed; see its log.", "code": "error"}, 500)
        with self._store.transaction():
            calls.settle(self._store, call.number, _outcome(answer, fault), applied=False)
        return answer

    async def _fail_before(self, request: web.Request, fault: Fault) -> web.StreamResponse:
        if fault.kind == "hang":
            await self._hangers.wait_until_gone(request.transport)
        elif fault.kind == "drop_before":
            _abort(request)
        else:
            return _own_response(fault)
        return web.Response()


def _outcome(answer: Reply, fault: Fault | None) -> int | str:
    if fault is None or fault.kind in ("latency", "trickle"):
        return answer.status
    if fault.kind == "drop_after":
        return "dropped"
    return fault.status if fault.kind in _ANSWERS_ITSELF else 200


async def _deliver(request: web.Request, answer: Reply, fault: Fault) -> web.StreamResponse:
    """Send an applied call's answer the way the fault wants it."""
    if fault.kind == "drop_after":
        _abort(request)
        return web.Response()
    if fault.kind in _ANSWERS_ITSELF:
        return _own_response(fault)
    if fault.kind == "trickle":
        return await _trickle(request, answer, fault.seconds)
    if fault.kind == "malformed":
        text = dump(answer.body)
        return web.Response(text=text[: max(1, len(text) - 2)] + "\x00", content_type="application/json")
    if fault.after:
        await asyncio.sleep(fault.seconds)
    return _response(answer)


async def _trickle(request: web.Request, answer: Reply, seconds: float) -> web.StreamResponse:
    """Send the body a byte at a time, evenly over ``seconds``; stop when the client leaves."""
    body = dump(answer.body).encode()
    response = web.StreamResponse(status=answer.status, headers=answer.headers)
    response.content_type = "application/json"
    response.content_length = len(body)
    start = time.monotonic()
    try:
        await response.prepare(request)
        for place, byte in enumerate(body):
            await asyncio.sleep(max(0.0, start + seconds * place / len(body) - time.monotonic()))
            await response.write(bytes((byte,)))
        await response.write_eof()
    except ConnectionError:
        log.info("%s: the client left a trickling answer", request.path)
    return response


def _response(answer: Reply) -> web.Response:
    return web.Response(
        text=dump(answer.body), status=answer.status, headers=answer.headers, content_type="application/json"
    )


def _own_response(fault: Fault) -> web.Response:
    status, body, headers = fault.answer()
    return web.Response(body=body, status=status, headers=headers)


def _abort(request: web.Request) -> None:
    if request.transport is not None:
        request.transport.abort()
