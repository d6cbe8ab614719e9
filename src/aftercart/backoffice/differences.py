"""What the daily reconciliation found: where the OMS and we tell different things."""

from django.contrib import admin
from django.db.models import QuerySet
from django.db.models.functions import Now
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from aftercart.backoffice.columns import ORDER_COLUMN, age_column, make_column, number_column
from aftercart.backoffice.filters import DifferenceFilter
from aftercart.backoffice.links import link_order
from aftercart.backoffice.search import OrderSearch
from aftercart.backoffice.sheets import Fact, Panel, Sheet, SheetAdmin, keep_filled
from aftercart.backoffice.words import NOTHING, say_moment
from aftercart.cancellations.models import Difference


@admin.register(Difference)
class DifferenceAdmin(SheetAdmin[Difference]):
    """Differences, the latest seen first; one is resolved when it is not found again."""

    read_along = ("order", "item")
    list_display = ("show_number", "show_order", "show_item", "what", "ours", "theirs", "show_age")
    list_filter = (DifferenceFilter,)
    search_fields = ("order__number", "item__sku")
    search_help_text = _("Order number or SKU")
    search = OrderSearch("order")
    ordering = ("-last_seen", "-id")
    actions = ("settle",)

    show_number = number_column(_("difference"))
    show_order = ORDER_COLUMN
    show_item = make_column(_("item"), lambda row: row.item.sku if row.item else NOTHING)
    show_age = age_column("first_seen")

    def has_settle_permission(self, request: HttpRequest) -> bool:
        """Return who may say that a difference is settled."""
        return request.user.has_perm("cancellations.change_difference")

    @admin.action(description=_("Mark the selected differences as resolved"), permissions=["settle"])
    def settle(self, request: HttpRequest, queryset: QuerySet[Difference]) -> None:  # noqa: ARG002 - Django's signature
        """Resolve what a person has settled; what a comparison finds again is reported again."""
        queryset.filter(resolved_at=None).update(resolved_at=Now())

    def make_sheet(self, request: HttpRequest, obj: Difference) -> Sheet:  # noqa: ARG002 - Django's signature
        """Write the page of one difference."""
        facts = [
            Fact(_("Order"), link_order(obj.order)),
            Fact(_("Item"), obj.item.sku if obj.item else ""),
            Fact(_("What differs"), obj.what),
            Fact(_("Here"), obj.ours),
            Fact(_("At Omnitron"), obj.theirs),
            Fact(_("First seen"), say_moment(obj.first_seen)),
            Fact(_("Last seen"), say_moment(obj.last_seen)),
            Fact(_("Resolved"), say_moment(obj.resolved_at)),
        ]
        title = gettext("Difference #%(pk)s") % {"pk": obj.pk}
        return Sheet(title=title, main=[Panel(_("Difference"), keep_filled(facts))])
