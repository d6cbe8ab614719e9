"""Faults: what can be made to go wrong with a call, in which order, and how it is done to the connection."""

import asyncio
import json
import random
import secrets
from dataclasses import asdict, dataclass, fields
from http import HTTPStatus
from typing import Any, get_args, get_origin

from aftercart_sandbox.errors import invalid
from aftercart_sandbox.store import Row, Store, dump
from aftercart_sandbox.tables import CALLS

KINDS = {
    "latency": "waits `seconds`, then works; with `after: true` it works first and waits before answering",
    "drop_before": "the connection is aborted before anything is applied",
    "drop_after": "the call is applied, then the connection is aborted without an answer",
    "status": "answers `status` and `body` without applying anything",
    "status_after": "applies the call, then answers `status` and `body`",
    "trickle": "applies the call and sends the answer a byte at a time over `seconds`",
    "malformed": "applies the call and answers 200 with broken JSON",
    "hang": "applies nothing and never answers, until the client leaves",
}
"""Every kind of fault and what it does; the list is closed."""

BEFORE = frozenset({"drop_before", "status", "hang"})
"""The kinds that apply nothing."""

_HTML = "<html><head><title>{0}</title></head><body><h1>{0}</h1><hr>nginx</body></html>"
_TITLES = {
    500: "Internal Server Error",
    502: "Bad Gateway",
    503: "Service Unavailable",
    504: "Gateway Time-out",
}
_FOREVER = -1
_LONGEST = 3600
_STATUSES = range(200, 600)


@dataclass(frozen=True)
class Fault:
    """A fault as it was asked for. ``times`` -1 is for ever; ``skip`` lets the first matching calls pass.

    ``body`` may be a string or, sent as JSON, anything else; None is a gateway's HTML page (or DRF's words
    below 500). ``probability`` is 0..1, drawn from ``seed`` so that the same seed fails the same calls.
    """

    kind: str
    call: str = "*"
    times: int = 1
    skip: int = 0
    seconds: float = 1.0
    status: int = 502
    body: Any = None
    content_type: str | None = None
    headers: dict[str, str] | None = None
    after: bool = False
    probability: float = 1.0
    seed: int = 0

    def answer(self) -> tuple[int, bytes, dict[str, str]]:
        """Return status, body and headers of the kinds that answer by themselves."""
        body, content_type = self.body, "text/html; charset=utf-8"
        if body is None and self.status >= HTTPStatus.INTERNAL_SERVER_ERROR:
            body = _HTML.format(f"{self.status} {_TITLES.get(self.status, 'Error')}")
        elif not isinstance(body, str):
            body = dump({"detail": "Injected by a fault.", "code": "injected"} if body is None else body)
            content_type = "application/json"
        headers = {"Content-Type": self.content_type or content_type}
        return self.status, body.encode(), headers | (self.headers or {})


_DEFAULTS = {field.name: field for field in fields(Fault)}


def read_fault(body: Any) -> Fault:
    """Return the fault that a JSON object describes, or raise a 400 naming what is wrong."""
    if not isinstance(body, dict):
        raise invalid("non_field_errors", "Expected a dictionary.")
    given = {name: value for name, value in body.items() if value not in (None, "")}
    for name, value in given.items():
        if name not in _DEFAULTS:
            raise invalid(name, f"Unknown. A fault has {', '.join(_DEFAULTS)}.")
        given[name] = _typed(name, value)
    if given.get("kind") not in KINDS:
        raise invalid("kind", f"One of {', '.join(KINDS)}.")
    if given.get("call", "*") not in (*CALLS, "*"):
        raise invalid("call", f"One of {', '.join(CALLS)} or *.")
    if "probability" in given and "seed" not in given:
        given["seed"] = secrets.randbelow(2**31)
    fault = Fault(**given)
    if not 0 <= fault.probability <= 1:
        raise invalid("probability", "Between 0 and 1.")
    if not 0 <= fault.seconds <= _LONGEST:
        raise invalid("seconds", f"Between 0 and {_LONGEST}.")
    if not (fault.times >= _FOREVER and fault.skip >= 0 and fault.status in _STATUSES):
        raise invalid("non_field_errors", "times is -1 or more, skip 0 or more, status 200 to 599.")
    return fault


def _typed(name: str, value: Any) -> Any:
    wanted = _DEFAULTS[name].type
    if wanted is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    kinds = get_args(wanted) or (wanted,)
    if wanted is Any or isinstance(value, tuple(get_origin(kind) or kind for kind in kinds)):
        if isinstance(value, bool) and wanted is not bool and wanted is not Any:
            raise invalid(name, "Not a boolean.")
        if isinstance(value, dict) and name == "headers":
            return {str(key): str(text) for key, text in value.items()}
        return value
    raise invalid(name, f"Not a valid value: {value!r}.")


def add_fault(store: Store, fault: Fault) -> int:
    """Keep a fault durably and return its id; faults are tried in the order they were added."""
    return store.insert("faults", {"spec": dump(asdict(fault))})


def list_faults(store: Store) -> list[dict[str, Any]]:
    """Return every fault as it was asked for, with ``id``, ``used`` and ``left`` (-1 for ever)."""
    return [fault_json(row) for row in store.all("SELECT * FROM faults ORDER BY id")]


def fault_json(row: Row) -> dict[str, Any]:
    """Return one fault with what became of it."""
    spec = json.loads(row["spec"])
    left = spec["times"] if spec["times"] == _FOREVER else spec["times"] - row["used"]
    return {"id": row["id"], **spec, "used": row["used"], "left": left}


def choose(store: Store, call: str) -> tuple[int | None, Fault | None]:
    """Return the fault that strikes this call, with its id; all that match count it, the first strikes."""
    struck: tuple[int | None, Fault | None] = (None, None)
    for row in store.all("SELECT * FROM faults ORDER BY id"):
        fault = Fault(**json.loads(row["spec"]))
        if fault.call not in ("*", call):
            continue
        store.run("UPDATE faults SET seen = seen + 1 WHERE id = ?", row["id"])
        spent = fault.times != _FOREVER and row["used"] >= fault.times
        if struck[1] is not None or spent or row["seen"] < fault.skip:
            continue
        draw = random.Random(f"{fault.seed}:{row['seen']}").random()  # noqa: S311  # repeatable, not secret
        if draw < fault.probability:
            store.run("UPDATE faults SET used = used + 1 WHERE id = ?", row["id"])
            struck = row["id"], fault
    return struck


class Hangers:
    """The connections that hang; one sweep over all notices who left, so that hundreds cost nothing."""

    def __init__(self) -> None:
        self._waiting: dict[asyncio.Future[None], asyncio.Transport] = {}

    async def wait_until_gone(self, transport: asyncio.Transport | None) -> None:
        """Return when the client has left."""
        if transport is None or transport.is_closing():
            return
        gone: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting[gone] = transport
        try:
            await gone
        finally:
            self._waiting.pop(gone, None)

    async def sweep(self) -> None:
        """Wake those whose client has left; runs for as long as the server does."""
        while True:
            await asyncio.sleep(0.1)
            for gone, transport in list(self._waiting.items()):
                if transport.is_closing() and not gone.done():
                    gone.set_result(None)
