"""What the policy says of an order that there is, and why: for `aftercart policy explain` and the back office."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from aftercart.cancellations.policy.selectors import get_policy
from aftercart.cancellations.selectors import find_open_items
from aftercart.orders.facts import CaseKind, RequestedUnits
from aftercart.orders.models import Order, OrderItem
from aftercart.orders.policy.clauses import PolicyBook
from aftercart.orders.policy.explain import AddressExplanation, ItemExplanation, explain, explain_address
from aftercart.orders.selectors import gather_facts
from aftercart.orders.status import SHIPPED


@dataclass(frozen=True, slots=True)
class OrderExplanation:
    """An order judged by one version of the policy at one time: its items, or its address."""

    order: Order
    book: PolicyBook
    at: datetime
    items: tuple[ItemExplanation, ...] = ()
    address: AddressExplanation | None = None


def explain_order(
    order: Order,
    *,
    book: PolicyBook,
    at: datetime,
    kind: CaseKind | None = None,
    quantities: Mapping[int, int | None] | None = None,
) -> OrderExplanation:
    """Explain what would be said if an order's items were asked for together at a time.

    `quantities` names the items and how many units of each (None: all that is left); without it all of them
    are asked for. Without a kind each is asked for as its status suggests. The order is taken as it is now.
    """
    policy = get_policy(order, book)
    items = list(OrderItem.objects.filter(order=order).order_by("pk"))
    in_progress = find_open_items([order.pk])
    if kind == "address_change":
        address = explain_address(
            status=order.status,
            item_statuses={item.status for item in items},
            is_cancelling=bool(in_progress),
            is_store_pickup=order.is_store_pickup,
            policy=policy,
        )
        return OrderExplanation(order, book, at, address=address)
    all_requested = [
        RequestedUnits(
            item.pk,
            kind or ("refund" if item.status in SHIPPED else "cancel"),
            None if quantities is None else quantities[item.pk],
        )
        for item in items
        if quantities is None or item.pk in quantities
    ]
    explained = explain(
        all_requested,
        gather_facts(order, items, in_progress),
        placed_at=order.created_date,
        policy=policy,
        now=at,
    )
    return OrderExplanation(order, book, at, items=explained)
