"""HTML or JSON: how a request says which it wants (contract section 1)."""

from collections.abc import Callable
from typing import Any, Final, Literal

from django.core.exceptions import SuspiciousOperation
from django.db import DataError
from django.http import Http404, HttpRequest, HttpResponseBase
from django.utils.cache import patch_vary_headers

#: What only a client's input makes of a request that is otherwise fine: text that is none, a number no column holds.
UNDECODABLE = (UnicodeError, DataError)

#: The longest `Idempotency-Key` (contract section 3.5). Pages carry a key of their own, in the form.
LONGEST_KEY: Final = 255

View = Callable[..., HttpResponseBase]


def choose_format(request: HttpRequest) -> Literal["html", "json"]:
    """Return what to answer with: HTML, unless `?format=json`, `Accept: application/json` or a JSON body.

    Raises Http404 for any other `format`, as Django REST framework does.
    """
    named = request.GET.get("format")
    if named is not None:
        if named == "json":
            return "json"
        if named in {"html", "api"}:
            return "html"
        raise Http404
    if request.content_type == "application/json":
        return "json"
    # A browser lists text/html; a client that wants JSON names it, first or alone.
    preferred = request.get_preferred_type(["text/html", "application/json"])
    return "json" if preferred == "application/json" else "html"


def wants_json(request: HttpRequest) -> bool:
    """Return whether the answer should be JSON, where nothing that cannot be read may be an error (error pages)."""
    try:
        return choose_format(request) == "json"
    except (Http404, SuspiciousOperation):
        return False


def names_html(request: HttpRequest) -> bool:
    """Return whether `Accept` names text/html itself, as every browser's does and no program's.

    Only they are redirected: a storefront's middlewares ask for `*/*`, without cookies, and follow every `Location`.
    """
    return any((kind.main_type, kind.sub_type) == ("text", "html") for kind in request.accepted_types)


def by_format(*, html: View, json: View) -> View:
    """Make one view of two: the page for browsers, the API for everybody else."""

    def dispatch(request: HttpRequest, *args: Any, **kwargs: Any) -> HttpResponseBase:
        # What no form can send is a program's, whatever it accepts.
        is_program = request.method in {"PUT", "PATCH", "DELETE"}
        view = json if choose_format(request) == "json" or is_program else html
        if view is html and len(request.headers.get("Idempotency-Key", "").strip()) > LONGEST_KEY:
            raise SuspiciousOperation("The Idempotency-Key is too long.")  # no browser's: programs rely on it
        response = view(request, *args, **kwargs)
        patch_vary_headers(response, ["Accept"])
        return response

    # Both views check for themselves: Django REST framework's session authentication, Django's decorator.
    dispatch.csrf_exempt = True  # type: ignore[attr-defined]  # a mark that Django and we read
    dispatch.json_view = json  # type: ignore[attr-defined]  # a mark that Django and we read
    return dispatch
