"""Compare what was promised with what Omnitron tells, for those refunds that are wholly by our quotes."""

from collections import defaultdict
from collections.abc import Iterator
from decimal import Decimal

from aftercart.actions.book_refund import REFUND_DIFFERS, write_amount
from aftercart.cancellations.models import RefundQuoteLine
from aftercart.lib.money import ZERO
from aftercart.omnitron.messages import RemoteOrder
from aftercart.orders.models import Order, OrderItem

#: The item (None: the whole order), what differs, ours, theirs.
Found = tuple[OrderItem | None, str, str, str]


def compare_refunds(order: Order, remote: RemoteOrder) -> Iterator[Found]:
    """Find the refunds that differ, of items and then of the order as a whole.

    Only what can be compared is: items whose cancelled units were all quoted here, and amounts that Omnitron
    tells (none and zero are not). Its total may be with the shipping or without; both are right.
    """
    rows = {row.pk: row for row in remote.items}
    quoted = _read_completed(order)
    promised_total, is_all_ours = ZERO, True
    for item in order.items.order_by("pk"):
        lines = quoted[item.pk]
        promised = sum((line.refund_amount - line.fee_amount for line in lines), ZERO)
        promised_total += promised
        if sum(line.line.quantity for line in lines) != item.cancelled_quantity:
            is_all_ours = False
            continue
        refunds = [rows[pk].refund_amount for pk in item.remote_pks if pk in rows]
        told = sum((refund for refund in refunds if refund is not None), ZERO)
        if told and told != promised:
            yield item, REFUND_DIFFERS, write_amount(promised), write_amount(told)
    if is_all_ours:
        yield from _compare_whole(remote, quoted, promised_total)


def _read_completed(order: Order) -> dict[int, list[RefundQuoteLine]]:
    """Read what completed lines were quoted, by item."""
    found: dict[int, list[RefundQuoteLine]] = defaultdict(list)
    lines = RefundQuoteLine.objects.filter(line__order_item__order=order, line__outcome="completed")
    for line in lines.select_related("line", "quote").defer("line__iban", "line__holder_name"):
        found[line.line.order_item_id].append(line)
    return found


def _compare_whole(
    remote: RemoteOrder, quoted: dict[int, list[RefundQuoteLine]], items_total: Decimal
) -> Iterator[Found]:
    quotes = {line.quote for lines in quoted.values() for line in lines}
    booked = [quote for quote in quotes if quote.rest_booked_at is not None]
    shipping = sum((quote.shipping_refund_amount for quote in booked), ZERO)
    rest = sum((quote.gift_box_refund_amount for quote in booked), ZERO)
    promised = items_total + shipping + rest
    told = remote.refund_amount or ZERO
    if told and told not in {promised, promised - shipping}:
        yield None, REFUND_DIFFERS, write_amount(promised), write_amount(told)
    told_shipping = remote.shipping_refund_amount or ZERO
    if told_shipping and told_shipping != shipping:
        yield None, "shipping_refund_amount", write_amount(shipping), write_amount(told_shipping)
