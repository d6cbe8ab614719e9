"""The queue: cancellation requests, to be approved or rejected."""

from typing import Any, ClassVar

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.urls import URLPattern, path
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.text import Truncator
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from aftercart.backoffice import decisions
from aftercart.backoffice.columns import age_column
from aftercart.backoffice.filters import (
    IS_BOUNCED,
    DeliveryFilter,
    RequestCauseFilter,
    RequestChannelFilter,
    RequestStatusFilter,
    RequestTypeFilter,
)
from aftercart.backoffice.links import link_order
from aftercart.backoffice.photos import show_photo
from aftercart.backoffice.request_sheet import find_failure, make_request_sheet, say_bounce
from aftercart.backoffice.search import search
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
    search_fields = ("line__order_item__order__number",)  # and more: see search_rows
    search_help_text = _("Order number, customer, e-mail, phone, product, sku or #request")
    actions = ("approve_selected", "reject_selected")
    more_pages: ClassVar = {"approve": "<int:pk>/approve/", "reject": "<int:pk>/reject/"}

    approve, reject = decisions.approve_one, decisions.reject_one
    show_age = age_column("created_date")

    def get_queryset(self, request: HttpRequest) -> QuerySet[CancellationRequest]:
        """List requests with all that a row shows, in one query."""
        return super().get_queryset(request).annotate(is_bounced=IS_BOUNCED)

    def search_rows(
        self, queryset: QuerySet[CancellationRequest], term: str
    ) -> QuerySet[CancellationRequest]:
        """Find by number, customer, phone, product or `#` and the number of the request."""
        return search(queryset, term, order="line__order_item__order")

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

    # --- columns -------------------------------------------------------------------------------------------

    @admin.display(description=_("request"))
    def show_number(self, obj: CancellationRequest) -> str:
        """Name the request, as the link to its page."""
        return f"#{obj.pk}"

    @admin.display(description=_("order"), ordering="line__order_item__order__number")
    def show_order(self, obj: CancellationRequest) -> str:
        """Link the order."""
        return link_order(obj.line.order_item.order)

    @admin.display(description=_("product"), ordering="line__order_item__sku")
    def show_product(self, obj: CancellationRequest) -> str:
        """Name the product."""
        return name_item(obj.line.order_item)

    @admin.display(description=_("units"), ordering="line__quantity")
    def show_quantity(self, obj: CancellationRequest) -> int:
        """Return how many units are asked for."""
        return obj.line.quantity

    @admin.display(description=_("type"), ordering="line__cancellation_type")
    def show_type(self, obj: CancellationRequest) -> str:
        """Return whether it is a cancellation or a return."""
        return obj.line.get_cancellation_type_display()

    @admin.display(description=_("reason"), ordering="line__reason__subject")
    def show_reason(self, obj: CancellationRequest) -> str:
        """Return the customer's reason."""
        return obj.line.reason.subject

    @admin.display(description=_("why it is here"), ordering="cause")
    def show_cause(self, obj: Any) -> Text:
        """Say why the direct way was not taken, and of what came back why the OMS did not take it."""
        if not obj.is_bounced:
            return say_cause(obj.cause or obj.line.submission.cause)
        first = say_cause(obj.line.submission.cause)
        if obj.status != _Status.WAITING:
            return first
        return format_html('{} <span class="bo-cause">{}</span>', first, say_bounce(obj.cause))

    @admin.display(description=_("status"), ordering="status")
    def show_status(self, obj: CancellationRequest) -> SafeString:
        """Show where it stands."""
        return show_state(obj.status, obj.get_status_display())

    @admin.display(description=_("at Omnitron"), ordering="delivery__known_at")
    def show_delivery(self, obj: CancellationRequest) -> Text:
        """Return whether the OMS's queue has it, and what went wrong last."""
        state: Text = gettext("Delivered") if obj.is_delivered else gettext("Not yet delivered")
        if obj.is_undeliverable:
            state = show_badge(gettext("Undeliverable"), "wrong")
        error = Truncator(say_detail(find_failure(obj)[0])).chars(_MOST_OF_AN_ERROR)
        return format_html('{} <span class="bo-cause">{}</span>', state, error) if error else state
