"""The first that Django does with a request: who sent it, under which id, and whether it can be read at all."""

from collections.abc import Callable

from django.conf import settings
from django.http import HttpRequest, HttpResponse

from aftercart.api import health
from aftercart.lib.correlation import correlated, is_request_id, make_request_id
from aftercart.lib.forwarded import settle_forwarded

#: Asked by address, without a name of ours and without TLS, by load balancers and supervisors.
_PROBES = {"/healthz": health.live, "/readyz": health.ready}


class RequestMiddleware:
    """Settles what proxies say, binds the request's id, and answers probes."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponse]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponse:
        """Answer, with the request's id; a refusal (4xx) bears only one that was given."""
        hops = settings.TRUSTED_PROXY_HOPS if settings.TRUSTED_PROXY else 0
        settle_forwarded(request.META, hops)
        given = request.META.get("HTTP_X_REQUEST_ID", "") if hops else ""
        is_given = is_request_id(given)
        request_id = given if is_given else make_request_id()
        with correlated(request_id):
            probe = _PROBES.get(request.path_info)
            response = probe(request) if probe else self._get_response(request)
        # Two refusals are equal to the letter, headers too: "not yours" must not be told from "does not exist".
        if is_given or not _is_refusal(response.status_code):
            response.headers["X-Request-ID"] = request_id
        return response


def _is_refusal(status: int) -> bool:
    return 400 <= status < 500  # noqa: PLR2004 - HTTP's own numbers
