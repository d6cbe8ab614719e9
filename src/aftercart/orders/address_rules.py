"""The rules of an address change (contract section 4): pure, the same for the page and the action."""

from collections.abc import Collection
from dataclasses import dataclass

from django.utils.translation import gettext as _

from aftercart.orders.status import FINAL, Status


@dataclass(frozen=True, slots=True)
class AddressRefusal:
    """Why the address cannot change: a stable code and a sentence in the caller's language."""

    code: str
    message: str


def judge_address_change(
    *,
    status: str,
    item_statuses: Collection[str],
    is_cancelling: bool,
    is_store_pickup: bool,
    allowed_statuses: Collection[str],
) -> AddressRefusal | None:
    """Judge whether an order may be sent to any other address; None if it may.

    Items that are cancelled already do not count: what is left has to be on this side of shipping.
    """
    if is_cancelling or status == Status.CANCELLATION_WAITING:
        message = _("The address can't be changed while a cancellation is in progress.")
        return AddressRefusal("cancellation_in_progress", message)
    if is_store_pickup:
        return AddressRefusal("store_pickup", _("This order is collected in a store."))
    remaining = {status, *item_statuses} - FINAL
    if status in FINAL or not remaining <= set(allowed_statuses):
        return AddressRefusal("status_not_allowed", _("It is too late to change this order's address."))
    return None


def judge_country(old: str | None, new: str, *, must_be_same: bool) -> AddressRefusal | None:
    """Judge whether an order may move between these countries (ISO codes; None: not known)."""
    if must_be_same and old not in {None, new}:
        return AddressRefusal("other_country", _("The new address must be in the same country."))
    return None
