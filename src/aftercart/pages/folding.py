"""Long lists: the first few in sight, and the rest unfolded by who wants it."""

from collections.abc import Sequence
from typing import Final, Generic, NamedTuple, TypeVar

_MOST_IN_SIGHT: Final = 5
_Thing = TypeVar("_Thing")


class Folded(NamedTuple, Generic[_Thing]):
    """What is in sight, and what is folded away."""

    first: Sequence[_Thing]
    more: Sequence[_Thing]


def fold(things: Sequence[_Thing]) -> Folded[_Thing]:
    """Fold a list that is long; never a single one, which would need as much room as what unfolds it."""
    count = len(things) if len(things) <= _MOST_IN_SIGHT + 1 else _MOST_IN_SIGHT
    return Folded(things[:count], things[count:])
