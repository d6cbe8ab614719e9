"""Make orders of the OMS's documents: those of a list, each with its items, under the shop's own ids."""

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from typing import Any, Final

from aftercart.actions.intake.complete_order import complete_document
from aftercart.actions.intake.import_orders import write_batch
from aftercart.cancellations.models.read_budget import has_calls_left, spending_calls
from aftercart.commerce.client import CommerceUnavailable
from aftercart.oms.errors import OmsError
from aftercart.oms.messages import RemoteItem, RemoteOrder
from aftercart.oms.port import Dialogue, OmsClient
from aftercart.orders.intake.items import ITEM_KNOWN
from aftercart.orders.intake.order import ORDER_KNOWN, OrderIntake, read_order
from aftercart.orders.intake.values import DocumentInvalid
from aftercart.orders.status import FINAL

_logger = logging.getLogger(__name__)

#: What each of the OMS's items holds for itself, and their sum for the shop's.
_SUMS: Final = ("total_amount", "refund_amount")
#: What is counted anew for an item of the shop's that is several of the OMS's.
_COUNTED: Final = {"cancelled_quantity", "quantity"}


@dataclass(slots=True)
class PullResult:
    """What became of a list: orders made or updated, those that make no sense, and those that were not read."""

    written: int = 0
    bad: dict[str, str] = field(default_factory=dict)
    unread: list[RemoteOrder] = field(default_factory=list)
    failure: OmsError | None = None


def pull_orders(
    rows: Iterable[RemoteOrder],
    channel_id: int,
    client: OmsClient,
    *,
    may_call: Callable[[], bool] = has_calls_left,
    must_complete: bool = False,
) -> PullResult:
    """Read each order's items and ids, and write all of them. No transaction is open while the OMS is asked.

    Where it fails, or `may_call` says no, the rest is `unread`, and nothing of it is lost: whoever read the list reads
    it again. Where the shop, which completes them, does not answer, an order that makes sense without is written as
    the OMS has it, unless it `must_complete`: then `CommerceUnavailable` is raised.
    What makes no sense stops nobody. Written again, an order changes only by a newer `modified_date`.
    """
    result, intakes = PullResult(), []
    for row in rows:
        if result.failure is not None or not may_call():
            result.unread.append(row)
            continue
        try:
            intakes.append(_read(row, channel_id, client, must_complete=must_complete))
        except DocumentInvalid as error:
            result.bad[row.number] = str(error)
            _logger.warning("Order %s of Omnitron's makes no sense: %s", row.number, error)
        except OmsError as error:
            result.failure = error
            result.unread.append(row)
        except CommerceUnavailable:
            if must_complete:
                raise
            result.unread.append(row)
    if intakes:
        outcome = write_batch(intakes)
        result.written = outcome.counts["created"] + outcome.counts["updated"]
        for place, reason in outcome.refused.items():
            result.bad[intakes[place].number] = reason
            _logger.warning("Order %s of Omnitron's was refused: %s", intakes[place].number, reason)
    return result


def _read(order: RemoteOrder, channel_id: int, client: OmsClient, *, must_complete: bool) -> OrderIntake:
    with spending_calls(), client.dialogue() as dialogue:
        items = dialogue.read_order_items(channel_id=channel_id, order_pk=order.pk)
        ids = _find_ids(dialogue, channel_id, order, items)
    document = make_document(order, items, ids, channel_id)
    try:
        return read_order(complete_document(document), channel_id=channel_id)
    except CommerceUnavailable as unavailable:
        if must_complete:
            raise
        try:
            return read_order(document, channel_id=channel_id)
        except DocumentInvalid:
            raise unavailable from None  # with the shop's part it may make sense


def _find_ids(
    dialogue: Dialogue, channel_id: int, order: RemoteOrder, items: Sequence[RemoteItem]
) -> Mapping[tuple[str, int], str]:
    """Find the shop's ids for the OMS's, by kind and pk."""
    ids = {}
    for kind, pks in (("order", [order.pk]), ("orderitem", [item.pk for item in items])):
        found = dialogue.find_remote_ids(channel_id=channel_id, content_type=kind, object_ids=pks)  # type: ignore[arg-type]  # both are of its kinds
        ids.update({(kind, pk): remote_id for pk, remote_id in found.items()})
    return ids


def make_document(
    order: RemoteOrder,
    items: Sequence[RemoteItem],
    ids: Mapping[tuple[str, int], str],
    channel_id: int,
) -> dict[str, Any]:
    """Make an order document (contract section 6) of the OMS's: only fields that the contract knows."""
    return {name: value for name, value in order.document.items() if name in ORDER_KNOWN} | {
        "id": ids.get(("order", order.pk)),
        "number": order.number,
        "status": order.status,
        "channel_id": channel_id,
        "orderitem_set": make_items(items, ids),
    }


def make_items(items: Sequence[RemoteItem], ids: Mapping[tuple[str, int], str]) -> list[dict[str, Any]]:
    """Make item documents of the OMS's items, putting together the OMS's items that are one of the shop's."""
    groups: dict[str, list[RemoteItem]] = {}
    for item in items:
        groups.setdefault(ids.get(("orderitem", item.pk)) or f"pk {item.pk}", []).append(item)
    return [_make_item(group, ids.get(("orderitem", group[0].pk))) for group in groups.values()]


def _make_item(group: Sequence[RemoteItem], shop_id: str | None) -> dict[str, Any]:
    first = group[0]
    document = {name: value for name, value in first.document.items() if name in ITEM_KNOWN - _COUNTED}
    open_ones = [item.status for item in group if item.status not in FINAL]
    quantities = {item.pk: item.quantity or 1 for item in group}
    document |= {
        "id": shop_id,
        "status": min(open_ones, key=int) if open_ones else first.status,
        "quantity": sum(quantities.values()),
    }
    gone = sum(quantities[item.pk] for item in group if item.status in FINAL)
    if gone and open_ones:
        document["cancelled_quantity"] = gone
    for name in _SUMS:
        amounts = [amount for item in group if (amount := _read_amount(item.document.get(name))) is not None]
        if len(amounts) == len(group):
            document[name] = sum(amounts)
    return document


def _read_amount(value: Any) -> Any:
    """Read an amount to be added up; what is none is left for the intake to refuse."""
    try:
        return None if value is None else Decimal(str(value))
    except InvalidOperation:
        return None
