"""Signed, expiring, revocable order links (contract section 2).

A token is Django's `TimestampSigner` form `number:timestamp:signature`, URL-safe. The salt carries the
purpose, so that a link made for one purpose opens nothing else, and the order's `link_version`, so that
raising the version revokes every link of that order. Keys rotate through `SECRET_KEY_FALLBACKS`.
"""

from datetime import UTC, datetime, timedelta
from typing import Literal
from urllib.parse import quote

from django.core import signing

from aftercart.lib.clock import get_now

Purpose = Literal["completed", "guest-view", "guest-cancel"]

#: How far ahead of ours the clock of the machine that signed may be, in seconds.
CLOCK_TOLERANCE = 5


class LinkInvalid(Exception):
    """The token is malformed, forged, expired, revoked, from the future, or made for another purpose."""


def _signer(purpose: Purpose, link_version: int) -> signing.TimestampSigner:
    return signing.TimestampSigner(salt=f"aftercart.links:{purpose}:{link_version}")


def sign_number(number: str, *, purpose: Purpose, link_version: int) -> str:
    """Make the token of a link to the order `number`: `number:timestamp:signature`."""
    return _signer(purpose, link_version).sign(number)


def quote_token(token: str) -> str:
    """Return a token as a part of an URL's path: a number may hold what would end it there, as in `#1001`."""
    return quote(token, safe=":@")


def peek_number(token: str) -> str:
    """Read the number that a token claims to be for, unverified: only good for finding the link version."""
    return token.rsplit(":", 2)[0]


def read_signed_at(token: str) -> datetime:
    """Read when a token that `check_token` has verified was signed."""
    return datetime.fromtimestamp(signing.b62_decode(token.rsplit(":", 2)[1]), UTC)


def check_token(token: str, *, purpose: Purpose, link_version: int, life: timedelta) -> str:
    """Verify a token and return its order number.

    Raises `LinkInvalid` for every kind of miss. A timestamp from the future is refused, which Django's
    signer alone would accept: its age is negative and so below any limit.
    """
    signer = _signer(purpose, link_version)
    try:
        number = signer.unsign(token, max_age=life)
        signed_at = signing.b62_decode(token.rsplit(":", 2)[1])
    except (signing.BadSignature, ValueError, IndexError) as error:
        raise LinkInvalid from error
    if signed_at > get_now().timestamp() + CLOCK_TOLERANCE:
        raise LinkInvalid
    return number
