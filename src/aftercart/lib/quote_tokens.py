"""Signed quotes: what somebody was told, in a form that they can bring back and nobody can change.

A token is Django's signed JSON, URL-safe; keys rotate through `SECRET_KEY_FALLBACKS`.
"""

import hashlib
import json
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any, Final

from django.core import signing

_SALT: Final = "aftercart.promises"  # the first name, so that no quote that is still open becomes void


class QuoteTokenInvalid(Exception):
    """The token is malformed or forged."""


@dataclass(frozen=True, slots=True)
class QuoteToken:
    """What was quoted: to whom, about which order in which version, for what (a digest), how much (another).

    `expires` is in seconds since 1970.
    """

    user: int
    order: int
    version: int
    asks: str
    amounts: str
    expires: int

    @property
    def expires_at(self) -> datetime:
        """Return when it ends."""
        return datetime.fromtimestamp(self.expires, UTC)


def digest(value: Any) -> str:
    """Digest a JSON value, whatever the order of its keys."""
    text = json.dumps(value, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def sign_quote(binding: QuoteToken) -> str:
    """Make the token."""
    return signing.dumps(asdict(binding), salt=_SALT)


def read_quote(token: str) -> QuoteToken:
    """Read a token, expired or not. Raises `QuoteTokenInvalid`."""
    try:
        return QuoteToken(**signing.loads(token, salt=_SALT))
    except (signing.BadSignature, TypeError, ValueError) as error:
        raise QuoteTokenInvalid from error
