"""Ask for a cancellation on a customer's behalf although the policy refuses it: by staff, with a reason, on record."""

from dataclasses import dataclass

from django.db import transaction
from django.db.models import F
from django.utils.translation import gettext as _

from aftercart.accounts.models import User
from aftercart.actions.cancel.decide_cancellation import judge_lines
from aftercart.actions.cancel.open_requests import open_requests
from aftercart.actions.cancel.price_lines import price_lines
from aftercart.actions.cancel.read_case import read_order_case
from aftercart.actions.cancel.record_submission import store_quote
from aftercart.actions.commands import CancellationCase
from aftercart.actions.policy.keep_policy import keep_policy
from aftercart.cancellations.causes import Cause
from aftercart.cancellations.models import CancellationReason, CancellationRequest, Submission, SubmissionLine
from aftercart.cancellations.selectors import list_reasons
from aftercart.orders.errors import CancellationRefused, InputInvalid, say_unknown
from aftercart.orders.models import OrderItem
from aftercart.orders.policy.topics import Rule
from aftercart.orders.rules import Finding, list_refusals
from aftercart.orders.selectors import lock_order, save_order
from aftercart.orders.status import FINAL, SHIPPED
from aftercart.orders.timeline import Actor, Event, record_event

#: What nobody can override: there is nothing left to cancel, or it is being cancelled.
_FACTS = frozenset({Rule.ALREADY_CANCELLED, Rule.IN_PROGRESS, Rule.PAYMENT})


@dataclass(frozen=True, slots=True)
class OverrideCommand:
    """What staff ask for: units of one item (None: all that is left), and why against the policy."""

    order: int
    order_item: int
    reason: int
    why: str
    quantity: int | None = None


@transaction.atomic(durable=True)
def override_policy(command: OverrideCommand, staff: User) -> int:
    """Open a request for an item that the policy refuses, and give its number.

    Everything is judged as for the customer, and what was overridden stands in the timeline. Nothing goes to
    the OMS directly: the request is decided like any other. Raises `OrderNotFound`, `InputInvalid` (also
    where the policy refuses nothing), `CancellationRefused` for what no one can override.
    """
    order = lock_order(pk=command.order)
    case = read_order_case(order, [command.order_item])
    item, reason = _check(command, case)
    line = SubmissionLine(
        order_item=item,
        reason=reason,
        cancellation_type=reason.cancellation_type,
        quantity=command.quantity or item.left_quantity,
    )
    refusals = _judge(case, line)
    actor = Actor.staff(staff)
    version_pk = case.version_pk or keep_policy(case.policy.book)
    line.submission = submission = Submission.objects.create(
        order=order, user=staff, origin=Submission.Origin.OVERRIDE, policy_version_id=version_pk
    )
    line.save()
    priced = price_lines(case, [line], (), quoted_to=staff.pk)
    OrderItem.objects.filter(pk=item.pk).update(reserved_quantity=F("reserved_quantity") + line.quantity)
    store_quote(submission, [line], priced)
    data = {
        "submission": str(submission.uuid),
        "policy": version_pk,
        "overridden": [[finding.code, finding.clause] for finding in refusals],
    }
    record_event(order, Event.POLICY_OVERRIDDEN, actor, cause=command.why.strip(), item=item, data=data)
    open_requests(order, submission, actor, cause=Cause.POLICY_OVERRIDDEN, detail=command.why.strip())
    save_order(order)
    return CancellationRequest.objects.get(line=line).pk


def _check(command: OverrideCommand, case: CancellationCase) -> tuple[OrderItem, CancellationReason]:
    item = case.items.get(command.order_item)
    reason = list_reasons().filter(pk=command.reason).first()
    problems: dict[str, list[str]] = {}
    if not command.why.strip():
        problems["why"] = [_("Say why: it is kept with the order.")]
    if item is None:
        problems["order_item"] = [say_unknown(command.order_item)]
    elif command.quantity is not None and not 1 <= command.quantity <= max(item.left_quantity, 1):
        problems["quantity"] = [
            _("You can cancel or return at most %(left)s of this item.") % {"left": item.left_quantity}
        ]
    if reason is None:
        problems["reason"] = [say_unknown(command.reason)]
    elif (
        item is not None
        and item.status not in FINAL
        and (item.status in SHIPPED) != (reason.cancellation_type == "refund")
    ):
        problems["reason"] = [_("Shipped items are returned; items not yet shipped are cancelled.")]
    if problems or item is None or reason is None:
        raise InputInvalid(problems)
    return item, reason


def _judge(case: CancellationCase, line: SubmissionLine) -> tuple[Finding, ...]:
    refusals = list_refusals(judge_lines(case, [line]))
    facts = [finding for finding in refusals if finding.rule in _FACTS]
    if facts:
        raise CancellationRefused(facts)
    if not refusals:
        raise InputInvalid(
            {"order_item": [_("The policy does not refuse this: the customer can ask for it.")]}
        )
    return refusals
