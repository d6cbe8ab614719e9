"""A form that was sent without a session any more: kept through the log-in, and offered again after it.

It travels signed in a field of the log-in page, so that nothing is stored of somebody who is nobody yet.
"""

from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import urlsplit

from django.core import signing
from django.http import HttpRequest
from django.middleware.csrf import CsrfViewMiddleware

KEPT_FIELD: Final = "kept"
_SALT: Final = "aftercart.pages.kept"
_LIFE_SECONDS: Final = 3600
#: A larger form is not kept: the log-in page would become too large to be sent.
_MOST_CHARACTERS: Final = 60_000
_NOT_KEPT: Final = frozenset({"csrfmiddlewaretoken", KEPT_FIELD, "password"})


@dataclass(frozen=True, slots=True)
class KeptForm:
    """Where a form was sent to, and its fields as they were typed."""

    target: str
    fields: list[tuple[str, str]]


def keep_form(request: HttpRequest) -> str:
    """Sign what was sent; "" for what is no form, is too large, or has files, which cannot be offered again."""
    if request.method != "POST" or request.FILES:
        return ""
    fields = [
        (name, value) for name, values in request.POST.lists() if name not in _NOT_KEPT for value in values
    ]
    token = signing.dumps([request.get_full_path(), fields], salt=_SALT, compress=True)
    return token if fields and len(token) <= _MOST_CHARACTERS else ""


def read_kept_form(request: HttpRequest) -> KeptForm | None:
    """Read the form that came with a log-in; None for none, or one that is not ours or too old."""
    token = request.POST.get(KEPT_FIELD, "")
    try:
        target, fields = signing.loads(token, salt=_SALT, max_age=_LIFE_SECONDS)
        return KeptForm(str(target), [(str(name), str(value)) for name, value in fields])
    except (signing.BadSignature, ValueError, TypeError):
        return None


def is_from_here(request: HttpRequest) -> bool:
    """Return whether the browser says that one of our own pages sent this: then it may be kept without a token."""
    origin = request.headers.get("Origin", "")
    check: Any = CsrfViewMiddleware(lambda _request: None)  # type: ignore[arg-type]  # never called
    return bool(urlsplit(origin).netloc) and bool(check._origin_verified(request))  # noqa: SLF001 - Django's own judgement
