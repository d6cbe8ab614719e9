"""The queue: cancellation requests, to be approved or rejected."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.text import Truncator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from aftercart.backoffice import decisions
from aftercart.backoffice.columns import age_column, make_column, number_column
from aftercart.backoffice.filters import (
    IS_BOUNCED,
    DeliveryFilter,
    RequestCauseFilter,
    RequestChannelFilter,
    RequestStatusFilter,
    RequestTypeFilter,
)
from aftercart.backoffice.links import link_order
from aftercart.backoffice.lists import BoundedList
from aftercart.backoffice.photos import show_photo
from aftercart.backoffice.request_sheet import find_failure, make_request_sheet, say_bounce
from aftercart.backoffice.search import OrderSearch
from aftercart.backoffice.sheets import Sheet, SheetAdmin
from aftercart.backoffice.timeline import name_item
from aftercart.backoffice.words import Text, show_badge, show_state
from aftercart.cancellations.causes import say_cause, say_detail
from aftercart.cancellations.models import CancellationRequest

_Status = CancellationRequest.Status
#: Where the newest come first, since nobody waits for the oldest any more.
_DECIDED = frozenset({"completed", "rejected", "all"})
#: How much of the OMS's words the list shows; the request's page shows all.
_MOST_OF_AN_ERROR = 60


def _say_why(request: Any) -> Text:
    """Say why the direct way was not taken, and of what came back why the OMS did not take it."""
    if not request.is_bounced:
        return say_cause(request.cause or request.line.submission.cause)
    first = say_cause(request.line.submission.cause)
    if request.status != _Status.WAITING:
        return first
    return format_html('{} <span class="bo-cause">{}</span>', first, say_bounce(request.cause))


def _say_delivery(request: CancellationRequest) -> Text:
    """Return whether the OMS's queue has it, and what went wrong last."""
    state: Text = gettext("In Omnitron's queue") if request.is_delivered else gettext("Not yet delivered")
    if request.is_undeliverable:
        state = show_badge(gettext("Undeliverable"), "wrong")
    error = Truncator(say_detail(find_failure(request)[0])).chars(_MOST_OF_AN_ERROR)
    return format_html('{} <span class="bo-cause">{}</span>', state, error) if error else state


@admin.register(CancellationRequest)
class CancellationRequestAdmin(SheetAdmin[CancellationRequest]):
    """Requests: the open ones, oldest first. Deciding goes through the actions, never through a form."""

    sheet_template = "backoffice/request.html"
    is_acted_on = True
    read_along = (
        "line__order_item__order__user", "line__submission", "line__reason",
        "line__shipping_company", "decided_by", "delivery", "notice",
    )  # fmt: skip
    list_display = (
        "show_number", "show_order", "show_product", "show_quantity", "show_type", "show_reason",
        "show_cause", "show_status", "show_age", "show_delivery",
    )  # fmt: skip
    list_filter = (
        RequestStatusFilter, RequestTypeFilter, RequestCauseFilter, DeliveryFilter, RequestChannelFilter,
    )  # fmt: skip
    search_fields = ("line__order_item__order__number",)  # and more: see `search`
    search_help_text = _("Order number, customer, e-mail, phone, product, SKU or #request")
    search = OrderSearch("line__order_item__order")
    actions = ("approve_selected", "reject_selected")
    more_pages: ClassVar = {"approve": "<int:pk>/approve/", "reject": "<int:pk>/reject/"}

    approve, reject = decisions.approve_one, decisions.reject_one
    show_number = number_column(_("request"))
    show_order = make_column(_("order"), lambda row: link_order(row.line.order_item.order))
    show_product = make_column(_("product"), lambda row: name_item(row.line.order_item))
    show_quantity = make_column(_("units"), lambda row: row.line.quantity)
    show_type = make_column(_("type"), lambda row: row.line.get_cancellation_type_display())
    show_reason = make_column(_("reason"), lambda row: row.line.reason.subject)
    show_cause = make_column(_("why it is here"), _say_why)
    show_status = make_column(_("status"), lambda row: show_state(row.status, row.get_status_display()))
    show_delivery = make_column(_("at Omnitron"), _say_delivery)
    show_age = age_column("created_date")

    def get_queryset(self, request: HttpRequest) -> QuerySet[CancellationRequest]:
        """List requests with all that a row shows, in one query."""
        return super().get_queryset(request).annotate(is_bounced=IS_BOUNCED)

    def describe_empty(self, rows: BoundedList) -> tuple[Text, Text]:
        """Say that the queue is worked off; of what was searched for, that there is none."""
        if rows.query or rows.get_filters_params() not in ({}, {"status": ["waiting"]}):
            return super().describe_empty(rows)
        return (
            gettext("All caught up"),
            gettext("No request is waiting for a decision. New ones will appear here."),
        )

    def get_ordering(self, request: HttpRequest) -> tuple[str, ...]:
        """Put who waits longest first; among the decided, the newest."""
        if request.GET.get(RequestStatusFilter.parameter_name) in _DECIDED:
            return ("-created_date",)
        return ("created_date",)

    def make_sheet(self, request: HttpRequest, obj: CancellationRequest) -> Sheet:
        """Write the page of one request."""
        return make_request_sheet(obj, may_decide=self.has_change_permission(request, obj))

    def get_urls(self) -> list[URLPattern]:
        """Add the address of photos, which the pages of orders show as well."""
        photo = path("photos/<uuid:uuid>/", self.admin_site.admin_view(show_photo), name="return_photo")
        return [photo, *super().get_urls()]

    @admin.action(description=_("Approve the selected requests"), permissions=["change"])
    def approve_selected(
        self,
        request: HttpRequest,
        queryset: QuerySet[CancellationRequest],  # noqa: ARG002 - narrowed by the filters of the list
    ) -> HttpResponse | None:
        """Ask, approve each in a transaction of its own, and show what became of it."""
        return decisions.approve_many(self, request)

    @admin.action(description=_("Reject the selected requests"), permissions=["change"])
    def reject_selected(
        self,
        request: HttpRequest,
        queryset: QuerySet[CancellationRequest],  # noqa: ARG002 - narrowed by the filters of the list
    ) -> HttpResponse | None:
        """Ask why, reject each in a transaction of its own, and show what became of it."""
        return decisions.reject_many(self, request)
