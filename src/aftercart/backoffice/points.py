"""The ledger of loyalty points, to look at: nobody changes an entry, and no page would be able to."""

from django.contrib import admin
from django.db.models import QuerySet
from django.http import HttpRequest
from django.utils.safestring import SafeString
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from aftercart.backoffice.links import link_row
from aftercart.backoffice.sheets import Fact, Panel, Sheet, SheetAdmin, keep_told
from aftercart.backoffice.words import NOTHING, say_amount, say_moment
from aftercart.loyalty.models import LoyaltyEntry
from aftercart.orders.models import Order


@admin.register(LoyaltyEntry)
class LoyaltyEntryAdmin(SheetAdmin[LoyaltyEntry]):
    """Entries, newest first."""

    list_display = ("show_number", "show_customer", "kind", "show_amount", "show_order", "show_moment")
    list_filter = ("kind",)
    search_fields = ("user__email", "order__number")
    search_help_text = _("Order number or e-mail")
    ordering = ("-created_date", "-id")

    def get_queryset(self, request: HttpRequest) -> QuerySet[LoyaltyEntry]:
        """List entries with all that a row shows, in one query."""
        return super().get_queryset(request).select_related("user", "order")

    def make_sheet(self, request: HttpRequest, obj: LoyaltyEntry) -> Sheet:  # noqa: ARG002
        """Write the page of one entry."""
        facts = [
            Fact(_("Customer"), obj.user.email if obj.user else ""),
            Fact(_("What happened"), obj.get_kind_display()),
            Fact(_("Points"), say_amount(obj.amount, obj.currency)),
            Fact(_("Order"), link_row(Order, obj.order.pk, obj.order.number) if obj.order else ""),
            Fact(_("Reference"), obj.reference),
            Fact(_("Made"), say_moment(obj.created_date)),
        ]
        title = gettext("Loyalty entry #%(pk)s") % {"pk": obj.pk}
        return Sheet(title=title, main=[Panel(_("Loyalty points"), keep_told(facts))])

    @admin.display(description=_("entry"), ordering="id")
    def show_number(self, obj: LoyaltyEntry) -> str:
        """Name the entry, as the link to its page."""
        return f"#{obj.pk}"

    @admin.display(description=_("customer"), ordering="user__email")
    def show_customer(self, obj: LoyaltyEntry) -> str:
        """Name the customer."""
        return obj.user.email if obj.user else NOTHING

    @admin.display(description=_("points"), ordering="amount")
    def show_amount(self, obj: LoyaltyEntry) -> str:
        """Write the points."""
        return say_amount(obj.amount, obj.currency)

    @admin.display(description=_("order"), ordering="order__number")
    def show_order(self, obj: LoyaltyEntry) -> SafeString | str:
        """Link the order."""
        return link_row(Order, obj.order.pk, obj.order.number) if obj.order else NOTHING

    @admin.display(description=_("made"), ordering="created_date")
    def show_moment(self, obj: LoyaltyEntry) -> str:
        """Tell when."""
        return say_moment(obj.created_date)
