"""Check a submission against the rows it names, and plan its lines. Reads only.

What makes no sense becomes `InputInvalid`, with every complaint at once; whether what makes sense is allowed
is for the rules to say.
"""

from collections import defaultdict
from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from django.conf import settings
from django.utils.translation import gettext as _

from aftercart.accounts.document import address_document
from aftercart.actions.commands import CancellationCommand, ItemAsk
from aftercart.actions.find_address import AddressUnknown, find_address
from aftercart.cancellations.models import CancellationReason, EasyReturnCompany, SubmissionLine
from aftercart.cancellations.pickups import Calendar, find_pickup_problem
from aftercart.cancellations.policy_selectors import find_collected
from aftercart.cancellations.selectors import list_companies, list_reasons
from aftercart.orders.errors import InputInvalid
from aftercart.orders.models import Order, OrderItem
from aftercart.orders.payment import read_payment
from aftercart.orders.policies import Policy, is_easy_return
from aftercart.orders.selectors import get_now

_FIELD = "cancel_order_items"


class _Complaints:
    """Collects complaints by field; those about an item name it, since the field is the whole list."""

    def __init__(self) -> None:
        self.fields: dict[str, list[str]] = defaultdict(list)

    def about_item(self, ask: ItemAsk, field: str, message: str) -> None:
        self.fields[_FIELD].append(
            _("Item %(item)s, %(field)s: %(message)s")
            % {"item": ask.order_item, "field": field, "message": message}
        )

    def raise_any(self) -> None:
        if self.fields:
            raise InputInvalid(self.fields)


def say_unknown(pk: int | str) -> str:
    """Say that an id is unknown or somebody else's: one wording for both, Django REST framework's."""
    return _('Invalid pk "%(pk)s" - object does not exist.') % {"pk": pk}


def plan_lines(
    order: Order, items: Mapping[int, OrderItem], command: CancellationCommand, policy: Policy
) -> tuple[SubmissionLine, ...]:
    """Plan the lines of a submission, unsaved. `items` are the order's own, by id.

    Raises `InputInvalid`.
    """
    collected = find_collected(policy, items.values())
    if is_easy_return(policy, policy.make_case("refund", "")):  # what is asked of an item that is unknown
        collected |= {ask.order_item for ask in command.items if ask.order_item not in items}
    complaints = _Complaints()
    reasons = {reason.pk: reason for reason in list_reasons()}
    companies = {company.pk: company for company in list_companies(order.channel_id)}
    pickup = _find_pickup_address(command, complaints, collected)
    for position, ask in enumerate(command.items):
        if ask.order_item in {other.order_item for other in command.items[:position]}:
            complaints.about_item(ask, "order_item", _("This item is named twice."))
        _check_item(ask, items.get(ask.order_item), complaints)
        _check_reason(ask, reasons.get(ask.reason), complaints)
        _check_return(ask, companies, complaints, is_collected=ask.order_item in collected)
        _check_account(ask, order, complaints)
    complaints.raise_any()
    return tuple(
        _make_line(ask, items[ask.order_item], reasons[ask.reason], companies, command, pickup)
        for ask in command.items
    )


def _find_pickup_address(
    command: CancellationCommand, complaints: _Complaints, collected: frozenset[int]
) -> dict[str, Any] | None:
    needs_one = any(
        ask.cancellation_type == "refund" and ask.order_item in collected for ask in command.items
    )
    if command.pickup_address is None:
        if needs_one:
            complaints.fields["pickup_address"].append(_("This field is required."))
        return None
    try:
        return address_document(find_address(command.pickup_address, command.write))
    except AddressUnknown:
        complaints.fields["pickup_address"].append(say_unknown(str(command.pickup_address)))
        return None


def _check_item(ask: ItemAsk, item: OrderItem | None, complaints: _Complaints) -> None:
    if item is None:
        complaints.about_item(ask, "order_item", say_unknown(ask.order_item))
    # Nothing left is for the rules to say ("already cancelled").
    elif ask.quantity is not None and 0 < item.left_quantity < ask.quantity:
        message = _("Only %(left)s left of this item.") % {"left": item.left_quantity}
        complaints.about_item(ask, "quantity", message)


def _check_reason(ask: ItemAsk, reason: CancellationReason | None, complaints: _Complaints) -> None:
    if reason is None:
        complaints.about_item(ask, "reason", say_unknown(ask.reason))
    elif reason.cancellation_type != ask.cancellation_type:
        complaints.about_item(ask, "reason", _("This reason is for another cancellation type."))
    elif reason.extra_information_needed and not ask.description.strip():
        complaints.about_item(ask, "description", _("This reason needs a description."))


def _check_return(
    ask: ItemAsk, companies: Mapping[int, EasyReturnCompany], complaints: _Complaints, *, is_collected: bool
) -> None:
    if ask.shipping_company is not None and ask.shipping_company not in companies:
        complaints.about_item(ask, "shipping_company", say_unknown(ask.shipping_company))
    elif ask.shipping_company is None and ask.cancellation_type == "refund" and is_collected:
        complaints.about_item(ask, "shipping_company", _("This field is required."))
    elif ask.pickup_date is not None and ask.cancellation_type == "refund":
        company = companies.get(ask.shipping_company or 0)
        now = get_now().astimezone(ZoneInfo(settings.SHOP_TIME_ZONE))
        problem = find_pickup_problem(company.calendar if company else Calendar(), ask.pickup_date, now)
        if problem:
            complaints.about_item(ask, "pickup_date", problem)


def _check_account(ask: ItemAsk, order: Order, complaints: _Complaints) -> None:
    if bool(ask.iban) != bool(ask.holder_name.strip()):
        field = "holder_name" if ask.iban else "iban"
        complaints.about_item(ask, field, _("IBAN and account holder belong together."))
    elif ask.iban and read_payment(order).has_source:
        message = _("This payment is refunded to where it came from; an IBAN is not taken.")
        complaints.about_item(ask, "iban", message)


def _make_line(
    ask: ItemAsk,
    item: OrderItem,
    reason: CancellationReason,
    companies: Mapping[int, EasyReturnCompany],
    command: CancellationCommand,
    pickup: dict[str, Any] | None,
) -> SubmissionLine:
    return SubmissionLine(
        order_item=item,
        reason=reason,
        cancellation_type=ask.cancellation_type,
        quantity=ask.quantity or max(item.left_quantity, 1),
        description=ask.description,
        fully_refund_as_loyalty_money=command.fully_refund_as_loyalty_money,
        iban=ask.iban,
        holder_name=ask.holder_name,
        shipping_company=companies[ask.shipping_company] if ask.shipping_company is not None else None,
        pickup_address=pickup,
        pickup_date=ask.pickup_date,
    )


def find_items(order: Order) -> dict[int, OrderItem]:
    """Read the items of a locked order, by id, in the order in which they are always locked."""
    return {item.pk: item for item in OrderItem.objects.filter(order=order).order_by("pk")}
