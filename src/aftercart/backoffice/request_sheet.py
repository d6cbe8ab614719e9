"""The page of one request: everything that helps to decide, an account number only by its last four."""

from django.utils.translation import gettext as _

from aftercart.actions.requests.find_obstacle import find_obstacle, find_rejection_obstacle
from aftercart.backoffice.links import link_order, link_row
from aftercart.backoffice.photos import describe_photos
from aftercart.backoffice.refunds import describe_line_quote
from aftercart.backoffice.sheets import Fact, Panel, Sheet, keep_filled
from aftercart.backoffice.snapshots import write_address, write_pickup
from aftercart.backoffice.timeline import describe_timeline, name_item
from aftercart.backoffice.words import (
    NOTHING,
    Text,
    say_age,
    say_amount,
    say_moment,
    show_state,
    show_status,
    show_submission,
)
from aftercart.cancellations.causes import Cause, say_cause, say_detail
from aftercart.cancellations.models import (
    CancellationRequest,
    DecisionNotice,
    Delivery,
    Submission,
    SubmissionLine,
)
from aftercart.cancellations.models.photos import list_photos
from aftercart.lib.account_numbers import hide_accounts, show_last_four
from aftercart.orders.models import Order

_Status = CancellationRequest.Status


def make_request_sheet(request: CancellationRequest, *, may_decide: bool) -> Sheet:
    """Write a request's page. Wants its line, order, reason, submission and company selected."""
    line = request.line
    item = line.order_item
    obstacle = find_obstacle(request)
    return Sheet(
        title=_("Request #%(pk)s") % {"pk": request.pk},
        badge=show_state(request.status, request.get_status_display()),
        subtitle=_("%(type)s of %(units)s × %(product)s")
        % {
            "type": line.get_cancellation_type_display(),
            "units": line.quantity,
            "product": name_item(item),
        },
        main=[
            _describe_request(request),
            _list_tries(request),
            *describe_photos(list_photos([line.pk])),
            _describe_item(line),
            *describe_line_quote(line),
            *_describe_return(request),
        ],
        side=[_describe_customer(item.order), _describe_delivery(request)],
        timeline=describe_timeline(item.order),
        more={
            "can_approve": may_decide and obstacle is None,
            "can_reject": may_decide and find_rejection_obstacle(request) is None,
            "standing": _say_standing(request),
            "obstacle": " ".join(obstacle.sentences())
            if obstacle and request.status == _Status.WAITING
            else "",
        },
    )


def _say_standing(request: CancellationRequest) -> str:
    """Say who has to do something next, and since when."""
    age = say_age(request.created_date)
    decided_by = request.decided_by.email if request.decided_by else _("Omnitron")
    bounced = (
        request.approvals.filter(state=Submission.State.REFUSED)
        .select_related("user")
        .order_by("-pk")
        .first()
    )
    waiting = _("Has been waiting for a decision for %(age)s.") % {"age": age}
    if bounced is not None:
        words = {"who": bounced.user.email if bounced.user else NOTHING, "at": say_moment(bounced.created_at)}
        approved = _(
            "%(who)s approved it on %(at)s, but it did not go through at Omnitron. It needs a decision again."
        )
        waiting = approved % words
    return {
        _Status.VERIFYING: _(
            "Omnitron's answer is being checked. There is nothing to decide until it is known."
        ),
        _Status.WAITING: waiting,
        _Status.WAITING_APPROVAL: _("Has been waiting for approval in Omnitron for %(age)s.") % {"age": age},
        _Status.CONFIRMED: _("Omnitron has confirmed it and is carrying it out."),
        _Status.APPROVED: _("Approved; it is on its way to Omnitron.")
        if request.is_approved_here
        else _("Approved in Omnitron, which is carrying it out."),
        _Status.COMPLETED: _("Done on %(at)s.") % {"at": say_moment(request.decided_at)},
        _Status.REJECTED: _("Rejected by %(who)s on %(at)s.")
        % {"who": decided_by, "at": say_moment(request.decided_at)},
    }[_Status(request.status)]


def _describe_request(request: CancellationRequest) -> Panel:
    line = request.line
    first = line.submission
    facts = [
        Fact(_("Why it is here"), say_cause(first.cause or request.cause)),
        Fact(_("Details"), say_detail(first.cause_detail, first.cause)),
        Fact(_("Type"), line.get_cancellation_type_display()),
        Fact(_("Customer's reason"), line.reason.subject),
        Fact(_("Customer's words"), hide_accounts(line.description)),
        Fact(_("Would rather have"), hide_accounts(line.exchange_preference)),
        Fact(_("Requested"), say_moment(request.created_date)),
        Fact(_("Refund as loyalty points"), _("Yes") if line.fully_refund_as_loyalty_money else ""),
        Fact(_("Refund to account"), show_last_four(line.iban)),
        Fact(_("Account holder"), hide_accounts(line.holder_name)),
        Fact(_("Reason for rejection"), hide_accounts(request.reject_reason)),
        Fact(_("Decided by"), request.decided_by.email if request.decided_by else ""),
    ]
    return Panel(_("Request"), keep_filled(facts))


