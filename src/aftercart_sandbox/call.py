"""One call of the API as a handler sees it, and the answer it gives. Handlers are plain functions."""

import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any

from yarl import URL

from aftercart_sandbox.errors import ApiError
from aftercart_sandbox.store import Store


@dataclass(frozen=True)
class Options:
    """What the command line decides; see ``python -m aftercart_sandbox --help``. Durations are in seconds."""

    username: str = "aftercart"
    password: str = "sandbox"  # noqa: S105  # the documented default of a sandbox
    token_life: float = 86400
    login_failures: int = 5
    login_pause: float = 60
    address_path: str = "change_address"


@dataclass(frozen=True)
class Call:
    """A received call.

    ``number`` is its place in the call log, ``path`` the variables of its address, ``query`` its parameters
    (the last of a repeated one counts, as in Django), ``raw`` its body. A call of an older ``generation``
    than the store's arrived before a reset.
    """

    name: str
    number: int
    generation: int
    method: str
    url: URL
    path: Mapping[str, str]
    query: Mapping[str, str]
    raw: bytes
    authorization: str
    store: Store
    options: Options

    @property
    def channel(self) -> int:
        """The sales channel that the address names."""
        return int(self.path["channel"])

    @property
    def pk(self) -> int:
        """The key that the address names."""
        return int(self.path["pk"])

    def json(self) -> Any:
        """Return the parsed body, or raise DRF's 400 for one that is not JSON."""
        return parse(self.raw)


@dataclass(frozen=True)
class Reply:
    """What a handler answers: an HTTP status and a JSON body."""

    body: Any
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)

    @property
    def is_success(self) -> bool:
        """Whether the status is neither a client's nor a server's error."""
        return self.status < HTTPStatus.BAD_REQUEST


Handler = Callable[[Call], Reply]


def parse(raw: bytes) -> Any:
    """Return the JSON in ``raw``; an empty body is an empty object, anything unreadable a 400."""
    try:
        value = json.loads(raw or b"{}", parse_constant=_refuse_constant)
        if b"\\ud" in raw.lower():
            json.dumps(value, ensure_ascii=False).encode()  # half a surrogate pair is no text
    except (ValueError, RecursionError) as error:
        raise ApiError(400, {"detail": f"JSON parse error - {error}", "code": "parse_error"}) from None
    return value


def _refuse_constant(name: str) -> None:
    raise ValueError(name)
