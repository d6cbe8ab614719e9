"""Statements of withdrawal, to be decided; and where the function is offered (docs/withdrawal.md)."""

from typing import ClassVar

from django.contrib import admin
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from aftercart.actions.withdraw.decide_withdrawal import accept_withdrawal, refuse_withdrawal
from aftercart.backoffice.columns import ORDER_COLUMN, STATE_COLUMN, age_column, make_column, number_column
from aftercart.backoffice.decisions import RejectionForm
from aftercart.backoffice.desk import DeskAdmin
from aftercart.backoffice.filters import WithdrawalStateFilter
from aftercart.backoffice.links import link_order, link_row, make_url
from aftercart.backoffice.row_actions import act, open_row
from aftercart.backoffice.search import OwnSearch
from aftercart.backoffice.sheets import Fact, Panel, Sheet, SheetAdmin, keep_filled
from aftercart.backoffice.timeline import describe_timeline, name_item
from aftercart.backoffice.words import NOTHING, OUTCOMES, Text, say_moment, show_badge, show_state
from aftercart.cancellations.models import CancellationRequest
from aftercart.cancellations.models.withdrawals import Withdrawal, WithdrawalLine, WithdrawalPolicy


@admin.register(Withdrawal)
class WithdrawalAdmin(SheetAdmin[Withdrawal]):
    """Statements: the undecided ones, oldest first. What was stated cannot be edited."""

    sheet_template = "backoffice/withdrawal.html"
    is_acted_on = True
    read_along = ("order", "decided_by")
    list_display = ("show_number", "show_order", "name", "show_in_time", "show_state", "show_age")
    list_filter = (WithdrawalStateFilter,)
    search_fields = ("order__number", "email", "name")
    search_help_text = _("Order number, name or e-mail")
    search = OwnSearch(("name", "email"), order="order")
    ordering = ("submitted_at",)
    more_pages: ClassVar = {"accept": "<int:pk>/accept/", "refuse": "<int:pk>/refuse/"}

    show_number = number_column(_("withdrawal"))
    show_order = ORDER_COLUMN
    show_in_time = make_column(
        _("in time"), lambda row: _("Yes") if row.is_in_time else show_badge(gettext("No"), "warn")
    )
    show_state = STATE_COLUMN
    show_age = age_column("submitted_at")

    def make_sheet(self, request: HttpRequest, obj: Withdrawal) -> Sheet:
        """Write the page of one statement."""
        facts = [
            Fact(_("Order"), link_order(obj.order)),
            Fact(_("Statement"), obj.statement),
            Fact(_("Name"), obj.name),
            Fact(_("Receipt sent to"), obj.email),
            Fact(_("Submitted"), say_moment(obj.submitted_at)),
            Fact(_("End of the period"), say_moment(obj.period_ends_at)),
            Fact(_("In time"), _("Yes") if obj.is_in_time else _("No, as far as we can tell")),
            Fact(_("Receipt number"), str(obj.uuid)),
        ]
        decision = [
            Fact(_("Decided"), say_moment(obj.decided_at)),
            Fact(_("By"), obj.decided_by.email if obj.decided_by else ""),
            Fact(_("Reason"), obj.reason),
        ]
        is_open = obj.state == Withdrawal.State.RECEIVED
        return Sheet(
            title=gettext("Withdrawal #%(pk)s") % {"pk": obj.pk},
            badge=show_state(obj.state, obj.get_state_display()),
            main=[Panel(_("Statement"), keep_filled(facts)), _list_lines(obj)],
            side=[Panel(_("Decision"), keep_filled(decision), empty=_("Not decided yet."))],
            timeline=describe_timeline(obj.order),
            more={"can_decide": is_open and self.has_change_permission(request, obj)},
        )

    def accept(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Accept one (POST)."""
        found = open_row(self, request, pk)
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        done = gettext("Withdrawal #%(pk)s is accepted; the customer will be notified.") % {"pk": pk}
        return act(request, found, done, lambda staff: accept_withdrawal(pk, staff))

    def refuse(self, request: HttpRequest, pk: int) -> HttpResponse:
        """Ask why (GET), and refuse one (POST)."""
        found = open_row(self, request, pk)
        form = RejectionForm(request.POST if request.method == "POST" else None)
        if form.is_valid():
            reason = form.cleaned_data["reason"]
            done = gettext("Withdrawal #%(pk)s is refused; the customer will be told why.") % {"pk": pk}
            return act(request, found, done, lambda staff: refuse_withdrawal(pk, staff, reason))
        return self.show_page(
            request,
            "backoffice/form.html",
            title=gettext("Refuse withdrawal #%(pk)s") % {"pk": pk},
            form=form,
            lines=[found.statement],
            back=make_url(Withdrawal, pk),
            button=gettext("Reject"),
            is_hard=True,
        )


def _list_lines(withdrawal: Withdrawal) -> Panel:
    lines = withdrawal.lines.select_related("order_item", "submission_line__request")
    rows = [
        (
            name_item(line.order_item),
            str(line.quantity),
            line.obstacle.replace("_", " ") or NOTHING,
            _describe_carrier(line),
        )
        for line in lines
    ]
    columns = (_("Product"), _("Units"), _("Blocking rule"), _("Carried out by"))
    return Panel(_("Items"), columns=columns, rows=rows)


def _describe_carrier(line: WithdrawalLine) -> Text:
    carrier = line.submission_line
    if carrier is None:
        return _("Nothing: please take care of it")
    request = getattr(carrier, "request", None)
    if request is not None:
        return link_row(CancellationRequest, request.pk, gettext("Request #%(pk)s") % {"pk": request.pk})
    return OUTCOMES.get(carrier.outcome) or _("Taken by Omnitron")


@admin.register(WithdrawalPolicy)
class WithdrawalPolicyAdmin(DeskAdmin[WithdrawalPolicy]):
    """Where the function is offered, and for how long; the settings hold where no row fits."""

    list_display = ("country", "channel_id", "is_offered", "days")
    list_filter = ("is_offered",)
