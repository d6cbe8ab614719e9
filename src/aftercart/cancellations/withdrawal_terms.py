"""Whether an order's customer gets the withdrawal function, until when, and what has been stated."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from django.conf import settings
from django.db.models import Q

from aftercart.cancellations.models.withdrawals import Withdrawal, WithdrawalLine, WithdrawalPolicy
from aftercart.lib.clock import get_shop_zone
from aftercart.orders.models import Order, OrderItem
from aftercart.orders.selectors import read_country
from aftercart.orders.withdrawal_rules import GoodFacts, WithdrawalTerms, find_period_end, is_in_time


@dataclass(frozen=True, slots=True)
class WithdrawalOffer:
    """What holds for one order now. `is_shown`: the link stands on its pages.

    `items` are those that can still be withdrawn from; `is_possible` where there is one and the shop offers
    the function at all, in time or not: a statement is recorded whenever it comes.
    """

    is_offered: bool
    ends_at: datetime | None
    is_in_time: bool
    items: Sequence[OrderItem]

    @property
    def is_possible(self) -> bool:
        """Whether a statement can be made."""
        return self.is_offered and bool(self.items)

    @property
    def last_moment(self) -> datetime | None:
        """The last moment of the period, on its last day."""
        return None if self.ends_at is None else self.ends_at - timedelta(seconds=1)

    @property
    def is_shown(self) -> bool:
        """Whether the pages of the order show the way."""
        return self.is_possible and self.is_in_time


def find_terms(order: Order) -> WithdrawalTerms | None:
    """Find what a shop grants to an order's customer; None where it offers no withdrawal function.

    An order whose country nobody knows counts as one of those that have it: a right is not lost by that.
    """
    country = read_country(order.shipping_address) or read_country(order.billing_address)
    rows = WithdrawalPolicy.objects.filter(
        Q(channel_id=order.channel_id) | Q(channel_id=None), country__in=["", country]
    )
    ranked = sorted(rows, key=lambda row: (bool(row.country), row.channel_id is not None))
    zone = get_shop_zone()
    if ranked:
        return WithdrawalTerms(ranked[-1].days, zone) if ranked[-1].is_offered else None
    countries = settings.WITHDRAWAL_COUNTRIES
    is_offered = "*" in countries or (country in countries if country else bool(countries))
    return WithdrawalTerms(settings.WITHDRAWAL_DAYS, zone) if is_offered else None


def find_offer(order: Order, items: Sequence[OrderItem], now: datetime) -> WithdrawalOffer:
    """Find what holds for an order, in two queries."""
    terms = find_terms(order)
    if terms is None:
        return WithdrawalOffer(is_offered=False, ends_at=None, is_in_time=False, items=())
    goods = [GoodFacts(item.status, item.left_quantity, item.delivered_at) for item in items]
    ends_at = find_period_end(goods, terms)
    stated = set(
        WithdrawalLine.objects.filter(order_item__order=order, is_standing=True).values_list(
            "order_item_id", flat=True
        )
    )
    open_items = [item for item in items if item.left_quantity > 0 and item.pk not in stated]
    return WithdrawalOffer(
        is_offered=True, ends_at=ends_at, is_in_time=is_in_time(ends_at, now), items=open_items
    )


def list_withdrawals(order: Order) -> list[Withdrawal]:
    """List what has been stated about an order, newest first."""
    return list(Withdrawal.objects.filter(order=order))
