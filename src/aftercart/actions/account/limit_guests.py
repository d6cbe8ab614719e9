"""Throttle those who look for guests' orders: by where they come from, and by how often they were wrong."""

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from django.conf import settings

from aftercart.accounts.models.rate_limits import Try, count_try
from aftercart.accounts.networks import is_shops_own, name_network
from aftercart.lib.emails import fold_email
from aftercart.orders.errors import TooManyTries

WINDOW: Final = timedelta(minutes=10)
DAY: Final = timedelta(days=1)
#: Wrong guesses about one number that a day takes, in terms of those that ten minutes take.
DAYS_SHARE: Final = 5
#: The storefront's client sends a look-up that failed up to three times more.
_REPLAYS: Final = timedelta(minutes=1)
_MOST_REPLAYS: Final = 4


@dataclass(frozen=True, slots=True)
class LookUp:
    """A look-up of a guest's order: what was typed, and the network address that it came from."""

    number: str
    email: str
    client: str


def limit_guests(asked: LookUp, *, is_replay: bool = False) -> None:
    """Count one look-up. Raises `TooManyTries`, whether there is such an order or not.

    All counts are the client's own: a stranger who knows a number uses up the stranger's. The shop's own servers,
    which bring all of its guests, have none.
    """
    if is_shops_own(asked.client):
        return
    client, email = name_network(asked.client), fold_email(asked.email)
    _judge(
        (count_try(purpose, value, WINDOW, is_replay=is_replay), most)
        for purpose, value, most in (
            ("guest.client", client, settings.GUEST_LOOKUPS_PER_CLIENT),
            ("guest.client_number", f"{client}\n{asked.number}", settings.GUEST_LOOKUPS),
            ("guest.client_email", f"{client}\n{email}", settings.GUEST_LOOKUPS),
        )
    )


def is_sent_again(asked: LookUp) -> bool:
    """Return whether a look-up repeats one of the same minute, as clients do that got no answer, or none to like.

    It learns nothing that the first did not, so it need not count.
    """
    same = "\n".join([name_network(asked.client), asked.number, fold_email(asked.email)])
    return 1 < count_try("guest.same", same, _REPLAYS).count <= _MOST_REPLAYS


def reserve_guess(number: str, *, is_replay: bool) -> list[Try]:
    """Count a guess at the e-mail address of an order number, from wherever; to be given back if it was right.

    It counts before it is looked at, so that no two of many at once share one. This is what stops many addresses
    that guess together. Raises `TooManyTries`.
    """
    most = settings.GUEST_MISSES_PER_NUMBER
    tries = [
        count_try("guest.misses", number, WINDOW, is_replay=is_replay),
        count_try("guest.misses", number, DAY, is_replay=is_replay),
    ]
    _judge(zip(tries, (most, most * DAYS_SHARE), strict=True))
    return [] if is_replay else tries


def _judge(tries: Iterator[tuple[Try, int]]) -> None:
    """Look at one count after the other: what is above the first costs no more statements."""
    for done, most in tries:
        if done.count > most:
            raise TooManyTries(done.seconds)
