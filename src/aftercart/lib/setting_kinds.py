"""The kinds of values that settings have: what each allows, and how its text is read."""

import re
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from datetime import date
from decimal import Decimal, InvalidOperation
from email.utils import parseaddr
from importlib.util import find_spec
from ipaddress import IPv4Network, IPv6Network, ip_network
from math import isfinite
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from aftercart.lib.codes import COUNTRIES, CURRENCIES
from aftercart.lib.database_url import read_database_url
from aftercart.lib.mail_server import parse_mail_url

_YES: Final = {"1", "true", "yes", "on"}
_NO: Final = {"0", "false", "no", "off"}
_HOST: Final = re.compile(r"(?!-)[A-Za-z0-9-]{1,63}(?<!-)(\.(?!-)[A-Za-z0-9-]{1,63}(?<!-))*")
#: Of a key: what is signed or encrypted with it can be tried by whoever has it, as often as they like. Of a token,
#: which is only ever sent to us.
KEY_LENGTH: Final = 32
TOKEN_LENGTH: Final = 16
_FEWEST_CHARACTERS: Final = 8
_LONGEST: Final = 10**6
#: Files of a system's database that `zoneinfo.available_timezones()` leaves out as well; to ask it reads all 600.
_NO_ZONES: Final = {"posix", "right", "posixrules"}


@dataclass(frozen=True, slots=True)
class Kind:
    """How a setting is read.

    `read` gives its value, of a text and of whether this is production, or raises `ValueError` with what it has to
    be ("a number"). Texts of secrets are never told. `empty` is the value of an empty text.
    """

    read: Callable[[str, bool], Any]
    is_secret: bool = False
    empty: Any = ""


def _one(read: Callable[[str], Any], **more: Any) -> Kind:
    return Kind(lambda text, _is_production: read(text), **more)


def _each(kind: Kind, collect: Callable[[Iterable[Any]], Any] = list) -> Kind:
    """Make the kind of a list, separated by commas, of such values."""

    def read(text: str, is_production: bool) -> Any:  # noqa: FBT001 - as every kind is read
        return collect(kind.read(word.strip(), is_production) for word in text.split(",") if word.strip())

    return Kind(read, is_secret=kind.is_secret, empty=collect(()))


def choice(*values: str) -> Kind:
    """Make the kind of one of these words, to the letter."""

    def read(text: str) -> str:
        if text not in values:
            raise ValueError(" or ".join([", ".join(values[:-1]), values[-1]] if values[1:] else values))
        return text

    return _one(read)


def number(least: float = 0, most: float = _LONGEST, *, is_whole: bool = True) -> Kind:
    """Make the kind of a number from `least` to `most`."""

    def read(text: str) -> float:
        try:
            value = float(text)
        except ValueError:
            raise ValueError("a number") from None
        if not isfinite(value) or not least <= value <= most:
            raise ValueError(f"a number from {least:g} to {most:.0f}")
        if is_whole and value != int(value):
            raise ValueError("a whole number")
        return value

    return _one(read)


def _read_flag(text: str) -> bool:
    if text.lower() not in _YES | _NO:
        raise ValueError("true or false")
    return text.lower() in _YES


def _read_amount(text: str) -> Decimal:
    try:
        value = Decimal(text)
    except InvalidOperation:
        raise ValueError("an amount, as in 1500.00") from None
    if not value.is_finite() or not 0 <= value < _LONGEST**2:
        raise ValueError("an amount from 0 on")
    return value


def _read_line(text: str) -> str:
    if not text.isprintable():
        raise ValueError("one line without control characters")
    return text


def _read_folder(text: str) -> Path:
    folder = Path(text).resolve()
    if not folder.is_dir():
        raise ValueError("a folder that is there")
    return folder


def _read_day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise ValueError("days as in 2026-04-23") from None


def _read_network(text: str) -> IPv4Network | IPv6Network:
    try:
        return ip_network(text)
    except ValueError:
        raise ValueError("addresses or networks, as in 192.0.2.10,10.1.0.0/16") from None


def _read_zone(text: str) -> str:
    with suppress(KeyError, ValueError, OSError):  # no such name, a path, a folder of the database
        if ZoneInfo(text).key.split("/")[0] not in _NO_ZONES:
            return text
    raise ValueError("a time zone of the IANA database, as in Europe/Istanbul")


def _read_module(text: str) -> str:
    try:
        is_there = find_spec(text) is not None
    except (ImportError, ValueError):
        is_there = False
    if not is_there:
        raise ValueError("a Python module that can be imported")
    return text


def _read_colour(text: str) -> str:
    if not re.fullmatch(r"#[0-9a-fA-F]{6}", text):
        raise ValueError("# and six hexadecimal digits")
    return text


def _read_country(text: str) -> str:
    if text.lower() not in COUNTRIES | {"*"}:
        raise ValueError("ISO 3166 codes of countries, as in de,tr, or *")
    return text.lower()


def _read_currency(text: str) -> str:
    if text.upper() not in CURRENCIES:
        raise ValueError("the ISO 4217 code of a currency, as in TRY")
    return text.upper()


