"""Choosing another time at which a return is collected, or none for now."""

from http import HTTPStatus
from uuid import UUID

from django.contrib import messages
from django.http import Http404, HttpRequest, HttpResponse
from django.shortcuts import render
from django.urls import reverse

from aftercart.actions.returns import change_pickup as action
from aftercart.cancellations.models import SubmissionLine
from aftercart.cancellations.return_pass import make_pass
from aftercart.orders.errors import InputInvalid
from aftercart.pages.settlement_form import PickupForm
from aftercart.pages.views.customer import SeeOther, get_visit, visitor_page


@visitor_page("GET", "HEAD", "POST")
def change_pickup(request: HttpRequest, number: str, uuid: UUID) -> HttpResponse:
    """Show when a return is collected, and take another time. Raises Http404 where nothing is to be collected."""
    visit = get_visit(request, acting=True, number=number)
    lines = action.list_collected(visit.order, uuid)
    if not lines:
        raise Http404
    form = _make_form(request, lines)
    is_cancelled = request.POST.get("step") == "cancel"
    try:
        if request.method == "POST" and (is_cancelled or form.is_valid()):
            pickup = None if is_cancelled else form.get_pickup()
            action.change_pickup(action.PickupCommand(visit.owner, number, uuid, pickup))
            return _see_return(number, uuid)
        action.refuse_fixed_pickup(lines)
    except InputInvalid as error:  # the carrier's calendar has changed meanwhile
        form.add_error(None, str(error))
    except action.PickupFixed as error:
        messages.error(request, str(error))
        return _see_return(number, uuid)
    context = {"order": visit.order, "submission": uuid, "parcel": make_pass(lines[0]), "form": form}
    status = HTTPStatus.BAD_REQUEST if form.errors else HTTPStatus.OK
    return render(request, "pages/change_pickup.html", context, status=status)


def _make_form(request: HttpRequest, lines: list[SubmissionLine]) -> PickupForm:
    initial = {}
    if pickup := lines[0].pickup_date:
        hours = pickup["hour_range"]
        initial = {"pickup_date": pickup["date"], "pickup_slot": f"{hours['start']}-{hours['end']}"}
    companies = {line.shipping_company_id: line.shipping_company for line in lines if line.shipping_company}
    data = request.POST if request.method == "POST" else None
    return PickupForm(data, initial=initial, companies=list(companies.values()))


def _see_return(number: str, uuid: UUID) -> HttpResponse:
    return SeeOther(reverse("order-cancel-result", args=[number, uuid]))
