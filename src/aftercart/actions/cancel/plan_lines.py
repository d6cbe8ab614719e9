"""Check a submission against the rows it names, and plan its lines. Reads only.

What makes no sense becomes `InputInvalid`, with every complaint at once; whether what makes sense is allowed
is for the rules to say.
"""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from typing import Any, Final

from django.conf import settings
from django.db import models
from django.db.models import Exists, OuterRef
from django.utils.translation import gettext as _

from aftercart.accounts.document import address_document
from aftercart.actions.address.get_address import AddressUnknown, get_address
from aftercart.actions.commands import CancellationCommand, ItemRequest
from aftercart.cancellations.models import (
    CancellationReason,
    EasyReturnCompany,
    RefundQuote,
    SubmissionLine,
)
from aftercart.cancellations.pickups import Calendar, find_next_slot, find_pickup_problem
from aftercart.cancellations.policy.selectors import find_collected
from aftercart.cancellations.selectors import list_companies, list_reasons
from aftercart.lib.clock import get_shop_now
from aftercart.lib.prepared import prepared
from aftercart.loyalty.models import LoyaltyEntry
from aftercart.orders.errors import InputInvalid
from aftercart.orders.models import Order, OrderItem
from aftercart.orders.payment import read_payment
from aftercart.orders.policy.clauses import Policy, is_easy_return
from aftercart.orders.policy.topics import Effect, Rule
from aftercart.orders.rules import Finding

_FIELD = "cancel_order_items"
#: The codes of what a client may leave out, and the back office has to ask for.
COLLECTION_NOT_CHOSEN: Final = "collection_not_chosen"
REASON_NOT_GIVEN: Final = "reason_not_given"


