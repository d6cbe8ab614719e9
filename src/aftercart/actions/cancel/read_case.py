"""The first step of a cancellation, its quote and its request: read at once all that they are decided from.

What comes after it, `decide_cancellation`, reads nothing more.
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef

from aftercart.accounts.document import address_document
from aftercart.actions.address.get_address import AddressUnknown, get_address
from aftercart.actions.commands import CancellationCase, CancellationCommand, ItemRequest
from aftercart.cancellations.causes import Cause
from aftercart.cancellations.models import CancellationReason, EasyReturnCompany, RefundQuote, SubmissionLine
from aftercart.cancellations.models.reasons import get_unchosen_reason
from aftercart.cancellations.policy.selectors import get_kept_policy
from aftercart.cancellations.quoted import find_given
from aftercart.cancellations.selectors import list_companies
from aftercart.lib.clock import get_now
from aftercart.lib.prepared import prepared
from aftercart.loyalty.models import LoyaltyEntry
from aftercart.loyalty.selectors import read_order_points
from aftercart.orders.errors import InputInvalid, say_unknown
from aftercart.orders.models import Order, OrderItem
from aftercart.orders.paid import gather_paid
from aftercart.orders.quotes import Given, PaidOrder
from aftercart.orders.selectors import gather_facts, lock_order, owned_by


def lock_named(command: CancellationCommand) -> Order:
    """Lock the order that a command names, or whose item it names first. Raises `OrderNotFound`, `InputInvalid`."""
    owned = owned_by(command.caller.owner)
    if command.number is not None:
        return lock_order(number=command.number, **owned)
    first = command.items[0].order_item
    item = (
        OrderItem.objects.filter(pk=first, order__in=Order.objects.filter(**owned)).only("order_id").first()
    )
    if item is None:
        raise InputInvalid({"order_item": [say_unknown(first)]})
    return lock_order(pk=item.order_id, **owned)


def read_case(order: Order, command: CancellationCommand) -> CancellationCase:
    """Read the case of what a command asks of an order: under its lock it holds, without it it did a moment ago.

    Raises `InputInvalid` for a pickup address that makes no sense.
    """
    reasons = {reason.pk: reason for reason in _list_reasons([ask.reason for ask in command.items])}
    return read_order_case(
        order,
        [ask.order_item for ask in command.items],
        reasons=reasons,
        unnamed_reasons=_read_unnamed(command.items, reasons),
        companies=_read_companies(order, command),
        pickup_address=_read_pickup(command),
    )


def read_order_case(order: Order, asked: Iterable[int], **named: Any) -> CancellationCase:
    """Read what an order says by itself about the items that are asked for; `named` is what a command names besides."""
    items = find_items(order)
    policy, version_pk = get_kept_policy(order)
    chosen = [items[pk] for pk in dict.fromkeys(asked) if pk in items]
    in_progress = frozenset(item.pk for item in chosen if item.is_in_progress)  # type: ignore[attr-defined]  # an annotation
    return CancellationCase(
        order=order,
        items=items,
        facts=gather_facts(order, chosen, in_progress),
        paid=_read_paid(order, list(items.values())),
        policy=policy,
        version_pk=version_pk,
        now=get_now(),
        **named,
    )


def find_items(order: Order) -> dict[int, OrderItem]:
    """Read the items of a locked order, by id, in the order in which they are always locked.

    Each says whether a cancellation of it is in progress (`is_in_progress`), and whether anything of the order was
    quoted before, or has to do with points (`has_past`): one statement, where each by itself would be one.
    """
    return {item.pk: item for item in _list_items(order.pk)}


@prepared
def _list_items(order: int) -> models.QuerySet[OrderItem]:
    lines = SubmissionLine.objects.filter(order_item=OuterRef("pk"), is_open=True)
    quoted = RefundQuote.objects.filter(submission__order=order)
    points = LoyaltyEntry.objects.filter(order=order)
    items = OrderItem.objects.filter(order=order).annotate(
        is_in_progress=Exists(lines), has_past=Exists(quoted) | Exists(points)
    )
    return items.order_by("pk")


def _read_paid(order: Order, items: Sequence[OrderItem]) -> PaidOrder:
    """Read what was paid, less what earlier cancellations have given back or quoted."""
    if not any(item.has_past for item in items):  # type: ignore[attr-defined]  # an annotation
        return gather_paid(order, items, given=Given(has_shipping=order.shipping_refund_amount > 0))
    points = read_order_points(order.pk)
    return gather_paid(order, items, given=find_given(order), points=points)


@prepared
def _list_reasons(pks: Sequence[int]) -> models.QuerySet[CancellationReason]:
    return CancellationReason.objects.filter(is_active=True, pk=pks)  # type: ignore[misc]  # the argument stands for one of them


def _read_unnamed(
    asked: Sequence[ItemRequest], reasons: Mapping[int, CancellationReason]
) -> dict[str, CancellationReason]:
    """Read, by type, the reason that counts where one makes no sense and is let through (`UNKNOWN_REASONS`)."""
    if settings.UNKNOWN_REASONS != "review":
        return {}
    kinds = {
        ask.cancellation_type
        for ask in asked
        if ask.reason not in reasons or reasons[ask.reason].cancellation_type != ask.cancellation_type
    }
    return {kind: get_unchosen_reason(Cause.REASON_NOT_GIVEN, kind) for kind in sorted(kinds)}


def _read_companies(order: Order, command: CancellationCommand) -> dict[int, EasyReturnCompany]:
    """Read who collects returns, if anything is returned, or a company is named."""
    if all(ask.cancellation_type == "cancel" and ask.shipping_company is None for ask in command.items):
        return {}
    return {company.pk: company for company in list_companies(order.channel_id)}


def _read_pickup(command: CancellationCommand) -> dict[str, Any] | None:
    """Read the address that is named for the pickup; None: none is, or there is no such entry."""
    if command.pickup_address is None:
        return None
    try:
        return address_document(get_address(command.pickup_address, command.caller))
    except AddressUnknown:
        return None
