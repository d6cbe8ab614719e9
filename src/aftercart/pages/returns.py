"""What is left for the customer to do about a return, and where the money will go: from open lines."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from aftercart.cancellations.easy_return import find_instructions
from aftercart.cancellations.models import SubmissionLine
from aftercart.lib.clock import get_now
from aftercart.orders.models import Order


@dataclass(frozen=True, slots=True)
class ReturnCard:
    """One line that is not decided yet.

    `code` is "" until Omnitron has issued one; `instructions` is "" where somebody collects the parcel;
    `account` is the last four characters of an account number, or "".
    """

    item: str
    quantity: int
    is_return: bool
    company: str
    code: str
    valid_until: datetime | None
    is_expired: bool
    pickup_day: date | None
    pickup_hours: str
    pickup_address: Mapping[str, Any] | None
    instructions: str
    account: str

    @property
    def is_worth_showing(self) -> bool:
        """Whether there is anything to do or to know."""
        return self.is_return or bool(self.account)


def list_returns(order: Order, names: Mapping[int, str]) -> list[ReturnCard]:
    """List an order's open lines that ask something of the customer (two queries at most)."""
    lines = list(
        SubmissionLine.objects.filter(order_item__order=order, is_open=True).select_related(
            "shipping_company"
        )
    )
    is_sent = any(line.cancellation_type == "refund" and line.shipping_company is None for line in lines)
    instructions = find_instructions(order.channel_id) if is_sent else ""
    cards = [_make_card(line, names.get(line.order_item_id, ""), instructions) for line in lines]
    return [card for card in cards if card.is_worth_showing]


def _make_card(line: SubmissionLine, name: str, instructions: str) -> ReturnCard:
    company, until = line.shipping_company, line.easy_return_valid_until
    is_return = line.cancellation_type == "refund"
    pickup = line.pickup_date or {}
    hours = pickup.get("hour_range") or {}
    return ReturnCard(
        item=name,
        quantity=line.quantity,
        is_return=is_return,
        company=company.name if company else "",
        code=line.easy_return_code,
        valid_until=until,
        is_expired=until is not None and until < get_now(),
        pickup_day=date.fromisoformat(pickup["date"]) if pickup else None,
        pickup_hours=f"{hours['start']}–{hours['end']}" if hours else "",
        pickup_address=line.pickup_address,
        instructions=instructions if is_return and company is None else "",
        account=line.iban[-4:],
    )