def _describe_item(line: SubmissionLine) -> Panel:
    item = line.order_item
    facts = [
        Fact(_("Product"), name_item(item)),
        Fact(_("SKU"), item.sku),
        Fact(
            _("Units asked for"),
            _("%(asked)s of %(left)s left (%(bought)s bought)")
            % {"asked": line.quantity, "left": item.left_quantity, "bought": item.quantity},
        ),
        Fact(_("Item status"), show_status(item.status)),
        Fact(_("Unit price"), say_amount(item.unit_price or item.price, item.price_currency)),
        Fact(_("Line total"), say_amount(item.total_amount, item.price_currency)),
        Fact(_("Invoice"), item.invoice_number or item.order.invoice_number),
        Fact(_("Shipped"), say_moment(item.shipped_at)),
        Fact(_("Delivered"), say_moment(item.delivered_at)),
        Fact(_("Final sale"), _("Yes") if item.is_final_sale else ""),
    ]
    return Panel(_("Item"), keep_filled(facts))


def _describe_return(request: CancellationRequest) -> list[Panel]:
    line = request.line
    facts = keep_filled(
        [
            Fact(_("Collected by"), line.shipping_company.name if line.shipping_company else ""),
            Fact(_("Return code"), line.easy_return_code),
            Fact(_("Code valid until"), say_moment(line.easy_return_valid_until)),
            Fact(_("Collected on"), write_pickup(line)),
            Fact(_("Collected at"), write_address(line.pickup_address)),
        ]
    )
    return [Panel(_("Pickup"), facts)] if facts else []


def _describe_customer(order: Order) -> Panel:
    facts = [
        Fact(_("Order"), link_order(order)),
        Fact(_("Order status"), show_status(order.status)),
        Fact(_("Amount"), say_amount(order.amount, order.currency)),
        Fact(_("Placed"), say_moment(order.created_date)),
        Fact(_("Paid by"), str(order.payment_option.get("name") or order.get_payment_type())),
        Fact(_("Channel"), str(order.channel_id)),
        Fact(_("Customer"), order.user.get_full_name() if order.user else ""),
        Fact(_("E-mail"), order.user_email),
        Fact(_("Delivery address"), write_address(order.shipping_address)),
    ]
    return Panel(_("Order and customer"), keep_filled(facts))


def _describe_delivery(request: CancellationRequest) -> Panel:
    refused: Text = ""
    if request.is_undeliverable and request.cause == Cause.FOUND_CHANGED:
        refused = _("Not put into Omnitron's queue: it may have been rejected there. Please decide here.")
    elif request.is_undeliverable:
        refused = _("Undeliverable: Omnitron's queue refused it for good.")
    error, tries = find_failure(request)
    facts = [
        Fact(
            _("In Omnitron's queue since"),
            say_moment(request.delivery.known_at if request.is_delivered else None),
        ),
        Fact(_("Omnitron's numbers"), ", ".join(str(pk) for pk in request.remote_pks)),
        Fact(
            _("Omnitron's queue"),
            refused or ("" if request.is_delivered else _("Not yet delivered")),
        ),
        Fact(_("Last error"), say_detail(error)),
        # The first one that gets through is no failure, and one that is on its way is none yet.
        Fact(_("Attempts"), str(tries) if error else ""),
    ]
    return Panel(_("At Omnitron"), keep_filled(facts))


def find_failure(request: CancellationRequest) -> tuple[str, int]:
    """Find what went wrong last at the OMS, and the number of tries: to report our decision, or to deliver it."""
    tried: Delivery | DecisionNotice | None = getattr(request, "notice", getattr(request, "delivery", None))
    return ("", 0) if tried is None else (tried.error, tried.attempts)


def _list_tries(request: CancellationRequest) -> Panel:
    """List what was taken to the OMS for it, and what became of each: what was asked, then every approval."""
    approvals = request.approvals.select_related("user").order_by("pk")
    rows = [
        (
            link_row(Submission, submission.pk, _("#%(pk)s") % {"pk": submission.pk}),
            submission.get_origin_display(),
            submission.user.email if submission.user else NOTHING,
            say_moment(submission.sent_at or submission.created_at),
            show_submission(submission),
            _say_why(submission) or NOTHING,
        )
        for submission in (request.line.submission, *approvals)
    ]
    columns = (_("Submission"), _("Way"), _("By"), _("When"), _("State"), _("What Omnitron said, or why not"))
    return Panel(_("Attempts"), columns=columns, rows=rows)


def _say_why(submission: Submission) -> str:
    detail = say_detail(submission.cause_detail, submission.cause)
    return " – ".join(filter(None, [str(say_cause(submission.cause)), detail]))


def say_bounce(cause: str) -> str:
    """Say why the OMS did not take an approval, in short."""
    return _("Came back after an approval: %(why)s") % {"why": say_cause(cause)}
