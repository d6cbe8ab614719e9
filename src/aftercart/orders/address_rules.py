"""The rules of an address change (contract section 4): pure, the same for the page and the action."""

from collections.abc import Collection
from dataclasses import dataclass

from django.utils.translation import gettext as _

from aftercart.orders.policy.clauses import Clause, Policy
from aftercart.orders.policy.topics import Effect, Topic
from aftercart.orders.policy.words import get_code, say_sentence
from aftercart.orders.status import FINAL, Status


@dataclass(frozen=True, slots=True)
class AddressRefusal:
    """Why the address cannot change: a stable code and a sentence in the caller's language.

    `clause` is the number of the policy's clause that decided, None where the rule is not the policy's.
    """

    code: str
    message: str
    clause: int | None = None


def judge_address_change(
    *,
    status: str,
    item_statuses: Collection[str],
    is_cancelling: bool,
    is_store_pickup: bool,
    policy: Policy,
) -> AddressRefusal | None:
    """Judge whether an order may be sent to any other address; None if it may.

    Items that are cancelled already do not count: what is left has to be where the policy allows a change.
    There is no way by review here, so that whatever is not allowed is refused.
    """
    if is_cancelling or status == Status.CANCELLATION_WAITING:
        message = _("The address can't be changed while a cancellation is in progress.")
        return AddressRefusal("cancellation_in_progress", message)
    if is_store_pickup:
        return AddressRefusal("store_pickup", _("This order is collected in a store."))
    if status in FINAL:
        return _refuse(Topic.STATUS, None)
    for remaining in sorted({status, *item_statuses} - FINAL):
        clause = policy.decide(Topic.STATUS, policy.make_case("address_change", remaining))
        if clause is None or clause.effect is not Effect.ALLOW:
            return _refuse(Topic.STATUS, clause)
    return None


def judge_country(old: str, new: str, *, policy: Policy, status: str) -> AddressRefusal | None:
    """Judge whether an order may move between these countries (ISO codes; "": not known)."""
    if old in {"", new}:
        return None
    clause = policy.decide(Topic.COUNTRY, policy.make_case("address_change", status))
    return None if clause is None or clause.effect is Effect.ALLOW else _refuse(Topic.COUNTRY, clause)


def may_still_change(status: str, policy: Policy) -> bool:
    """Return whether an order at this status may still be sent elsewhere, for a change recorded before."""
    clause = policy.decide(Topic.STATUS, policy.make_case("address_change", status))
    return status not in FINAL and clause is not None and clause.effect is Effect.ALLOW


def _refuse(topic: Topic, clause: Clause | None) -> AddressRefusal:
    return AddressRefusal(
        get_code(topic, clause),
        say_sentence(topic, clause, "address_change"),
        clause.number if clause else None,
    )
