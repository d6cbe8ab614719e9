"""The ledger of loyalty points: nobody changes an entry; a correction is an entry of its own."""

import uuid
from decimal import Decimal
from typing import Any, cast

from django import forms
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.core.validators import RegexValidator
from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminEmailInputWidget, UnfoldAdminTextInputWidget

from aftercart.accounts.models import User
from aftercart.actions.account.adjust_points import adjust_points
from aftercart.backoffice.columns import ORDER_COLUMN, make_column, moment_column, number_column
from aftercart.backoffice.desk import DeskAdmin
from aftercart.backoffice.links import link_order, make_list_url, make_url
from aftercart.backoffice.search import OwnSearch
from aftercart.backoffice.sheets import Fact, Panel, Sheet, SheetAdmin, keep_filled
from aftercart.backoffice.words import NOTHING, say_amount, say_moment
from aftercart.lib.account_numbers import hide_accounts
from aftercart.lib.emails import fold_email
from aftercart.loyalty.models import LoyaltyEntry


class CorrectionForm(forms.Form):
    """Points to add or to take, and why. `reference` is rendered with the form, so that it counts once."""

    email = forms.EmailField(label=_("Customer's e-mail"), widget=UnfoldAdminEmailInputWidget)
    currency = forms.CharField(
        label=_("Currency"),
        max_length=3,
        validators=[RegexValidator(r"^[A-Za-z]{3}$")],
        widget=UnfoldAdminTextInputWidget,
    )
    amount = forms.DecimalField(
        label=_("Points"),
        max_digits=12,
        decimal_places=2,
        help_text=_("Use a minus sign to deduct points."),
        widget=UnfoldAdminTextInputWidget,
    )
    note = forms.CharField(
        label=_("Why"), max_length=255, help_text=_("For staff only."), widget=UnfoldAdminTextInputWidget
    )
    reference = forms.UUIDField(widget=forms.HiddenInput)

    def clean_email(self) -> User:
        """Find the customer."""
        customer = User.objects.filter(email=fold_email(str(self.cleaned_data["email"]))).first()
        if customer is None:
            raise forms.ValidationError(gettext("There is no customer with this e-mail address."))
        return customer

    def clean_amount(self) -> Decimal:
        """Want an amount that changes something."""
        amount: Decimal = self.cleaned_data["amount"]
        if not amount:
            raise forms.ValidationError(gettext("Enter a number other than zero."))
        return amount


@admin.register(LoyaltyEntry)
class LoyaltyEntryAdmin(SheetAdmin[LoyaltyEntry]):
    """Entries, newest first."""

    read_along = ("user", "order", "made_by")
    list_display = ("show_number", "show_customer", "kind", "show_amount", "show_order", "show_moment")
    list_filter = ("kind",)
    search_fields = ("user__email", "order__number")
    search_help_text = _("Order number or e-mail")
    search = OwnSearch(order="order", user=True)
    ordering = ("-created_date", "-id")

    show_number = number_column(_("entry"))
    show_customer = make_column(_("customer"), lambda row: row.user.email if row.user else NOTHING)
    show_amount = make_column(_("points"), lambda row: say_amount(row.amount, row.currency))
    show_order = ORDER_COLUMN
    show_moment = moment_column(_("made"), "created_date")

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Whoever may add an entry may correct; superusers, and those who were given the permission."""
        return DeskAdmin.has_add_permission(self, request)

    def add_view(
        self,
        request: HttpRequest,
        form_url: str = "",  # noqa: ARG002 - Django's signature
        extra_context: dict[str, Any] | None = None,
    ) -> HttpResponse:
        """Ask for a correction, and book it."""
        if not self.has_add_permission(request):
            raise PermissionDenied
        form = CorrectionForm(request.POST or None, initial={"reference": uuid.uuid4()})
        if request.method == "POST" and form.is_valid():
            data = form.cleaned_data
            entry = adjust_points(
                data["email"],
                data["currency"].upper(),
                data["amount"],
                note=data["note"],
                reference=f"staff:{data['reference']}",
                staff=cast("User", request.user),
            )
            messages.success(request, gettext("The correction is saved."))
            return HttpResponseRedirect(make_url(LoyaltyEntry, entry.pk))
        context = {
            "title": gettext("Correct points"),
            "form": form,
            "back": make_list_url(LoyaltyEntry),
            "button": gettext("Save"),
            **(extra_context or {}),
        }
        return self.show_page(request, "backoffice/form.html", **context)

    def make_sheet(self, request: HttpRequest, obj: LoyaltyEntry) -> Sheet:  # noqa: ARG002 - Django's signature
        """Write the page of one entry."""
        facts = [
            Fact(_("Customer"), obj.user.email if obj.user else ""),
            Fact(_("What happened"), obj.get_kind_display()),
            Fact(_("Points"), say_amount(obj.amount, obj.currency)),
            Fact(_("Order"), link_order(obj.order)),
            Fact(_("Reference"), obj.reference),
            Fact(_("Why"), hide_accounts(obj.note)),
            Fact(_("By"), obj.made_by.email if obj.made_by else ""),
            Fact(_("Made"), say_moment(obj.created_date)),
        ]
        title = gettext("Loyalty entry #%(pk)s") % {"pk": obj.pk}
        return Sheet(title=title, main=[Panel(_("Loyalty points"), keep_filled(facts))])
