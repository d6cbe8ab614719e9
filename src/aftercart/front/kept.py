"""Answers that are kept for whoever asks the same again: of short texts alone, since it is strangers who ask.

A header may have 32 thousand characters, and thousands of them would be kept for as long as the process lives.
"""

from collections.abc import Callable
from functools import lru_cache, partial
from typing import Any, Final, Generic, TypeVar

_R = TypeVar("_R")

#: More characters than a browser's longest header that an answer depends on.
_LONGEST: Final = 512


class KeptAnswers(Generic[_R]):
    """A function of texts whose last answers are kept, at most so many; what is long is answered anew each time."""

    def __init__(self, function: Callable[..., _R], *, most: int) -> None:
        self._function = function
        self._kept = lru_cache(maxsize=most)(function)
        self.cache_clear = self._kept.cache_clear

    def __call__(self, *asked: Any) -> _R:
        """Answer."""
        size = 0
        for text in asked:
            if isinstance(text, str):
                size += len(text)
        return self._kept(*asked) if size <= _LONGEST else self._function(*asked)


def keep_answers(most: int) -> Callable[[Callable[..., _R]], KeptAnswers[_R]]:
    """Have the last answers of a function kept."""
    return partial(KeptAnswers, most=most)
