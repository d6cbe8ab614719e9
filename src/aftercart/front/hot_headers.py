"""The headers of an answer that Django has not given: those that its middleware adds to one like it, asked for once."""

from dataclasses import dataclass
from io import BytesIO
from typing import Any, Final, Literal

from django.conf import settings
from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.middleware.csrf import CsrfViewMiddleware, get_token
from django.urls import re_path
from django.utils.cache import patch_vary_headers
from django.utils.http import http_date
from django.views.decorators.cache import never_cache
from django.views.decorators.csrf import csrf_protect

from aftercart.lib.etags import PRIVATE_REVALIDATED

Headers = list[tuple[str, str]]
#: An order, the 304 in its place, a list of orders, and an order's page.
Kind = Literal["order", "unchanged", "list", "page"]


@dataclass(frozen=True, slots=True)
class Template:
    """Headers, and the places of those that are another in each answer."""

    headers: Headers
    request_id: int
    etag: int | None
    length: int | None
    expires: int | None

    def fill(self, request_id: str, *, etag: str = "", length: int = 0) -> Headers:
        """Write the headers of one answer."""
        headers = self.headers.copy()
        headers[self.request_id] = ("X-Request-ID", request_id)
        if self.etag is not None:
            headers[self.etag] = ("ETag", etag)
        if self.length is not None:
            headers[self.length] = ("Content-Length", str(length))
        if self.expires is not None:
            headers[self.expires] = ("Expires", http_date())
        return headers


class Templates:
    """The headers of each kind of answer, as a Django application gives them."""

    def __init__(self, application: WSGIHandler) -> None:
        self._application = application
        self._known: dict[tuple[Kind, str, bool], Template] = {}

    def get(self, kind: Kind, language: str, host: str, *, is_secure: bool) -> Template:
        """Get those of a kind of answer in JSON. `host` is one that is allowed."""
        known = self._known.get((kind, language, is_secure))
        if known is None:
            known = self._known[kind, language, is_secure] = self._make(
                kind, language, host, is_secure=is_secure
            )
        return known

    def _make(self, kind: Kind, language: str, host: str, *, is_secure: bool) -> Template:
        environ: dict[str, Any] = {
            "REQUEST_METHOD": "GET",
            "PATH_INFO": "/",
            "HTTP_HOST": host,
            "HTTP_ACCEPT_LANGUAGE": language,
            "wsgi.url_scheme": "https" if is_secure else "http",
            "wsgi.input": BytesIO(),
        }
        request = WSGIRequest(environ)
        # Through all of the middleware, to a view of ours.
        request.urlconf = _Urls(kind)  # type: ignore[assignment]  # anything with `urlpatterns`
        response = self._application.get_response(request)
        headers = list(response.items())
        places = {name.lower(): place for place, (name, _value) in enumerate(headers)}
        return Template(
            headers,
            places["x-request-id"],
            places.get("etag"),
            places.get("content-length"),
            places.get("expires"),
        )


@dataclass(frozen=True)
class _Urls:
    """A URL configuration of one view, which answers as the API does with an order."""

    kind: Kind

    @property
    def urlpatterns(self) -> list[Any]:
        return [re_path("", self._answer)]

    def _answer(self, request: HttpRequest) -> HttpResponse:
        request.session.accessed = True
        if self.kind == "page":
            page = _answer_page(request)
            patch_vary_headers(page, ["Accept"])
            return page
        is_unchanged = self.kind == "unchanged"
        response = HttpResponseNotModified() if is_unchanged else HttpResponse(content_type=_JSON)
        if self.kind != "list":
            response.headers["Cache-Control"] = PRIVATE_REVALIDATED
            response.headers["ETag"] = "-"
        response.headers["Allow"] = "GET, HEAD, OPTIONS"
        patch_vary_headers(response, ["Accept"])
        return response


@never_cache
@csrf_protect
def _answer_page(request: HttpRequest) -> HttpResponse:
    get_token(request)
    return HttpResponse()


def write_csrf_cookie(request: HttpRequest) -> tuple[str, str]:
    """Write the header by which Django sets, or prolongs, the cookie of a token that was taken for a page."""
    response = HttpResponse()
    CsrfViewMiddleware(lambda _request: response).process_response(request, response)
    return "Set-Cookie", response.cookies[settings.CSRF_COOKIE_NAME].output(header="")


_JSON: Final = "application/json"
