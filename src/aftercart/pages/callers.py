"""How a form sent twice is recognised: by the key that was rendered with it (contract section 3.5)."""

import re
import secrets
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlencode

from django.http import HttpRequest

from aftercart.accounts.models import User
from aftercart.actions.commands import Caller
from aftercart.lib.fingerprints import list_fingerprints
from aftercart.orders.guests import Guest

KEY_FIELD = "idempotency_key"
_KEY = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class HiddenField:
    """What was typed in another step, and travels with the form."""

    name: str
    value: Any


def make_key() -> str:
    """Make a key for a form that is shown anew."""
    return secrets.token_hex(16)


def read_key(request: HttpRequest) -> str:
    """Read the key that came with a form; "" for one that we have not made."""
    key = request.POST.get(KEY_FIELD, "")
    return key if _KEY.fullmatch(key) else ""


def read_page_caller(request: HttpRequest, user: User | None, guest: Guest | None = None) -> Caller:
    """Read who writes, a customer or a guest, and what.

    The digest is of the path and of every field but the CSRF token.
    """
    pairs = sorted(
        (name, value)
        for name, values in request.POST.lists()
        if name != "csrfmiddlewaretoken"
        for value in values
    )
    fingerprint, *older = list_fingerprints(request.path, urlencode(pairs, errors="surrogatepass"))
    return Caller(user, fingerprint, read_key(request), guest, tuple(older))
