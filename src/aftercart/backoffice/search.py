"""Search of the lists: by what people have at hand, in the list's own query.

Each word of a term must be the beginning of something: number, e-mail, a name, a product, a sku; digits may be the end
of a phone number, and `#12` is the number of a row.
"""

import re
from dataclasses import dataclass
from typing import Any, Final

from django.db.models import Func, Q, QuerySet

from aftercart.accounts.models import User
from aftercart.lib.ids import LONGEST_ID
from aftercart.lib.search import Fits, IsAmong, Words, clean_term
from aftercart.orders.models.search import find_orders

#: By which customers are found, as their index says it.
USER_WORDS: Final = ("email", "first_name", "last_name")


@dataclass(frozen=True, slots=True)
class OrderSearch:
    """Search of rows by their number, or that of what `number` leads to, and by their order.

    `order` is the path to a row's order ("pk" for orders themselves); the newest orders if more than `most` fit.
    """

    order: str
    number: str = "pk"
    most: int | None = None

    def find(self, queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
        """Keep the rows that a term fits."""
        if match := re.fullmatch(rf"\s*#\s*(\d{{1,{LONGEST_ID}}})\s*", term):
            return queryset.filter(_name(queryset, self.number, int(match[1])))
        term = clean_term(term)
        return queryset.filter(IsAmong(self.order, find_orders(term, most=self.most))) if term else queryset


@dataclass(frozen=True, slots=True)
class OwnSearch:
    """Search of rows by their own `words`, as an index has them, by their order, or by their customer."""

    words: tuple[str, ...] = ()
    order: str = ""
    user: bool = False

    def find(self, queryset: QuerySet[Any], term: str) -> QuerySet[Any]:
        """Keep the rows that a term fits."""
        term = clean_term(term)
        if not term:
            return queryset
        conditions: list[Func] = [IsAmong(self.order, find_orders(term))] if self.order else []
        if self.words:
            conditions.append(Fits(Words(*self.words), term))
        if self.user:
            users = User.objects.filter(Fits(Words(*USER_WORDS), term))
            conditions.append(IsAmong("user", users.order_by().values("pk")))
        # Each by its own index: of conditions that are joined by OR, none would be used.
        rows = [queryset.model.objects.filter(condition).order_by().values("pk") for condition in conditions]
        return queryset.filter(IsAmong("pk", rows[0].union(*rows[1:]) if len(rows) > 1 else rows[0]))


def _name(queryset: QuerySet[Any], number: str, pk: int) -> Q:
    if "__" not in number:
        return Q(**{number: pk})
    # Through a subquery: a join with many rows would repeat what it finds.
    return Q(pk__in=queryset.model.objects.filter(**{number: pk}).order_by().values("pk"))
