"""Photos of what is returned: sent with a plain form, one at a time kept, and shown to whose order it is."""

from collections.abc import Iterator, Sequence
from typing import Any
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.translation import gettext as _

from aftercart.actions.returns.add_photo import NoOpenReturn, add_photo, get_open_return
from aftercart.actions.returns.remove_photo import remove_photo
from aftercart.cancellations.models.photos import MOST_PHOTOS, list_order_photos
from aftercart.lib.ids import read_id
from aftercart.lib.photos import MOST_BYTES, serve_photo
from aftercart.orders.errors import ActionError, InputInvalid, OrderNotFound
from aftercart.orders.models import Order
from aftercart.pages.views.customer import SeeOther, Visit, get_visit, visitor_page


@visitor_page("GET", "HEAD", "POST")
def add_photos(request: HttpRequest, number: str) -> HttpResponse:
    """Add photos to an open return; those that are not taken are told, the others are kept. Raises Http404.

    Who comes back from a log-in in between is sent to the order: photos do not outlive their session.
    """
    visit = get_visit(request, acting=True, number=number)
    if request.method != "POST":
        return SeeOther(reverse("order-detail", args=[visit.order.pk]))
    item = read_id(request.POST.get("order_item", ""))
    if item is None:
        raise Http404
    page = _get_page(visit.order, item)
    complaints = list(_add(visit, item, request.FILES.getlist("photos")))
    for complaint in complaints:
        messages.error(request, complaint)
    return SeeOther(page if complaints else f"{page}#photos")


def _get_page(order: Order, item: int) -> str:
    """Find the page of an item's open return; the order's, where there is none. Raises Http404."""
    try:
        submission = get_open_return(order, item).submission
    except InputInvalid:
        raise Http404 from None
    except NoOpenReturn:
        return reverse("order-detail", args=[order.pk])
    return reverse("order-cancel-result", args=[order.number, submission.uuid])


def _add(visit: Visit, item: int, files: Sequence[Any]) -> Iterator[str]:
    """Add them one by one; give what there is to complain about."""
    if not files:
        yield _("Please choose a photo first.")
    for file in files[:MOST_PHOTOS]:
        try:
            # One byte more than is taken says that it is too large.
            add_photo(visit.owner, visit.order.number, item, file.read(MOST_BYTES + 1))
        except ActionError as error:
            yield f"{file.name}: {error}"
    if len(files) > MOST_PHOTOS:
        yield _("An item can have five photos, so only the first five were processed.")


@visitor_page("GET", "HEAD", "POST")
def return_photo(request: HttpRequest, number: str, uuid: UUID) -> HttpResponse:
    """Show a photo to the customer or guest whose return it is of, or remove it. Raises Http404."""
    visit = get_visit(request, acting=True, number=number)
    if request.method == "POST":
        return _remove(request, visit, uuid)
    return serve_photo(list_order_photos(visit.order), uuid)


def _remove(request: HttpRequest, visit: Visit, uuid: UUID) -> HttpResponse:
    """Remove a photo, and show what is left; of one that is gone already the order."""
    order = visit.order
    try:
        line = remove_photo(visit.owner, order.number, uuid)
    except NoOpenReturn as error:
        messages.error(request, str(error))
    except OrderNotFound:
        pass
    else:
        page = reverse("order-cancel-result", args=[order.number, line.submission.uuid])
        return SeeOther(f"{page}#photos")
    return SeeOther(reverse("order-detail", args=[order.pk]))
