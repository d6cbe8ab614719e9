"""An order in a list of orders: its picture, what is in it, and where it stands."""

from collections.abc import Collection, Mapping
from typing import Any, Final

from aftercart.cancellations.kind_words import WORDS
from aftercart.cancellations.models.reasons import SubmissionKind
from aftercart.lib.web_addresses import find_image, find_shop_page, find_url
from aftercart.orders.models import Order, OrderItem
from aftercart.orders.status import FINAL, SHIPPED, Status
from aftercart.pages.story import join_names, name_items
from aftercart.pages.words import ITEM_WORDS, ItemWords

#: Of the rest only the number is shown.
MOST_PICTURES: Final = 3
_TRACKING: Final = ("tracking_url", "shipping_tracking_url", "defined_tracking_url")


class OrderCard:
    """An order in a list; its items must have been fetched with it."""

    def __init__(self, order: Order, in_progress: Collection[int] = ()) -> None:
        """Put it into words; `in_progress` are the items with an undecided cancellation or return."""
        self.order = order
        self.currency = order.currency.upper()
        items = list(order.items.all())
        names = name_items(items)
        self.names = join_names([names[item.pk] for item in items])
        self.pictures = [
            (names[item.pk], find_image(item.details.get("image"), item.product.get("image")))
            for item in items
        ]
        self.count = sum(item.quantity for item in items)
        self.more = max(len(items) - MOST_PICTURES, 0)
        self.chips = list_chips(order, items, in_progress)
        places = [order.details, *(item.details for item in items)]
        self.tracking_url = find_tracking(*places) if order.status in SHIPPED else None
        self.buy_again = find_shop_page(items[0].product.get("absolute_url")) if len(items) == 1 else None


def list_chips(order: Order, items: list[OrderItem], in_progress: Collection[int]) -> list[ItemWords]:
    """List the badges: the order's own, then what is asked for and undecided, so that neither hides the other."""
    chips = [ITEM_WORDS[Status(order.status)]]
    for kind, is_return in ((SubmissionKind.CANCEL, False), (SubmissionKind.RETURN, True)):
        if any(item.pk in in_progress and _is_returned(item) is is_return for item in items):
            chips.append(ItemWords(WORDS[kind].requested, "warn"))
    if order.status == Status.CANCELLATION_WAITING:
        return chips[1:] or chips
    if order.status not in FINAL:
        ended = {Status(item.status) for item in items if item.status in FINAL}
        chips += [ITEM_WORDS[status] for status in sorted(ended)]
    return chips


def _is_returned(item: OrderItem) -> bool:
    return bool({item.status, item.status_before} & SHIPPED)


def find_tracking(*places: Mapping[str, Any]) -> str | None:
    """Find where a parcel can be followed, in the details or documents of an order and its items."""
    return next((url for place in places for name in _TRACKING if (url := find_url(place.get(name)))), None)
