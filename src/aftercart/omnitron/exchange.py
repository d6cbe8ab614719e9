"""The calls of one dialogue: log-in, breaker, one line of log for each, and what the answer means."""

import json
import logging
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aftercart.lib.correlation import get_request_id
from aftercart.omnitron.answers import judge, judge_silence
from aftercart.omnitron.tokens import TokenKeeper
from aftercart.oms.errors import Code, NotSent, OmsError, Refused
from aftercart.oms.meter import count_call
from aftercart.outbound.breaker import Breaker
from aftercart.outbound.deadline import Deadline
from aftercart.outbound.pulse import Pulse
from aftercart.outbound.transport import SAFE_METHODS, DeadlineTransport, NoAnswer
from aftercart.outbound.wire import Guard

logger = logging.getLogger("aftercart.omnitron")


@dataclass(frozen=True, slots=True)
class Reply:
    """A success: its HTTP status and its JSON, None if the body was empty."""

    status: int
    json: Any


@dataclass(frozen=True, slots=True)
class _Call:
    method: str
    path: str
    params: Mapping[str, str | int]
    body: Mapping[str, Any] | None
    secrets: Iterable[str]
    guard: Guard | None = None

    @property
    def is_read(self) -> bool:
        return self.method in SAFE_METHODS


@dataclass(frozen=True, slots=True)
class Shared:
    """What all dialogues of a process share. `may_write` is asked before each write, unless it is None."""

    tokens: TokenKeeper
    breaker: Breaker
    pulse: Pulse
    may_write: Callable[[], bool] | None = None


class Exchange:
    """Everything that one dialogue says. For one thread."""

    def __init__(
        self,
        *,
        transport: DeadlineTransport,
        deadline: Deadline,
        root: str,
        username: str,
        password: str,
        shared: Shared,
    ) -> None:
        self.deadline = deadline
        self._transport = transport
        self._root = root
        self._username = username
        self._password = password
        self._shared = shared
        self._is_closed = False

    def close(self) -> None:
        """End it; a call after this is a mistake in our code."""
        self._is_closed = True
        self._transport.close()

    def call(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, str | int] | None = None,
        body: Mapping[str, Any] | None = None,
        secrets: Iterable[str] = (),
        guard: Guard | None = None,
    ) -> Reply:
        """Make one call, logging in around it where needed. `path` is relative to the API's root.

        `secrets` are texts of the body that must not come back in an error's sentences. `guard` is asked right before
        it is sent; if it says no, nothing is, which is `NotSent`.
        """
        if self._is_closed:
            raise RuntimeError("the dialogue is over: calls belong inside its `with`")
        if self.deadline.expired:
            raise NotSent("The time for the dialogue with Omnitron is over.", code=Code.DEADLINE_OVER)
        call = _Call(method, path, params or {}, body, secrets, guard)
        breaker, pulse, may_write = self._shared.breaker, self._shared.pulse, self._shared.may_write
        if not call.is_read and may_write is not None and not may_write():
            raise NotSent("Sending to Omnitron is on hold.", code=Code.ON_HOLD)
        permit = breaker.admit()
        try:
            reply = self._call_with_token(call)
        except OmsError as error:
            if error.is_outage:
                breaker.record_failure(permit)
                pulse.record_failure(is_read=call.is_read)
            elif error.status is None:
                breaker.record_nothing(permit)
            else:
                breaker.record_success(permit)
                pulse.record_success(is_read=call.is_read)
            raise
        except BaseException:
            breaker.record_nothing(permit)
            raise
        breaker.record_success(permit)
        pulse.record_success(is_read=call.is_read)
        return reply

    def _call_with_token(self, call: _Call) -> Reply:
        token = self._shared.tokens.get(self._log_in, self.deadline)
        try:
            return self._send(call, token)
        except NotSent as error:
            if error.code != Code.UNAUTHORIZED or not self._username:
                raise
        # A 401 was not applied, so even a write may be sent again, with one new token, once.
        token = self._shared.tokens.get(self._log_in, self.deadline, stale=token)
        return self._send(call, token)

    def _log_in(self) -> str:
        if not self._username:
            raise NotSent("There are no credentials to log in to Omnitron with.", code=Code.LOGIN_FAILED)
        body = {"username": self._username, "password": self._password}
        try:
            reply = self._send(_Call("POST", "auth/login/", {}, body, (self._password,)), token="")
        except OmsError as error:
            # Whatever became of the log-in, the call that needed it has not been sent.
            is_refused = isinstance(error, Refused) or error.code == Code.UNAUTHORIZED
            raise NotSent(
                "Omnitron refused our log-in." if is_refused else error.detail,
                code=Code.LOGIN_FAILED if is_refused else error.code,
                status=error.status,
                retry_after=error.retry_after if isinstance(error, NotSent) else None,
            ) from error
        key = reply.json.get("key") if isinstance(reply.json, dict) else None
        if not isinstance(key, str) or not key.isascii() or not key.isprintable() or not key.strip():
            raise NotSent("Omnitron's log-in gave no token.", code=Code.LOGIN_FAILED, status=reply.status)
        return key

    def _send(self, call: _Call, token: str) -> Reply:
        headers = {"Accept": "application/json", "User-Agent": "Aftercart"}
        request_id = get_request_id()
        if request_id:
            headers["X-Request-ID"] = request_id
        if token:
            headers["Authorization"] = f"Token {token}"
        content = None
        if call.body is not None:
            headers["Content-Type"] = "application/json"
            content = json.dumps(call.body, separators=(",", ":"), allow_nan=False).encode()
        count_call()
        began = time.monotonic()
        status: int | None = None
        outcome = "ok"
        try:
            answer = self._transport.send(
                call.method,
                self._root + call.path,
                params=call.params,
                headers=headers,
                content=content,
                guard=call.guard,
            )
            status = answer.status
            return Reply(status, judge(answer, is_read=call.is_read, secrets=call.secrets))
        except NoAnswer as silence:
            status = silence.status
            error = judge_silence(silence, is_read=call.is_read)
            outcome = f"{type(error).__name__} {error.code}"
            raise error from silence
        except OmsError as error:
            outcome = f"{type(error).__name__} {error.code}"
            raise
        finally:
            logger.info(
                "%s %s %s %.0f ms %s",
                call.method,
                call.path,
                status or "-",
                (time.monotonic() - began) * 1000,
                outcome,
            )
