"""What all pages share: the style sheet."""

from django.conf import settings
from django.http import HttpRequest, HttpResponse
from django.views.decorators.cache import cache_control
from django.views.decorators.http import require_safe

from aftercart.pages.brand import read_style

_YEAR = 365 * 24 * 3600


@require_safe
@cache_control(public=True, max_age=_YEAR, immutable=True)
def style(request: HttpRequest) -> HttpResponse:  # noqa: ARG001 - Django's signature
    """Give the style sheet: ours and the shop's in one, under an address that changes with it."""
    return HttpResponse(read_style(settings.BRAND), content_type="text/css; charset=utf-8")
