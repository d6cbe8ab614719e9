"""The page of one order: items, discounts, addresses, what was asked for and what became of it."""

from collections.abc import Iterable

from django.utils.translation import gettext as _

from aftercart.backoffice.links import link_row
from aftercart.backoffice.photos import describe_photos
from aftercart.backoffice.sheets import Fact, Panel, Sheet, keep_filled
from aftercart.backoffice.snapshots import write_address
from aftercart.backoffice.timeline import describe_timeline, name_item
from aftercart.backoffice.words import (
    NOTHING,
    say_amount,
    say_moment,
    show_state,
    show_status,
    show_submission,
)
from aftercart.cancellations.causes import say_cause, say_detail
from aftercart.cancellations.models import AddressChange, CancellationRequest, Submission, SubmissionLine
from aftercart.cancellations.models.photos import list_order_photos
from aftercart.lib.account_numbers import hide_accounts
from aftercart.orders.models import DiscountItem, Order, OrderItem


def make_order_sheet(order: Order, *, may_sync: bool, may_override: bool) -> Sheet:
    """Write an order's page, in a number of queries that does not depend on what it holds."""
    requests = CancellationRequest.objects.filter(line__order_item__order=order).order_by("-pk")
    return Sheet(
        title=order.number,
        badge=show_status(order.status),
        subtitle=_("Placed %(at)s, %(amount)s")
        % {"at": say_moment(order.created_date), "amount": say_amount(order.amount, order.currency)},
        main=[
            _list_items(order.items.all()),
            _list_requests(requests.select_related("line__order_item", "line__reason")),
            _list_submissions(order.submissions.all()),
            *_list_preferences(order),
            *describe_photos(list_order_photos(order)),
            _list_address_changes(order.address_changes.all()),
        ],
        side=[
            _describe_customer(order),
            _describe_amounts(order),
            _list_discounts(order, order.discounts.all()),
            _describe_sync(order),
        ],
        timeline=describe_timeline(order),
        more={"can_sync": may_sync, "can_override": may_override},
    )


def _list_items(items: Iterable[OrderItem]) -> Panel:
    rows = [
        (
            name_item(item),
            item.sku or NOTHING,
            show_status(item.status),
            str(item.quantity),
            str(item.cancelled_quantity) if item.cancelled_quantity else NOTHING,
            say_amount(item.total_amount, item.price_currency),
            say_amount(item.refund_amount, item.price_currency) if item.refund_amount else NOTHING,
        )
        for item in items
    ]
    columns = (_("Product"), _("SKU"), _("Status"), _("Units"), _("Cancelled"), _("Total"), _("Refunded"))
    return Panel(_("Items"), columns=columns, rows=rows)


def _list_requests(requests: Iterable[CancellationRequest]) -> Panel:
    rows = [
        (
            link_row(CancellationRequest, request.pk, f"#{request.pk}"),
            name_item(request.line.order_item),
            str(request.line.quantity),
            request.line.get_cancellation_type_display(),
            request.line.reason.subject,
            say_cause(request.cause) or NOTHING,
            show_state(request.status, request.get_status_display()),
        )
        for request in requests
    ]
    columns = (
        _("Request"), _("Product"), _("Units"), _("Type"), _("Reason"), _("Why it is here"), _("Status"),
    )  # fmt: skip
    return Panel(_("Requests"), columns=columns, rows=rows, empty=_("No requests."))


def _list_submissions(submissions: Iterable[Submission]) -> Panel:
    rows = [
        (
            link_row(Submission, submission.pk, f"#{submission.pk}"),
            submission.get_origin_display(),
            show_submission(submission),
            say_cause(submission.cause) or NOTHING,
            say_moment(submission.created_at),
            say_moment(submission.settled_at),
        )
        for submission in submissions
    ]
    columns = (_("Submission"), _("Way"), _("State"), _("Cause"), _("Made"), _("Settled"))
    return Panel(_("Submissions"), columns=columns, rows=rows, empty=_("No submissions."))


def _list_preferences(order: Order) -> list[Panel]:
    """List what the customer would rather have than what is returned: of a direct return no request says so."""
    lines = SubmissionLine.objects.filter(submission__order=order).exclude(exchange_preference="")
    rows = [
        (
            link_row(Submission, line.submission_id, f"#{line.submission_id}"),
            name_item(line.order_item),
            str(line.quantity),
            hide_accounts(line.exchange_preference),
        )
        for line in lines.select_related("order_item")
    ]
    columns = (_("Submission"), _("Product"), _("Units"), _("Would rather have"))
    return [Panel(_("Exchanges the customer would like"), columns=columns, rows=rows)] if rows else []


def _list_address_changes(changes: Iterable[AddressChange]) -> Panel:
    rows = [
        (
            link_row(AddressChange, change.pk, say_moment(change.created_at)),
            show_state(change.state, change.get_state_display()),
            write_address(change.address),
            say_detail(change.cause) or NOTHING,
        )
        for change in changes
    ]
    columns = (_("Requested"), _("State"), _("Address"), _("Cause"))
    return Panel(_("Address changes"), columns=columns, rows=rows, empty=_("No address changes."))


def _list_discounts(order: Order, discounts: Iterable[DiscountItem]) -> Panel:
    rows = [
        (
            discount.name or discount.code or NOTHING,
            say_amount(discount.amount, order.currency),
            say_amount(discount.cancel_amount, order.currency) if discount.cancel_amount else NOTHING,
        )
        for discount in discounts
    ]
    columns = (_("Discount"), _("Given"), _("Taken back"))
    return Panel(_("Discounts"), columns=columns, rows=rows, empty=_("No discounts."))


def _describe_customer(order: Order) -> Panel:
    facts = [
        Fact(_("Customer"), order.user.get_full_name() if order.user else ""),
        Fact(_("E-mail"), order.user_email),
        Fact(_("Delivery address"), write_address(order.shipping_address)),
        Fact(_("Billing address"), write_address(order.billing_address)),
        Fact(_("Paid by"), str(order.payment_option.get("name") or order.get_payment_type())),
        Fact(_("Invoice"), order.invoice_number),
        Fact(_("Channel"), str(order.channel_id)),
    ]
    return Panel(_("Customer"), keep_filled(facts))


def _describe_amounts(order: Order) -> Panel:
    amounts = (
        (_("Before discounts"), order.amount_without_discount),
        (_("Discounts"), order.discount_amount),
        (_("Shipping"), order.shipping_amount),
        (_("Instalment interest"), order.installment_interest_amount),
        (_("Paid"), order.amount),
        (_("Refunded"), order.refund_amount),
        (_("Discounts taken back"), order.discount_refund_amount),
        (_("Shipping refunded"), order.shipping_refund_amount),
    )
    return Panel(
        _("Amounts"), [Fact(label, say_amount(amount, order.currency)) for label, amount in amounts if amount]
    )


def _describe_sync(order: Order) -> Panel:
    facts = [
        Fact(_("Omnitron's number"), str(order.remote_pk) if order.remote_pk else _("Not known yet")),
        Fact(_("Last read"), say_moment(order.synced_at) if order.synced_at else _("Never")),
    ]
    return Panel(_("At Omnitron"), facts)
