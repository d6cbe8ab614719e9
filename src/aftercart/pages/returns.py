"""What is left for the customer to do about a return, and where the money will go: from open lines."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final
from uuid import UUID

from aftercart.actions.returns.change_pickup import can_change_pickup
from aftercart.cancellations.models import CancellationRequest, SubmissionLine
from aftercart.cancellations.models.easy_return import find_instructions
from aftercart.cancellations.return_pass import ReturnPass, make_pass
from aftercart.lib.barcodes import Drawing, draw_bars, draw_qr
from aftercart.orders.models import Order

_Status = CancellationRequest.Status
_UNDECIDED: Final = frozenset({_Status.WAITING, _Status.WAITING_APPROVAL, _Status.VERIFYING})


@dataclass(frozen=True, slots=True)
class ReturnCard:
    """Lines that travel together and are not decided yet: their items, and their pass; None: nothing is sent back.

    `account` is the last four characters of an account number, or "".
    """

    submission: UUID
    items: Sequence[tuple[str, int]]
    parcel: ReturnPass | None
    account: str
    is_pickup_changeable: bool

    @property
    def qr(self) -> Drawing | None:
        """The code for a scanner that reads squares; None without a code that is valid."""
        return draw_qr(self.parcel.code) if self.parcel and self._is_scanned else None

    @property
    def bars(self) -> Drawing | None:
        """The code for a scanner that reads bars."""
        return draw_bars(self.parcel.code) if self.parcel and self._is_scanned else None

    @property
    def _is_scanned(self) -> bool:
        return bool(self.parcel and self.parcel.code and not self.parcel.is_expired)


def list_returns(order: Order, names: Mapping[int, str]) -> list[ReturnCard]:
    """List what an order's open lines ask of the customer, by parcel (two queries at most)."""
    lines = SubmissionLine.objects.filter(order_item__order=order, is_open=True)
    found = lines.select_related("shipping_company", "submission", "request")
    return make_cards(order, [line for line in found if is_sendable(line) or line.iban], names)


def is_sendable(line: SubmissionLine) -> bool:
    """Return whether a parcel may be sent: not while our team decides, unless the carrier has its code already."""
    request: CancellationRequest | None = getattr(line, "request", None)
    return bool(line.easy_return_code) or request is None or request.status not in _UNDECIDED


def make_cards(order: Order, lines: Sequence[SubmissionLine], names: Mapping[int, str]) -> list[ReturnCard]:
    """Put lines into parcels: those of one submission with one pass."""
    returned = [line for line in lines if line.cancellation_type == "refund"]
    has_own_way = any(line.shipping_company is None for line in returned)
    instructions = find_instructions(order.channel_id) if has_own_way else ""
    parcels: dict[tuple[UUID, ReturnPass | None, str], list[SubmissionLine]] = {}
    for line in lines:
        is_sent_back = line in returned and is_sendable(line)
        parcel = make_pass(line, instructions=instructions) if is_sent_back else None
        if parcel or line.iban:
            parcels.setdefault((line.submission.uuid, parcel, line.iban[-4:]), []).append(line)
    return [
        ReturnCard(
            submission=submission,
            items=[(names.get(line.order_item_id, ""), line.quantity) for line in group],
            parcel=parcel,
            account=account,
            is_pickup_changeable=can_change_pickup([line for line in group if line.shipping_company]),
        )
        for (submission, parcel, account), group in parcels.items()
    ]


def view_cards(cards: Sequence[ReturnCard]) -> list[ReturnCard]:
    """Return what a link alone shows of them: not where a parcel is collected, and no end of an account."""
    return [
        replace(card, account="", parcel=replace(card.parcel, address="")) for card in cards if card.parcel
    ]