class _Complaints:
    """Collects complaints by field; those about an item name it, since the field is the whole list."""

    def __init__(self) -> None:
        self.fields: dict[str, list[str]] = defaultdict(list)

    def about_item(self, item_request: ItemRequest, field: str, message: str) -> None:
        self.fields[_FIELD].append(
            _("Item %(item)s, %(field)s: %(message)s")
            % {"item": item_request.order_item, "field": field, "message": message}
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
        collected |= {
            item_request.order_item for item_request in command.items if item_request.order_item not in items
        }
    complaints = _Complaints()
    reasons = {reason.pk: reason for reason in _list_reasons()}
    companies = _read_companies(order, command)
    pickup = _find_pickup_address(command, order, complaints)
    for position, item_request in enumerate(command.items):
        if item_request.order_item in {other.order_item for other in command.items[:position]}:
            complaints.about_item(item_request, "order_item", _("This item is named twice."))
        _check_item(item_request, items.get(item_request.order_item), complaints)
        _check_reason(item_request, reasons.get(item_request.reason), complaints)
        _check_return(item_request, companies, complaints)
        _check_account(item_request, order, complaints)
    complaints.raise_any()
    lines = []
    for item_request in command.items:
        line = _make_line(
            item_request,
            items[item_request.order_item],
            _get_reason(item_request, reasons),
            companies,
            command,
        )
        is_collected = item_request.order_item in collected and item_request.cancellation_type == "refund"
        if is_collected or command.pickup_address is not None:
            line.pickup_address = pickup
        if is_collected:
            _choose_collection(line, companies.values())
        lines.append(line)
    return tuple(lines)


def _read_companies(order: Order, command: CancellationCommand) -> dict[int, EasyReturnCompany]:
    """Read who collects returns, if anything is returned, or a company is named."""
    if all(ask.cancellation_type == "cancel" and ask.shipping_company is None for ask in command.items):
        return {}
    return {company.pk: company for company in list_companies(order.channel_id)}


def find_unchosen(
    lines: Iterable[SubmissionLine], items: Mapping[int, OrderItem], policy: Policy
) -> list[Finding]:
    """Find planned lines that lack what the back office must then ask for: a collection, or a reason."""
    collected = find_collected(policy, items.values())
    findings = []
    for line in lines:
        missing = []
        is_collected = line.cancellation_type == "refund" and line.order_item_id in collected
        if is_collected and (line.pickup_address is None or line.shipping_company is None):
            missing.append((COLLECTION_NOT_CHOSEN, _("Our team will arrange with you how it is collected.")))
        if line.reason.code == REASON_NOT_GIVEN:
            missing.append((REASON_NOT_GIVEN, _("No reason was given, so our team checks it first.")))
        findings += [
            Finding(line.order_item_id, Rule.APPROVAL, code, message, Effect.REVIEW)
            for code, message in missing
        ]
    return findings


def _get_reason(item_request: ItemRequest, reasons: Mapping[int, CancellationReason]) -> CancellationReason:
    """Get the reason that was given; one that makes no sense has been let through, and counts as none."""
    reason = reasons.get(item_request.reason)
    if reason is not None and reason.cancellation_type == item_request.cancellation_type:
        return reason
    defaults = {
        "subject": "Not given",
        "translations": {"tr": {"subject": "Belirtilmedi"}},
        "is_active": False,
    }
    not_given, _is_new = CancellationReason.objects.get_or_create(
        code=REASON_NOT_GIVEN, cancellation_type=item_request.cancellation_type, defaults=defaults
    )
    return not_given


def _choose_collection(line: SubmissionLine, companies: Iterable[EasyReturnCompany]) -> None:
    """Choose for a client that cannot: the channel's first company, and the next time at which it collects."""
    if line.shipping_company is not None or not settings.RETURN_DEFAULTS:
        return
    line.shipping_company = next(iter(companies), None)
    if line.shipping_company is not None and line.pickup_date is None:
        now = get_shop_now()
        line.pickup_date = find_next_slot(line.shipping_company.calendar, now)


def _find_pickup_address(
    command: CancellationCommand, order: Order, complaints: _Complaints
) -> dict[str, Any] | None:
    """Find where returns are collected: where the customer says, or else where the order was delivered.

    Not at a store, where nobody collects anything.
    """
    if command.pickup_address is None:
        is_known = settings.RETURN_DEFAULTS and order.shipping_address and not order.is_store_pickup
        return order.shipping_address if is_known else None
    try:
        found = address_document(get_address(command.pickup_address, command.caller))
    except AddressUnknown:
        complaints.fields["pickup_address"].append(say_unknown(str(command.pickup_address)))
        return None
    here, there = _read_country(order.shipping_address), _read_country(found)
    if here and there and here != there:
        complaints.fields["pickup_address"].append(
            _("Returns are collected only in the country that the order was delivered to.")
        )
        return None
    return found


def _read_country(address: Mapping[str, Any] | None) -> str:
    """Return the ISO code of an address's country; "" where it is not known."""
    country = (address or {}).get("country")
    return str(country.get("code") or "").lower() if isinstance(country, dict) else ""


def _check_item(item_request: ItemRequest, item: OrderItem | None, complaints: _Complaints) -> None:
    if item is None:
        complaints.about_item(item_request, "order_item", say_unknown(item_request.order_item))
    # Nothing left is for the rules to say ("already cancelled").
    elif item_request.quantity is not None and 0 < item.left_quantity < item_request.quantity:
        message = _("Only %(left)s left of this item.") % {"left": item.left_quantity}
        complaints.about_item(item_request, "quantity", message)


def _check_reason(
    item_request: ItemRequest, reason: CancellationReason | None, complaints: _Complaints
) -> None:
    if reason is None or reason.cancellation_type != item_request.cancellation_type:
        if settings.UNKNOWN_REASONS == "review":
            return  # `_get_reason` takes it for none
        is_unknown = reason is None
        problem = (
            say_unknown(item_request.reason)
            if is_unknown
            else _("This reason is for another cancellation type.")
        )
        complaints.about_item(item_request, "reason", problem)
    elif reason.extra_information_needed and not item_request.description.strip():
        complaints.about_item(item_request, "description", _("This reason needs a description."))


def _check_return(
    item_request: ItemRequest, companies: Mapping[int, EasyReturnCompany], complaints: _Complaints
) -> None:
    if item_request.exchange_preference and item_request.cancellation_type != "refund":
        message = _("Only for a return can another size or colour be named.")
        complaints.about_item(item_request, "exchange_preference", message)
    if item_request.shipping_company is not None and item_request.shipping_company not in companies:
        complaints.about_item(item_request, "shipping_company", say_unknown(item_request.shipping_company))
    elif item_request.pickup_date is not None and item_request.cancellation_type == "refund":
        company = companies.get(item_request.shipping_company or 0)
        now = get_shop_now()
        problem = find_pickup_problem(
            company.calendar if company else Calendar(), item_request.pickup_date, now
        )
        if problem:
            complaints.about_item(item_request, "pickup_date", problem)


def _check_account(item_request: ItemRequest, order: Order, complaints: _Complaints) -> None:
    if bool(item_request.iban) != bool(item_request.holder_name.strip()):
        field = "holder_name" if item_request.iban else "iban"
        complaints.about_item(item_request, field, _("IBAN and account holder belong together."))
    elif item_request.iban and read_payment(order).has_source:
        message = _("This payment is refunded to where it came from; an IBAN is not taken.")
        complaints.about_item(item_request, "iban", message)


def _make_line(
    item_request: ItemRequest,
    item: OrderItem,
    reason: CancellationReason,
    companies: Mapping[int, EasyReturnCompany],
    command: CancellationCommand,
) -> SubmissionLine:
    return SubmissionLine(
        order_item=item,
        reason=reason,
        cancellation_type=item_request.cancellation_type,
        quantity=item_request.quantity or max(item.left_quantity, 1),
        description=item_request.description,
        exchange_preference=item_request.exchange_preference,
        fully_refund_as_loyalty_money=command.fully_refund_as_loyalty_money,
        iban=item_request.iban,
        holder_name=item_request.holder_name,
        shipping_company=companies[item_request.shipping_company]
        if item_request.shipping_company is not None
        else None,
        pickup_date=item_request.pickup_date,
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


_list_reasons = prepared(list_reasons)
