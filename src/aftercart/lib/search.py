"""Search by the beginnings of words, in an index: of everything that people have at hand of a row.

The database makes the words (`search_words`) and the question (`search_query`), so that both are folded alike: lower
case, Turkish characters as plain ones. A word is kept whole and in its pieces: `ORD-2026-000042` is found by
`000042`, `ayse@example.com` by `example`. A phone number is kept from its end.
"""

import re
from typing import Any, Final

from django.contrib.postgres.expressions import ArraySubquery
from django.contrib.postgres.search import SearchVectorField
from django.db.models import BooleanField, F, Func, QuerySet, TextField, Value

#: As many digits as a phone number has without its country, and the fewest that mean one.
_LONGEST_PHONE, _SHORTEST_PHONE = 10, 6
#: More words than anybody types narrow nothing down, but cost.
_MOST_WORDS: Final = 8
#: Characters of what is looked for, enough for any word: PostgreSQL takes none of 2 KiB in a question.
_LONGEST: Final = 256
_PHONE: Final = re.compile(r"\+?[\d\s().\-/]+")
#: What stands before a phone number that is read from its end.
_FROM_THE_END: Final = "~"


class Words(Func):
    """The words of some columns of text, for an index and for the condition that it serves."""

    function = "search_words"
    output_field = SearchVectorField()


class _Question(Func):
    function = "search_query"
    output_field = TextField()


class Fits(Func):
    """Whether words fit what was typed: each word of it has to be the beginning of one."""

    template = "%(expressions)s"
    arg_joiner = " @@ "
    output_field = BooleanField()

    def __init__(self, words: Any, term: str) -> None:
        super().__init__(words, _Question(Value(term), output_field=TextField()))


class IsAmong(Func):
    """Whether a column is among what a subquery finds, which is found first, by its own index.

    Of `IN` the database may think that to look at each row is less work.
    """

    template = "%(expressions)s)"
    arg_joiner = " = ANY("
    output_field = BooleanField()

    def __init__(self, name: str, found: QuerySet[Any, Any]) -> None:
        super().__init__(F(name), ArraySubquery(found))


def clean_term(term: str) -> str:
    """Return what is looked for; a text that looks like a phone number is one, and may be another number."""
    term = term.replace("\0", "").strip()[:_LONGEST]
    digits = re.sub(r"\D", "", term)
    if _PHONE.fullmatch(term) and len(digits) >= _SHORTEST_PHONE:
        phone = _FROM_THE_END + digits[-_LONGEST_PHONE:][::-1]
        return f"{phone}|{''.join(term.split())}"
    return " ".join(term.replace("|", " ").split()[:_MOST_WORDS])
