"""Why something cannot be done, in a sentence: the words of the same rules that the actions enforce."""

from collections.abc import Iterable, Mapping

from django.utils.translation import gettext as _

from aftercart.lib.clock import get_now
from aftercart.lib.formats import format_weekday
from aftercart.orders.address_rules import judge_address_change
from aftercart.orders.facts import RequestedUnits
from aftercart.orders.models import Order, OrderItem
from aftercart.orders.policy.clauses import Policy
from aftercart.orders.policy.topics import Rule, Topic
from aftercart.orders.rules import Finding, judge, list_refusals
from aftercart.orders.selectors import gather_facts
from aftercart.orders.status import SHIPPED, Status

#: What the badge beside an item says already.
_SAID_BY_THE_BADGE = frozenset({Rule.ALREADY_CANCELLED, Rule.IN_PROGRESS})


def explain_refusals(
    order: Order, items: Iterable[OrderItem], in_progress: frozenset[int], policy: Policy
) -> Mapping[int, str]:
    """Return, by item id, why an item can be neither cancelled nor returned; "" where nothing need be said."""
    rows = list(items)
    facts = gather_facts(order, rows, in_progress)
    sentences = {}
    for item in rows:
        requested = RequestedUnits(item.pk, "refund" if item.status in SHIPPED else "cancel")
        findings = judge([requested], facts, placed_at=order.created_date, policy=policy, now=get_now())
        refusals = [f for f in list_refusals(findings) if f.rule not in _SAID_BY_THE_BADGE]
        # The rule about the status speaks first, but only the others say something new.
        sentences[item.pk] = _say_next(item, refusals[-1]) if refusals else ""
    return sentences


def _say_next(item: OrderItem, refusal: Finding) -> str:
    """Say why, and what can be done instead."""
    if refusal.code == Topic.STATUS.declared.code:
        if item.status not in SHIPPED:
            return _("It can't be cancelled at this moment. You can return it once it has been delivered.")
        if item.delivered_at is None and item.status != Status.DELIVERED:
            words = {"day": format_weekday(item.shipped_at)}
            since = (
                _("It was handed to the carrier on %(day)s.") % words
                if item.shipped_at
                else _("It has left.")
            )
            then = _("You can return it once it arrives.")
            return f"{since} {then}"
    if refusal.rule is Rule.RETURN_WINDOW:
        help_ = _("If something is wrong with it, please contact us.")
        return f"{refusal.message} {help_}"
    return refusal.message


def find_address_refusal(
    order: Order, items: Iterable[OrderItem], in_progress: frozenset[int], policy: Policy
) -> str:
    """Return why the address of an order cannot change, whatever the new one is; "" if it can."""
    refusal = judge_address_change(
        status=order.status,
        item_statuses={item.status for item in items},
        is_cancelling=bool(in_progress),
        is_store_pickup=order.is_store_pickup,
        policy=policy,
    )
    return refusal.message if refusal else ""
