"""Photos of returns on the sheets of requests and orders, for staff who may see those."""

from collections.abc import Iterable
from typing import Final
from uuid import UUID

from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html, format_html_join
from django.utils.translation import gettext as _
from django.views.decorators.http import require_safe

from aftercart.backoffice.sheets import Fact, Panel
from aftercart.backoffice.timeline import name_item
from aftercart.backoffice.words import say_moment
from aftercart.cancellations.models import ReturnPhoto
from aftercart.lib.photos import serve_photo

#: Who sees a sheet on which photos stand.
_READERS: Final = ("cancellations.view_cancellationrequest", "orders.view_order")


def describe_photos(photos: Iterable[ReturnPhoto]) -> list[Panel]:
    """Write a panel of photos, a row an item; none without any."""
    by_line: dict[int, list[ReturnPhoto]] = {}
    for photo in photos:
        by_line.setdefault(photo.line_id, []).append(photo)
    facts = [
        Fact(
            name_item(own[0].line.order_item),
            format_html(
                '<span class="bo-photos">{}</span>', format_html_join("", _LINK, map(_describe, own))
            ),
        )
        for own in by_line.values()
    ]
    return [Panel(_("Customer's photos"), facts)] if facts else []


_LINK: Final = '<a href="{0}"><img src="{0}" alt="{1}" title="{1}" width="96" height="96" loading="lazy"></a>'


def _describe(photo: ReturnPhoto) -> tuple[str, str]:
    sent = _("Sent %(at)s") % {"at": say_moment(photo.created_at)}
    return reverse("admin:return_photo", args=[photo.uuid]), sent


@require_safe
def show_photo(request: HttpRequest, uuid: UUID) -> HttpResponse:
    """Show a photo to staff who may see the sheets that it stands on."""
    if not any(request.user.has_perm(reader) for reader in _READERS):
        raise PermissionDenied
    return serve_photo(ReturnPhoto.objects.filter(stored_at__isnull=False), uuid)
