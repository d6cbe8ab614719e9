"""Public statements of withdrawal: matched to an order, or closed with a reason (docs/withdrawal.md)."""

from collections.abc import Sequence
from typing import Any, ClassVar

from django import forms
from django.contrib import admin, messages
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext, gettext_lazy
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextareaWidget, UnfoldAdminTextInputWidget

from aftercart.actions.withdraw.match_statement import close_statement, match_statement
from aftercart.backoffice.columns import STATE_COLUMN, age_column, number_column
from aftercart.backoffice.filters import StatementStateFilter
from aftercart.backoffice.links import link_order, link_row, make_url
from aftercart.backoffice.row_actions import act, open_row
from aftercart.backoffice.search import OwnSearch
from aftercart.backoffice.sheets import Fact, Panel, Sheet, SheetAdmin, keep_filled
from aftercart.backoffice.timeline import name_item
from aftercart.backoffice.words import say_moment, show_state
from aftercart.cancellations.models.public_statements import PublicStatement
from aftercart.cancellations.models.withdrawals import Withdrawal
from aftercart.oms.connect import get_client
from aftercart.orders.models import Order, OrderItem


class ClosingForm(forms.Form):
    """Why a statement belongs to no order: colleagues will read it."""

    reason = forms.CharField(
        label=gettext_lazy("Reason"),
        help_text=gettext_lazy("Only your colleagues will read it. The sender gets no e-mail."),
        max_length=1000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4, "autofocus": True}),
    )


class MatchForm(forms.Form):
    """Which order a statement is about, and which of its items; `shown` is the order whose items were offered."""

    number = forms.CharField(
        label=gettext_lazy("Order number"), max_length=64, widget=UnfoldAdminTextInputWidget()
    )
    items = forms.TypedMultipleChoiceField(
        label=gettext_lazy("Items"), coerce=int, widget=forms.CheckboxSelectMultiple
    )
    shown = forms.CharField(required=False, widget=forms.HiddenInput)

    def __init__(self, data: Any = None, *, number: str, items: Sequence[OrderItem]) -> None:
        """Offer the items of the order of this number."""
        pks = [item.pk for item in items]
        super().__init__(data, initial={"number": number, "shown": number, "items": pks})
        choices = [(item.pk, f"{item.left_quantity} × {name_item(item)}") for item in items]
        self.fields["items"].choices = choices  # type: ignore[attr-defined]  # the field is one of choices


@admin.register(PublicStatement)
class PublicStatementAdmin(SheetAdmin[PublicStatement]):
    """Statements that anybody can make: the open ones, oldest first. What was stated cannot be edited."""

    sheet_template = "backoffice/statement.html"
    is_acted_on = True
    read_along = ("withdrawal", "settled_by")
    list_display = ("show_number", "number", "name", "email", "show_state", "show_age")
    list_filter = (StatementStateFilter,)
    search_fields = ("number", "email", "name")
    search_help_text = _("Order number, name or e-mail")
    search = OwnSearch(("name", "email", "number"))
    ordering = ("submitted_at",)
    more_pages: ClassVar = {"match": "<int:pk>/match/", "close": "<int:pk>/close/"}

    show_number = number_column(_("statement"))
    show_state = STATE_COLUMN
    show_age = age_column("submitted_at")

    def make_sheet(self, request: HttpRequest, obj: PublicStatement) -> Sheet:
        """Write the page of one statement, with the orders that it may be about."""
        facts = [
            Fact(_("Order number"), obj.number),
            Fact(_("Name"), obj.name),
            Fact(_("E-mail"), obj.email),
            Fact(_("Items"), obj.items or gettext("The whole order")),
            Fact(_("Submitted"), say_moment(obj.submitted_at)),
            Fact(_("Reference"), str(obj.uuid)),
        ]
        found = obj.withdrawal
        settled = [
            Fact(_("Decided"), say_moment(obj.settled_at)),
            Fact(_("By"), obj.settled_by.email if obj.settled_by else ""),
            Fact(_("Reason"), obj.reason),
            Fact(_("Withdrawal"), link_row(Withdrawal, found.pk, f"#{found.pk}") if found else ""),
        ]
        orders = [_list_candidates(obj)] if request.user.has_perm("orders.view_order") else []
        is_open = obj.state == PublicStatement.State.OPEN
        return Sheet(
            title=gettext("Open statement #%(pk)s") % {"pk": obj.pk},
            badge=show_state(obj.state, obj.get_state_display()),
            main=[Panel(_("Statement"), keep_filled(facts)), *orders],
            side=[Panel(_("Decision"), keep_filled(settled), empty=_("Not decided yet."))],
            more={"can_decide": is_open and self.has_change_permission(request, obj)},
        )

    def match(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask which order and which items (GET), and make the withdrawal (POST); another number shows its items."""
        found = open_row(self, request, pk)
        number = (request.POST.get("number") or request.GET.get("number") or found.number).strip()[:64]
        items = OrderItem.objects.filter(order__number=number).order_by("pk") if "\0" not in number else []
        is_shown = request.method == "POST" and request.POST.get("shown") == number
        form = MatchForm(request.POST if is_shown else None, number=number, items=list(items))
        if form.is_valid():
            chosen = frozenset(form.cleaned_data["items"])
            done = gettext(
                "Statement #%(pk)s is now a withdrawal; the receipt goes to the order's e-mail address."
            )
            return act(
                request,
                found,
                done % {"pk": pk},
                lambda staff: match_statement(pk, number, chosen, staff, get_client()),
            )
        if not items:
            messages.warning(request, gettext("There is no order with this number."))
        return self._ask(
            request,
            found,
            form,
            title=gettext("Match statement #%(pk)s to an order") % {"pk": pk},
            explanation=gettext(
                "What counts is when the statement was made, not when you match it. Receipt and decision go to"
                " the order's e-mail address."
            ),
            button=gettext("Withdraw"),
        )

    def close(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask why (GET), and close one (POST)."""
        found = open_row(self, request, pk)
        form = ClosingForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            reason = form.cleaned_data["reason"]
            done = gettext("Statement #%(pk)s is closed.") % {"pk": pk}
            return act(request, found, done, lambda staff: close_statement(pk, staff, reason))
        title = gettext("Close statement #%(pk)s") % {"pk": pk}
        return self._ask(request, found, form, title=title, button=gettext("Close"), is_hard=True)

    def _ask(
        self, request: HttpRequest, found: PublicStatement, form: forms.Form, **more: Any
    ) -> HttpResponse:
        back = make_url(PublicStatement, found.pk)
        return self.show_page(request, "backoffice/form.html", form=form, back=back, **more)


def _list_candidates(statement: PublicStatement) -> Panel:
    """List the order of the number that was typed, and say whether its address is the one that was typed."""
    rows = [
        (
            link_order(order),
            order.user_email,
            _("Yes") if order.user_email == statement.email else _("No"),
        )
        for order in Order.objects.filter(number=statement.number)
    ]
    columns = (_("Order"), _("E-mail"), _("The same as stated"))
    return Panel(
        _("Order with this number"),
        columns=columns,
        rows=rows,
        empty=_("There is no order with this number."),
    )
