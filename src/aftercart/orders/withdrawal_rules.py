"""The period in which a contract can be withdrawn from: pure, the same for page, document and action.

Directive 2011/83/EU, article 9: it ends 14 days after the day on which the consumer gets the last good; before
that it cannot end. Regulation (EEC) 1182/71, article 3: the day of delivery does not count, the last day counts
whole, and a last day that falls on a weekend moves to the next Monday.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

_SATURDAY = 5


@dataclass(frozen=True, slots=True)
class WithdrawalTerms:
    """What a shop grants, and where its days begin."""

    days: int
    zone: ZoneInfo


@dataclass(frozen=True, slots=True)
class GoodFacts:
    """What the period depends on: an item's status, units left, and when it was delivered, if it was."""

    status: str
    left_quantity: int
    delivered_at: datetime | None


def find_period_end(goods: Iterable[GoodFacts], terms: WithdrawalTerms) -> datetime | None:
    """Find the moment before which a statement is in time; None while anything is yet to be delivered."""
    kept = [good for good in goods if good.left_quantity > 0]
    delivered = [good.delivered_at for good in kept if good.delivered_at is not None]
    if not kept or len(delivered) < len(kept):
        return None
    last = max(delivered).astimezone(terms.zone).date() + timedelta(days=terms.days)
    while last.weekday() >= _SATURDAY:
        last += timedelta(days=1)
    return datetime.combine(last + timedelta(days=1), time.min, terms.zone)


def is_in_time(end: datetime | None, now: datetime) -> bool:
    """Return whether a statement made now is in time."""
    return end is None or now < end
