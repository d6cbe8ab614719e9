"""Get a guest's order for who knows its number and its e-mail address (contract section 5)."""

from aftercart.actions.account.limit_guests import LookUp, is_sent_again, limit_guests, reserve_guess
from aftercart.orders.errors import GuestOrderNotFound
from aftercart.orders.models import Order
from aftercart.orders.selectors import find_guest_order


def get_anonymous(*, number: str, email: str, client: str) -> Order:
    """Get a guest's order. Raises `GuestOrderNotFound`, one for every miss, or `TooManyTries`.

    Whatever is missed, the same statements run: an unknown number, a customer's order, another e-mail address.
    """
    asked = LookUp(number, email, client)
    is_replay = is_sent_again(asked)
    limit_guests(asked, is_replay=is_replay)
    guesses = reserve_guess(number, is_replay=is_replay)
    order = find_guest_order(number=number, email=email)
    if order is None:
        raise GuestOrderNotFound
    for guess in guesses:
        guess.give_back()
    return order
