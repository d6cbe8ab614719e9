"""The headers of an answer that Django has not given: those that its middleware adds to one like it, asked for once."""

from dataclasses import dataclass
from http import HTTPStatus
from io import BytesIO
from typing import Any, Final

from django.core.handlers.wsgi import WSGIHandler, WSGIRequest
from django.http import HttpRequest, HttpResponse, HttpResponseNotModified
from django.urls import re_path
from django.utils.cache import patch_vary_headers

from aftercart.lib.etags import PRIVATE_REVALIDATED

Headers = list[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Template:
    """Headers, and the places of those that are another in each answer."""

    headers: Headers
    etag: int
    request_id: int
    length: int | None

    def fill(self, etag: str, request_id: str, length: int = 0) -> Headers:
        """Write the headers of one answer."""
        headers = self.headers.copy()
        headers[self.etag] = ("ETag", etag)
        headers[self.request_id] = ("X-Request-ID", request_id)
        if self.length is not None:
            headers[self.length] = ("Content-Length", str(length))
        return headers


class Templates:
    """The headers of each kind of answer, as a Django application gives them."""

    def __init__(self, application: WSGIHandler) -> None:
        self._application = application
        self._known: dict[tuple[str, bool, bool], Template] = {}

    def get(self, language: str, host: str, *, is_secure: bool, is_unchanged: bool) -> Template:
        """Get those of an order as JSON, or of the 304 in its place. `host` is one that is allowed."""
        kind = language, is_secure, is_unchanged
        if kind not in self._known:
            self._known[kind] = self._make(language, host, is_secure=is_secure, is_unchanged=is_unchanged)
        return self._known[kind]

    def _make(self, language: str, host: str, *, is_secure: bool, is_unchanged: bool) -> Template:
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
        request.urlconf = _Urls(HTTPStatus.NOT_MODIFIED if is_unchanged else HTTPStatus.OK)  # type: ignore[assignment]  # anything with `urlpatterns`
        response = self._application.get_response(request)
        headers = list(response.items())
        places = {name.lower(): place for place, (name, _value) in enumerate(headers)}
        return Template(headers, places["etag"], places["x-request-id"], places.get("content-length"))


@dataclass(frozen=True)
class _Urls:
    """A URL configuration of one view, which answers as the API does with an order."""

    status: HTTPStatus

    @property
    def urlpatterns(self) -> list[Any]:
        return [re_path("", self._answer)]

    def _answer(self, request: HttpRequest) -> HttpResponse:
        request.session.accessed = True
        is_unchanged = self.status is HTTPStatus.NOT_MODIFIED
        response = HttpResponseNotModified() if is_unchanged else HttpResponse(content_type=_JSON)
        response.headers["Cache-Control"] = PRIVATE_REVALIDATED
        response.headers["ETag"] = "-"
        response.headers["Allow"] = "GET, HEAD, OPTIONS"
        patch_vary_headers(response, ["Accept"])
        return response


_JSON: Final = "application/json"
