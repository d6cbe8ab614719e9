"""What earlier cancellations of an order have given back, or quoted, of what belongs to it as a whole."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from decimal import Decimal
from typing import Final
from uuid import UUID

from django.conf import settings
from django.db import models
from django.db.models import Exists, F, Min, OuterRef, Q
from django.db.models.functions import Coalesce
from django.db.models.lookups import GreaterThan

from aftercart.cancellations.models.quotes import IS_POINTS_ALONE, IS_UNREPORTED, RefundQuote, RefundQuoteLine
from aftercart.lib.money import ZERO
from aftercart.lib.prepared import prepared
from aftercart.orders.models import Order
from aftercart.orders.quotes import Given

#: What has been overdue for longer is no longer counted: it has been looked at, or never will be.
_LOOK_BACK: Final = timedelta(days=60)
_A_DAY: Final = timedelta(days=1)


def find_given(order: Order) -> Given:
    """Find what has been given back or is quoted, in one query.

    A quote of which any unit was declined promises no more than its open lines: its shipping and its gift box
    stay with the customer, and may be quoted again.
    """
    rows = _list_quoted(order.pk)
    by_quote = group_by_quote(rows)
    is_any_open = any(row.line.is_open for row in rows)
    wholes = [
        quote for quote, lines in by_quote.items() if is_rest_quoted(quote, lines, is_any_open=is_any_open)
    ]
    points = [row.points_returned for row in rows if row.line.is_open or row.line.outcome == "completed"] + [
        quote.rest_points_returned for quote in wholes
    ]
    return Given(
        has_shipping=order.shipping_refund_amount > 0
        or any(quote.shipping_refund_amount > 0 for quote in wholes),
        has_gift_box=any(quote.gift_box_refund_amount > 0 for quote in wholes),
        points_returned=sum(points, ZERO),
    )


@prepared
def _list_quoted(order: int) -> models.QuerySet[RefundQuoteLine]:
    rows = RefundQuoteLine.objects.filter(quote__submission__order=order).select_related("quote", "line")
    return rows.defer("line__iban", "line__holder_name")  # nothing is decrypted to add up amounts


def group_by_quote(rows: Iterable[RefundQuoteLine]) -> dict[RefundQuote, list[RefundQuoteLine]]:
    """Group lines by their quotes, which are to be selected with them."""
    found: dict[RefundQuote, list[RefundQuoteLine]] = defaultdict(list)
    for row in rows:
        found[row.quote].append(row)
    return found


@dataclass(frozen=True, slots=True)
class Unreported:
    """What was quoted for what is done and the OMS has not reported yet, how much of it is booked, and until when."""

    to_come: Decimal = ZERO
    booked: Decimal = ZERO
    due_at: datetime | None = None


def find_unreported(order: Order) -> Unreported:
    """Find what is still to come of what is done, in one query."""
    rows = RefundQuoteLine.objects.filter(line__order_item__order=order, line__outcome="completed")
    rows = rows.select_related("quote", "line").defer("line__iban", "line__holder_name")
    waiting = [row for row in rows if row.is_paid and not row.is_refunded]
    amounts = [(row.quoted_amount, row.booked_amount or ZERO) for row in waiting]
    closed = [row.line.closed_at for row in waiting]
    for quote, lines in group_by_quote(rows).items():
        is_rest_waiting = not quote.is_rest_refunded(lines)
        if quote.rest_booked_at and (is_rest_waiting or any(row in waiting for row in lines)):
            amounts.append((quote.given_rest, quote.given_rest))
            closed += [row.line.closed_at for row in lines if is_rest_waiting]
    return Unreported(
        to_come=sum((amount for amount, _booked in amounts), ZERO),
        booked=sum((booked for _amount, booked in amounts), ZERO),
        due_at=min((find_due(at) for at in closed if at), default=None),
    )


def find_due(done_at: datetime) -> datetime:
    """Find until when the refund of what was done at a time has to be with the customer (`REFUND_DAYS`)."""
    return done_at + settings.REFUND_LIFE


def find_overdue(now: datetime) -> datetime | None:
    """Find since when the oldest refund is overdue that the OMS has not reported; None: none is (two queries).

    What comes back of an order as a whole is reported with its lines or apart; looked for where those are points alone.
    """
    since = now - settings.REFUND_LIFE - _LOOK_BACK
    late = RefundQuoteLine.objects.filter(
        line__outcome="completed", line__closed_at__range=(since, now - settings.REFUND_LIFE)
    )
    reported = RefundQuoteLine.objects.filter(quote=OuterRef("quote"), reported_amount__gt=0)
    rest = Coalesce(
        "quote__rest_booked_amount", F("quote__shipping_refund_amount") + F("quote__gift_box_refund_amount")
    )
    rests = late.filter(
        IS_POINTS_ALONE,
        GreaterThan(rest, F("quote__rest_points_returned") + F("quote__rest_points_credited")),
        ~Exists(reported),
        # Booked when its last line was completed: an index leads to these, and not to each that there ever was.
        Q(quote__shipping_refund_amount__gt=0) | Q(quote__gift_box_refund_amount__gt=0),
        quote__rest_booked_at__gte=since - _A_DAY,
        quote__is_rest_reported=False,
    )
    found = [
        rows.aggregate(first=Min("line__closed_at"))["first"] for rows in (late.filter(IS_UNREPORTED), rests)
    ]
    return min((find_due(first) for first in found if first), default=None)


def find_submissions(request_pks: Sequence[int]) -> dict[int, UUID]:
    """Find the submissions with which these requests were quoted, by request (one query; none for none)."""
    if not request_pks:
        return {}
    rows = RefundQuoteLine.objects.filter(line__request__in=request_pks)
    return dict(rows.values_list("line__request", "quote__submission__uuid"))


def is_rest_quoted(quote: RefundQuote, lines: Sequence[RefundQuoteLine], *, is_any_open: bool) -> bool:
    """Return whether a quote's shipping and gift box were given back, or will be if all goes through.

    They may wait for the lines of other cancellations, too (`is_any_open`).
    """
    if quote.rest_booked_at is not None:
        return True
    return is_any_open and not any(row.line.is_declined for row in lines)
