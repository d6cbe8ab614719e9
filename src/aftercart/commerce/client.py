"""What the shop is asked, with a customer's own cookies or a token of ours: reads, each once, within a second."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

import httpx2

from aftercart.lib.foreign_json import read_foreign_json
from aftercart.oms.errors import Code, NotSent
from aftercart.outbound.breaker import Breaker
from aftercart.outbound.bulkhead import Bulkhead
from aftercart.outbound.deadline import Deadline
from aftercart.outbound.transport import DeadlineTransport, NoAnswer, RawAnswer

#: The shop's word that nobody is logged in with these cookies.
_NOBODY: Final = frozenset({401, 403})
_OK: Final = 200
_NOT_FOUND: Final = 404
#: A book of more pages than this is nobody's.
_MOST_PAGES: Final = 5
_PAGE: Final = 100


class CommerceUnavailable(Exception):
    """The shop gave no answer, or none that makes sense: nobody knows who is asking."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


@dataclass(frozen=True, slots=True)
class ShopUser:
    """A customer as the shop knows them. `is_email_verified` is false only where the shop says so."""

    pk: int
    email: str
    first_name: str = ""
    last_name: str = ""
    is_email_verified: bool = True


class Commerce(Protocol):
    """What is asked of the shop; `key` is the session key that the caller's cookies carry."""

    def read_user(self, key: str) -> ShopUser | None:
        """Read whose session it is; None: nobody's. Raises `CommerceUnavailable`."""

    def list_addresses(self, key: str) -> list[dict[str, Any]]:
        """List the customer's own addresses, as the shop writes them. Raises `CommerceUnavailable`."""

    def read_order(self, number: str) -> dict[str, Any] | None:
        """Find the shop's document of an order, with our token. Raises `CommerceUnavailable`."""


@dataclass(frozen=True, slots=True)
class Configuration:
    """Where the shop is, and how long and how often it may be asked."""

    url: str
    seconds: float
    most_calls: int
    breaker_failures: int
    breaker_seconds: float
    token: str = field(default="", repr=False)
    orders_path: str = "/api/v1/remote/1/orders/"


class HttpCommerce:
    """The client of one process: a breaker and a bulkhead of its own, so that the shop cannot hold the OMS up."""

    def __init__(self, configuration: Configuration) -> None:
        self.configuration = configuration
        self.breaker = Breaker(failures=configuration.breaker_failures, seconds=configuration.breaker_seconds)
        self._bulkhead = Bulkhead(configuration.most_calls)
        self._ssl_context = (
            httpx2.create_ssl_context(trust_env=False) if configuration.url.startswith("https:") else None
        )

    def read_user(self, key: str) -> ShopUser | None:
        """GET current_user/."""
        with self._session(_write_cookies(key)) as session:
            answer = session.get("/current_user/")
        if answer.status in _NOBODY:
            return None
        return _parse_user(_parse(answer))

    def list_addresses(self, key: str) -> list[dict[str, Any]]:
        """GET address/detailed/, page by page."""
        rows: list[dict[str, Any]] = []
        with self._session(_write_cookies(key)) as session:
            for page in range(1, _MOST_PAGES + 1):
                answer = session.get("/address/detailed/", page=page, limit=_PAGE)
                if answer.status in _NOBODY or (page > 1 and answer.status == _NOT_FOUND):
                    break
                body = _parse(answer)
                found = body.get("results")
                rows += [row for row in found if isinstance(row, dict)] if isinstance(found, list) else []
                if not body.get("next"):
                    break
        return rows

    def read_order(self, number: str) -> dict[str, Any] | None:
        """GET the list of orders by a number. Others, which an unknown filter lets through, count as none."""
        with self._session({"Authorization": f"Token {self.configuration.token}"}) as session:
            answer = session.get(self.configuration.orders_path, number=number)
        if answer.status == _NOT_FOUND:
            return None
        if answer.status in _NOBODY:
            raise CommerceUnavailable("token_refused")
        rows = _parse(answer).get("results")
        found = [row for row in rows if isinstance(row, dict)] if isinstance(rows, list) else []
        return next((row for row in found if str(row.get("number")) == number), None)

    @contextmanager
    def _session(self, headers: Mapping[str, str]) -> Iterator["_Session"]:
        """Ask within one deadline; what no answer is, speaks against the shop's health."""
        try:
            permit = self.breaker.admit()
        except NotSent as error:
            raise CommerceUnavailable(error.code) from error
        try:
            with self._bulkhead.place():
                transport = DeadlineTransport(
                    Deadline.after(self.configuration.seconds),
                    connect_seconds=self.configuration.seconds,
                    ssl_context=self._ssl_context,
                )
                try:
                    yield _Session(transport, self.configuration.url, headers)
                finally:
                    transport.close()
        except NotSent as error:  # the bulkhead: it says nothing about the shop
            self.breaker.record_nothing(permit)
            raise CommerceUnavailable(error.code) from error
        except NoAnswer as error:
            self.breaker.record_failure(permit)
            raise CommerceUnavailable(error.code) from error
        except CommerceUnavailable:
            self.breaker.record_failure(permit)
            raise
        except BaseException:
            self.breaker.record_nothing(permit)
            raise
        else:
            self.breaker.record_success(permit)


class _Session:
    def __init__(self, transport: DeadlineTransport, url: str, headers: Mapping[str, str]) -> None:
        self._transport = transport
        self._url = url.rstrip("/")
        self._headers = {
            "Host": urlsplit(url).netloc,
            "Accept": "application/json",
            "Accept-Encoding": "identity",
            "X-Requested-With": "XMLHttpRequest",
            **headers,
        }

    def get(self, path: str, **params: int | str) -> RawAnswer:
        answer = self._transport.send(
            "GET", f"{self._url}{path}", params=params, headers=self._headers, content=None
        )
        if answer.status in {_OK, _NOT_FOUND} | _NOBODY:
            return answer
        raise CommerceUnavailable(Code.SERVER_ERROR)


def _write_cookies(key: str) -> dict[str, str]:
    """Return a customer's cookies. A session key was checked before: it holds a to z and digits."""
    return {"Cookie": f"sessionid={key}; osessionid={key}"}


def _parse(answer: RawAnswer) -> Mapping[str, Any]:
    try:
        body = read_foreign_json(answer.body)
    except ValueError as error:
        raise CommerceUnavailable(Code.NOT_JSON) from error
    if answer.status != _OK or not isinstance(body, dict):
        raise CommerceUnavailable(Code.MALFORMED)
    return body


def _parse_user(body: Mapping[str, Any]) -> ShopUser | None:
    """Read who it is; a shop that answers anybody says by an empty `pk` that it is nobody."""
    pk, email = body.get("pk", body.get("id")), body.get("email")
    if not pk:
        return None
    if isinstance(pk, bool) or not isinstance(pk, int) or not isinstance(email, str) or "@" not in email:
        raise CommerceUnavailable(Code.MALFORMED)
    return ShopUser(
        pk=pk,
        email=email[:254],
        first_name=str(body.get("first_name") or "")[:150],
        last_name=str(body.get("last_name") or "")[:150],
        is_email_verified=body.get("is_email_verified", body.get("email_verified", True)) is not False,
    )