def _read_sender(text: str) -> str:
    _name, address = parseaddr(_read_line(text))
    if not re.fullmatch(r"[^@\s<>,]+@[^@\s<>,]+", address):
        raise ValueError("an e-mail address, as in Shop <orders@example.com>")
    return text


def _is_host(name: str) -> bool:
    if name.startswith("["):
        return name.endswith("]") and _is_address(name[1:-1])
    return bool(_HOST.fullmatch(name))


def _is_address(text: str) -> bool:
    try:
        ip_network(text)
    except ValueError:
        return False
    return "/" not in text


def _read_bind(text: str) -> str:
    if not (_is_host(text) or _is_address(text)):
        raise ValueError("a host name or an address of this machine")
    return text


def _read_served_host(text: str, is_production: bool) -> str:  # noqa: FBT001 - as every kind is read
    if text == "*" and is_production:
        raise ValueError("names of hosts; * would serve whatever name a client makes up")
    if text != "*" and not _is_host(text.removeprefix(".")):
        raise ValueError("names of hosts, as in orders.example.com, without scheme or port")
    return text


def _split_url(text: str) -> tuple[str, str, str]:
    """Split a URL into scheme, host and the rest; all of them empty for what is none."""
    try:
        parts = urlsplit(text)
        _ = parts.port  # raises for what is no port
    except ValueError:
        return "", "", ""
    if any(sign.isspace() or sign in '<>"\\' for sign in text):
        return "", "", ""
    return parts.scheme, parts.hostname or "", text.partition("//")[2].partition("/")[2]


def url(*, is_origin: bool = False) -> Kind:
    """Make the kind of an address of a website or of an API; or only of its origin: scheme, host, port."""
    example = "https://shop.example.com"

    def read(text: str) -> str:
        scheme, host, rest = _split_url(text)
        named = host.removeprefix("*.") if is_origin else host
        if scheme not in {"http", "https"} or not (_is_host(named) or _is_address(named)) or "@" in text:
            raise ValueError(f"an http or https address, as in {example}")
        if "?" in text or "#" in text or (is_origin and rest):
            raise ValueError(
                f"an address without a path, as in {example}" if is_origin else "one without ? and #"
            )
        return text

    return _one(read)


def path(*, is_template: bool = False) -> Kind:
    """Make the kind of a path of an API; a template may hold `{channel_id}`."""

    def read(text: str) -> str:
        plain = text.replace("{channel_id}", "1") if is_template else text
        if not re.fullmatch(r"[A-Za-z0-9._~/:@%-]*", plain) or "//" in plain:
            raise ValueError(
                "a path, as in channel/{channel_id}/orders/" if is_template else "a path, as in /api/v1"
            )
        return text

    return _one(read)


def secret(shortest: int) -> Kind:
    """Make the kind of a secret, which in production is neither short nor simple nor somebody's example."""

    def read(text: str, is_production: bool) -> str:  # noqa: FBT001 - as every kind is read
        if not text.isprintable():
            raise ValueError("one line without control characters")
        if is_production and is_weak(text, shortest):
            raise ValueError(f"at least {shortest} random characters; `openssl rand -base64 48` makes some")
        return text

    return Kind(read, is_secret=True)


def is_weak(text: str, shortest: int) -> bool:
    """Return whether a secret is short, of few different characters, or Django's example."""
    return len(text) < shortest or len(set(text)) < _FEWEST_CHARACTERS or text.startswith("django-insecure-")


FLAG: Final = _one(_read_flag)
SECONDS: Final = number(0.001, is_whole=False)
DAYS: Final = number(0, 36_500, is_whole=False)
AMOUNT: Final = _one(_read_amount, empty=None)
LINE: Final = _one(_read_line)
PASSWORD: Final = _one(_read_line, is_secret=True)
FOLDER: Final = _one(_read_folder, empty=None)
DATES: Final = _each(_one(_read_day), frozenset)
NETWORKS: Final = _each(_one(_read_network), tuple)
ZONE: Final = _one(_read_zone)
MODULE: Final = _one(_read_module)
COLOUR: Final = _one(_read_colour)
COUNTRY_LIST: Final = _each(_one(_read_country), frozenset)
CURRENCY: Final = _one(_read_currency)
SENDER: Final = _one(_read_sender)
BIND: Final = _one(_read_bind)
HOSTS: Final = _each(Kind(_read_served_host))
ORIGINS: Final = _each(url(is_origin=True))
DATABASE: Final = _one(read_database_url, is_secret=True, empty=None)
MAIL_SERVER: Final = _one(parse_mail_url, is_secret=True, empty=None)
KEY: Final = secret(KEY_LENGTH)
KEYS: Final = _each(KEY)
TOKEN: Final = secret(TOKEN_LENGTH)
TOKENS: Final = _each(TOKEN)


def choices(*values: str) -> Kind:
    """Make the kind of some of these words, to the letter."""
    return _each(choice(*values), frozenset)
