"""Check 7: every amount and every point is what was quoted for what is gone, once."""

from collections import defaultdict
from collections.abc import Iterator
from typing import TYPE_CHECKING

from aftercart.cancellations.models import Difference, RefundQuoteLine
from aftercart.lib.money import ZERO
from aftercart.loyalty.models import LoyaltyEntry
from tests.faults.harness.books import Books, Violation

if TYPE_CHECKING:
    from decimal import Decimal

MONEY = "7 money"
_Kind = LoyaltyEntry.Kind
#: What a finished line does to points.
_EFFECTS = (_Kind.RETURNED, _Kind.REFUND_CREDIT, _Kind.CLAWED_BACK)


def check_refunds(books: Books) -> Iterator[Violation]:
    """An item has given back what its completed lines were quoted, and an order what its items have."""
    quoted: dict[int, Decimal] = defaultdict(lambda: ZERO)
    for row in RefundQuoteLine.objects.filter(line__outcome="completed").select_related("line"):
        quoted[row.line.order_item_id] += row.refund_amount - row.fee_amount
    notified_otherwise = set(
        Difference.objects.filter(what="refund_amount").values_list("item_id", flat=True)
    )
    given: dict[int, Decimal] = defaultdict(lambda: ZERO)
    for item in books.items.values():
        given[item.order_id] += item.refund_amount
        if item.refund_amount != quoted[item.pk] and item.pk not in notified_otherwise:
            text = f"gave back {item.refund_amount}, quoted were {quoted[item.pk]}"
            yield Violation(MONEY, text, books.orders[item.order_id].number, item.pk)
    for order in books.orders.values():
        whole = given[order.pk] + order.shipping_refund_amount
        if order.refund_amount != whole:
            yield Violation(MONEY, f"gave back {order.refund_amount}, its parts {whole}", order.number)


def check_points(books: Books) -> Iterator[Violation]:
    """Points came back, were credited and were taken back once for each line that is gone, and for no other."""
    quoted = {row.line_id: row for row in RefundQuoteLine.objects.select_related("line")}
    for entry in LoyaltyEntry.objects.filter(kind__in=_EFFECTS, line__isnull=False):
        row = quoted[entry.line_id or 0]
        number = books.orders[entry.order_id or 0].number
        if row.line.outcome != "completed":
            yield Violation(MONEY, f"{entry.kind} {entry.amount} for a line that was not completed", number)
        elif entry.kind == _Kind.REFUND_CREDIT and entry.amount != row.points_credited:
            yield Violation(MONEY, f"credited {entry.amount}, quoted {row.points_credited}", number)
    for pk, order in books.orders.items():
        yield from _check_order(pk, order.number, is_all_gone=_is_all_gone(books, pk))
    yield from _check_credits(books, quoted)


def _check_credits(books: Books, quoted: dict[int, RefundQuoteLine]) -> Iterator[Violation]:
    """Look for what was quoted as points and never credited."""
    credited = set(
        LoyaltyEntry.objects.filter(kind=_Kind.REFUND_CREDIT, line__isnull=False).values_list(
            "line", flat=True
        )
    )
    for line in books.lines:
        row = quoted.get(line.pk)
        if (
            row is not None
            and line.outcome == "completed"
            and row.points_credited
            and line.pk not in credited
        ):
            yield books.violation(MONEY, f"{row.points_credited} points were quoted and never credited", line)


def _check_order(pk: int, number: str, *, is_all_gone: bool) -> Iterator[Violation]:
    sums: dict[str, Decimal] = defaultdict(lambda: ZERO)
    for entry in LoyaltyEntry.objects.filter(order=pk):
        sums[entry.kind] += abs(entry.amount)
    if sums[_Kind.RETURNED] > sums[_Kind.SPENT]:
        yield Violation(MONEY, f"{sums[_Kind.RETURNED]} points came back of {sums[_Kind.SPENT]}", number)
    if sums[_Kind.CLAWED_BACK] > sums[_Kind.EARNED]:
        yield Violation(MONEY, f"{sums[_Kind.CLAWED_BACK]} points were taken of {sums[_Kind.EARNED]}", number)
    if is_all_gone and sums[_Kind.CLAWED_BACK] != sums[_Kind.EARNED]:
        yield Violation(
            MONEY, f"all is gone, but {sums[_Kind.EARNED]} earned points were not all taken", number
        )


def _is_all_gone(books: Books, order_pk: int) -> bool:
    items = [item for item in books.items.values() if item.order_id == order_pk]
    return all(item.left_quantity == 0 for item in items)


CHECKS = (check_refunds, check_points)
