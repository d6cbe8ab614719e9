"""Throttle those who look for guests' orders: by what they look for, and by where they come from."""

from datetime import timedelta
from typing import Final

from django.conf import settings

from aftercart.accounts.tallies import count_try
from aftercart.orders.errors import TooManyTries

WINDOW: Final = timedelta(minutes=10)


def limit_guests(*, number: str, email: str, client: str) -> None:
    """Count one look-up. Raises `TooManyTries`, whether there is such an order or not.

    The client's address is given more than a single order is: behind a storefront's proxy all of its guests
    have the same.
    """
    tries = [
        (count_try("guest.number", number, WINDOW), settings.GUEST_LOOKUPS),
        (count_try("guest.email", email.lower(), WINDOW), settings.GUEST_LOOKUPS),
        (count_try("guest.client", client, WINDOW), settings.GUEST_LOOKUPS_PER_CLIENT),
    ]
    waits = [wait for (count, wait), most in tries if count > most]
    if waits:
        raise TooManyTries(max(waits))
