"""Throttle what can be tried too often: by what is tried, and by the network that it comes from."""

from datetime import timedelta

from aftercart.accounts.models.rate_limits import count_try
from aftercart.accounts.networks import is_shops_own, name_network
from aftercart.orders.errors import TooManyTries


def limit_tries(purpose: str, value: str, window: timedelta, most: int) -> None:
    """Count one more try of `purpose` with `value`. Raises `TooManyTries` above so many in a window."""
    done = count_try(purpose, value, window)
    if done.count > most:
        raise TooManyTries(done.seconds)


def limit_client(purpose: str, address: str, window: timedelta, most: int) -> None:
    """Count one more try from a network. Raises `TooManyTries`.

    The shop's own servers, which bring all of its customers, have no count.
    """
    if not is_shops_own(address):
        limit_tries(purpose, name_network(address), window, most)
