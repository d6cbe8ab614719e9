"""Orders as staff read them; the one thing to do is to ask the OMS for news."""

from typing import ClassVar

from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.db.models import Count, IntegerField, OuterRef, QuerySet, Subquery
from django.db.models.functions import Coalesce
from django.http import Http404, HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from aftercart.actions.sync.plan_sync import plan_sync
from aftercart.backoffice.columns import make_column, moment_column
from aftercart.backoffice.filters import ChannelFilter, CurrencyFilter
from aftercart.backoffice.links import make_url
from aftercart.backoffice.order_sheet import make_order_sheet
from aftercart.backoffice.overrides import may_override, override_one
from aftercart.backoffice.search import OrderSearch
from aftercart.backoffice.sheets import Sheet, SheetAdmin
from aftercart.backoffice.words import NOTHING, Text, say_amount, show_badge, show_status
from aftercart.cancellations.models import CancellationRequest
from aftercart.orders.models import Order

#: Of a word that stands in a great many orders, so many of the newest are looked at.
_MOST_FOUND = 10_000


def _count_open_requests() -> Coalesce:
    """Count an order's undecided requests, beside it."""
    open_requests = (
        CancellationRequest.objects.filter(
            line__order_item__order=OuterRef("pk"), status__in=CancellationRequest.OPEN
        )
        .order_by()
        .values("line__order_item__order")
        .annotate(count=Count("pk"))
        .values("count")
    )
    return Coalesce(Subquery(open_requests, output_field=IntegerField()), 0)


def _say_count(open_requests: int) -> Text:
    """Write how many requests are undecided."""
    return show_badge(str(open_requests), "warn") if open_requests else NOTHING


@admin.register(Order)
class OrderAdmin(SheetAdmin[Order]):
    """Orders, newest first."""

    sheet_template = "backoffice/order.html"
    read_along = ("user",)
    list_display = ("number", "show_email", "show_status", "show_amount", "show_placed", "show_open_requests")
    list_filter = (("status", admin.ChoicesFieldListFilter), ChannelFilter, CurrencyFilter)
    search_fields = ("number", "user_email", "user__first_name", "user__last_name")
    search_help_text = _("Order number, customer, e-mail, phone, product, SKU or #request")
    search = OrderSearch("pk", number="items__lines__request", most=_MOST_FOUND)
    ordering = ("-created_date", "-id")
    more_pages: ClassVar = {"sync": "<int:pk>/sync/", "override": "<int:pk>/override/"}

    override = override_one
    show_placed = moment_column(_("placed"), "created_date")
    show_email = make_column(_("e-mail"), lambda row: row.user_email)
    show_status = make_column(_("status"), lambda row: show_status(row.status))
    show_amount = make_column(_("amount"), lambda row: say_amount(row.amount, row.currency))
    show_open_requests = make_column(_("open requests"), lambda row: _say_count(row.open_requests))

    def get_queryset(self, request: HttpRequest) -> QuerySet[Order]:
        """List orders with all that a row shows, in one query."""
        return super().get_queryset(request).annotate(open_requests=_count_open_requests())

    def has_sync_permission(self, request: HttpRequest) -> bool:
        """Return who may ask the OMS for news of an order."""
        return request.user.has_perm("orders.change_order")

    def make_sheet(self, request: HttpRequest, obj: Order) -> Sheet:
        """Write the page of one order."""
        may_sync = self.has_sync_permission(request)
        return make_order_sheet(obj, may_sync=may_sync, may_override=may_override(request))

    def sync(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Have the worker read the order from the OMS (POST)."""
        if not self.has_sync_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        if not Order.objects.filter(pk=pk).exists():
            raise Http404
        plan_sync(pk)
        messages.success(request, gettext("The order is being read from Omnitron; check back in a moment."))
        return HttpResponseRedirect(make_url(Order, pk))
