"""How long to wait before the next try."""

import random
from datetime import timedelta


def compute_backoff(tries: int, *, first: timedelta, longest: timedelta) -> timedelta:
    """Double from the first wait up to the longest; up to a quarter more keeps tries out of step."""
    wait = min(first * 2.0 ** min(tries, 30), longest)
    return wait * (1 + random.random() / 4)  # noqa: S311 - jitter, not a secret
