"""Find a guest's order for who knows its number and its e-mail address (contract section 5)."""

from aftercart.actions.limit_guests import limit_guests
from aftercart.orders.errors import GuestOrderNotFound
from aftercart.orders.models import Order
from aftercart.orders.selectors import find_guest_order


def find_anonymous(*, number: str, email: str, client: str) -> Order:
    """Find a guest's order. Raises `GuestOrderNotFound`, one for every miss, or `TooManyTries`.

    Whatever is missed, the same statements run: an unknown number, a customer's order, another e-mail address.
    """
    limit_guests(number=number, email=email, client=client)
    order = find_guest_order(number=number, email=email)
    if order is None:
        raise GuestOrderNotFound
    return order
