"""Submissions and address changes: the intents behind everything, to be looked at when something is stuck."""

from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _

from aftercart.backoffice.columns import ORDER_COLUMN, age_column, make_column, number_column
from aftercart.backoffice.filters import AddressStateFilter, SubmissionStateFilter
from aftercart.backoffice.links import link_order, link_row
from aftercart.backoffice.refunds import describe_submission_quote
from aftercart.backoffice.search import OrderSearch
from aftercart.backoffice.sheets import Fact, Panel, Sheet, SheetAdmin, keep_filled
from aftercart.backoffice.snapshots import write_address, write_pickup
from aftercart.backoffice.timeline import name_item
from aftercart.backoffice.words import (
    NOTHING,
    OUTCOMES,
    Text,
    say_moment,
    show_state,
    show_submission,
)
from aftercart.cancellations.causes import say_cause, say_detail
from aftercart.cancellations.models import (
    AddressChange,
    CancellationRequest,
    PolicyVersion,
    Submission,
    SubmissionLine,
)
from aftercart.lib.account_numbers import hide_accounts, show_last_four


@admin.register(Submission)
class SubmissionAdmin(SheetAdmin[Submission]):
    """Submissions, newest first."""

    read_along = ("order", "user")
    list_display = (
        "show_number", "show_order", "show_origin", "show_state", "show_cause", "checks", "show_age",
    )  # fmt: skip
    list_filter = (SubmissionStateFilter,)
    search_fields = ("order__number",)  # and more: see `search`
    search_help_text = _("Order number, customer, e-mail, phone, product, SKU or #number")
    search = OrderSearch("order")
    ordering = ("-id",)

    show_number = number_column(_("submission"))
    show_order = ORDER_COLUMN
    show_origin = make_column(_("way"), lambda row: row.get_origin_display())
    show_state = make_column(_("state"), show_submission)
    show_cause = make_column(_("cause"), lambda row: say_cause(row.cause) or NOTHING)
    show_age = age_column("created_at")

    def make_sheet(self, request: HttpRequest, obj: Submission) -> Sheet:  # noqa: ARG002 - Django's signature
        """Write the page of one submission."""
        facts = [
            Fact(_("Order"), link_order(obj.order)),
            Fact(_("Way"), obj.get_origin_display()),
            Fact(
                _("Judged by"),
                link_row(
                    PolicyVersion,
                    obj.policy_version_id,
                    gettext("policy version #%(pk)s") % {"pk": obj.policy_version_id},
                )
                if obj.policy_version_id
                else "",
            ),
            Fact(_("Request"), _link_request(obj)),
            Fact(_("By"), obj.user.email if obj.user else ""),
            Fact(_("Cause"), say_cause(obj.cause)),
            Fact(_("Details"), say_detail(obj.cause_detail, obj.cause)),
            Fact(_("Made"), say_moment(obj.created_at)),
            Fact(_("Sent"), say_moment(obj.sent_at)),
            Fact(_("Settled"), say_moment(obj.settled_at)),
            Fact(_("Times checked"), str(obj.checks) if obj.checks else ""),
        ]
        return Sheet(
            title=gettext("Submission #%(pk)s") % {"pk": obj.pk},
            badge=show_submission(obj),
            main=[
                Panel(_("Submission"), keep_filled(facts)),
                _list_lines(obj),
                *describe_submission_quote(obj, obj.order.currency),
            ],
        )


def _link_request(submission: Submission) -> Text:
    """Link the request that an approval takes to the OMS."""
    pk = submission.approved_request_id
    return link_row(CancellationRequest, pk, gettext("Request #%(pk)s") % {"pk": pk}) if pk else ""


def _list_lines(submission: Submission) -> Panel:
    lines = submission.list_carried().select_related("order_item", "reason", "shipping_company")
    rows = [
        (
            name_item(line.order_item),
            str(line.quantity),
            line.get_cancellation_type_display(),
            line.reason.subject,
            hide_accounts(line.exchange_preference) or NOTHING,
            show_last_four(line.iban),
            write_pickup(line) or NOTHING,
            _say_code(line),
            _("Open") if line.is_open else OUTCOMES.get(line.outcome, _("Closed")),
        )
        for line in lines
    ]
    columns = (
        _("Product"), _("Units"), _("Type"), _("Reason"), _("Would rather have"), _("Account"), _("Pickup"),
        _("Return code"), _("Outcome"),
    )  # fmt: skip
    return Panel(_("Lines"), columns=columns, rows=rows)


def _say_code(line: SubmissionLine) -> str:
    """Write the code of an easy return, and until when it is valid."""
    if not line.easy_return_code or line.easy_return_valid_until is None:
        return line.easy_return_code or NOTHING
    until = say_moment(line.easy_return_valid_until)
    return gettext("%(code)s, until %(until)s") % {"code": line.easy_return_code, "until": until}


@admin.register(AddressChange)
class AddressChangeAdmin(SheetAdmin[AddressChange]):
    """Address changes, newest first."""

    read_along = ("order", "user")
    list_display = ("show_number", "show_order", "show_state", "show_cause", "attempts", "show_age")
    list_filter = (AddressStateFilter,)
    search_fields = ("order__number",)  # and more: see `search`
    search_help_text = _("Order number, customer, e-mail, phone, product, SKU or #number")
    search = OrderSearch("order")
    ordering = ("-id",)

    show_number = number_column(_("address change"))
    show_order = ORDER_COLUMN
    show_state = make_column(_("state"), lambda row: show_state(row.state, row.get_state_display()))
    show_cause = make_column(_("cause"), lambda row: say_detail(row.cause) or NOTHING)
    show_age = age_column("created_at")

    def make_sheet(self, request: HttpRequest, obj: AddressChange) -> Sheet:  # noqa: ARG002 - Django's signature
        """Write the page of one change."""
        facts = [
            Fact(_("Order"), link_order(obj.order)),
            Fact(_("By"), obj.user.email if obj.user else ""),
            Fact(_("New address"), write_address(obj.address)),
            Fact(_("Cause"), say_detail(obj.cause)),
            Fact(_("Omnitron's answer"), str(obj.status_code) if obj.status_code else ""),
            Fact(_("Attempts"), str(obj.attempts) if obj.attempts else ""),
            Fact(_("Requested"), say_moment(obj.created_at)),
            Fact(_("Settled"), say_moment(obj.settled_at)),
        ]
        return Sheet(
            title=gettext("Address change #%(pk)s") % {"pk": obj.pk},
            badge=show_state(obj.state, obj.get_state_display()),
            main=[Panel(_("Address change"), keep_filled(facts))],
        )
