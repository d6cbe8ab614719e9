"""The front that Granian runs in each web process, by its RSGI protocol.

An event loop reads requests; a slow client costs it some kilobytes. Django stays WSGI, in threads of a process of its
own, the front's hands: under ASGI it was half as fast. What needs no thread is answered in `__rsgi__` itself, before
the request is handed over.
"""

import asyncio
from typing import Any

from aftercart.front.bodies import BodyLimits, BodyReader, ClientGone
from aftercart.front.door import check_request_head, is_upload
from aftercart.front.gateway import describe_request
from aftercart.front.handing import Handing
from aftercart.front.hands import ForkedHands
from aftercart.front.heartbeats import join_parent
from aftercart.front.hot_reads import HotReads
from aftercart.front.refusals import Refused, answer_refusal
from aftercart.front.waiting import Waiting

_JSON = [("Content-Type", "application/json"), ("Cache-Control", "no-store")]


class Front:
    """Reads each request whole, then has its hands answer it."""

    def __init__(
        self,
        hands: ForkedHands,
        *,
        limits: BodyLimits,
        uploads: BodyLimits,
        waiting: Waiting,
        hot_reads: HotReads,
    ) -> None:
        self._hands = hands
        self._hot_reads = hot_reads
        self._waiting = waiting
        self._bodies = BodyReader(limits)
        #: Of photos, which are large and come slowly: they never take the room of a cancellation.
        self._uploads = BodyReader(uploads)

    def __rsgi_init__(self, loop: asyncio.AbstractEventLoop) -> None:
        """Begin to listen to the hands; what they say of themselves is this process's heartbeat, too."""
        self._handing = Handing(loop, self._hands.socket, join_parent())

    def __rsgi_del__(self, _loop: asyncio.AbstractEventLoop) -> None:
        """End the hands; Granian calls this when every request has its answer."""
        self._handing.close()
        self._hands.wait()
        self._hot_reads.close()

    async def __rsgi__(self, scope: Any, proto: Any) -> None:
        """Answer a request."""
        try:
            check_request_head(scope)
            if scope.path == "/healthz" and scope.method in {"GET", "HEAD"}:
                # It is alive, also when every thread waits for something.
                proto.response_str(200, _JSON, '{"status": "ok"}')
                return
            if await self._hot_reads.answer(scope, proto):
                return
            bodies = self._uploads if is_upload(scope) else self._bodies
            async with bodies.body(scope.headers, proto) as body:
                await self._answer(scope, body, proto)
        except Refused as refusal:
            answer_refusal(scope.headers, proto, refusal)
        except ClientGone:
            proto.response_empty(400, [("Connection", "close")])

    async def _answer(self, scope: Any, body: bytes, proto: Any) -> None:
        """Have the hands answer; a replay of what still runs waits without a thread of theirs, and is answered then."""
        loop = asyncio.get_running_loop()
        end = loop.time() + self._waiting.seconds
        while True:
            may_wait = self._waiting.has_room and loop.time() < end
            plain = describe_request(scope, body)
            running = await self._handing.answer(plain, body, proto, may_wait=may_wait)
            if running is None:
                return
            await self._waiting.wait(running, end)
