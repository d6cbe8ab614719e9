"""Search of the lists: by what people have at hand, in the list's own query.

Each word of a term must fit something: number, e-mail, a name, a product, a sku; digits may be a phone number,
and `#12` is the number of a row.
"""

import re
from typing import Any, Final

from django.db.models import Q, QuerySet

from aftercart.orders.models import OrderItem

#: As many digits as a phone number has without its country, and the fewest that mean one.
_LONGEST_PHONE, _SHORTEST_PHONE = 10, 6
_LONGEST_ID: Final = 18
#: More words than anybody types narrow nothing down, but cost.
_MOST_WORDS: Final = 8
_PHONE: Final = re.compile(r"\+?[\d\s().\-/]+")


def search(
    queryset: QuerySet[Any], term: str, *, order: str, number: str = "pk", item: str = ""
) -> QuerySet[Any]:
    """Keep the rows that a term fits.

    `order` is the path to a row's order ("" for orders themselves), `item` that to its only item, if it has one;
    else every item of the order counts. `number` is the path to what `#12` names.
    """
    term = term.replace("\0", "").strip()
    if match := re.fullmatch(rf"#\s*(\d{{1,{_LONGEST_ID}}})", term):
        return queryset.filter(_name(queryset, number, int(match[1])))
    digits = re.sub(r"\D", "", term)
    if _PHONE.fullmatch(term) and len(digits) >= _SHORTEST_PHONE:
        return queryset.filter(Q(**{f"{order}number__icontains": term}) | _fits_phone(order, digits))
    for word in term.split()[:_MOST_WORDS]:
        queryset = queryset.filter(_fits(word, order, item))
    return queryset


def _name(queryset: QuerySet[Any], number: str, pk: int) -> Q:
    if "__" not in number:
        return Q(**{number: pk})
    # Through a subquery: a join with many rows would repeat what it finds.
    return Q(pk__in=queryset.model.objects.filter(**{number: pk}).order_by().values("pk"))


def _fits_phone(order: str, digits: str) -> Q:
    """Compare the last digits, whatever stands between them: numbers are kept as shops send them."""
    pattern = r"\D*".join(digits[-_LONGEST_PHONE:]) + r"\D*$"
    return Q(**{f"{order}shipping_address__phone_number__regex": pattern}) | Q(
        **{f"{order}user__phone__regex": pattern}
    )


def _fits(word: str, order: str, item: str) -> Q:
    names = (
        "number",
        "user_email",
        "user__email",
        "user__first_name",
        "user__last_name",
        "shipping_address__first_name",
        "shipping_address__last_name",
    )
    found = Q()
    for name in names:
        found |= Q(**{f"{order}{name}__icontains": word})
    if item:
        return found | _fits_product(word, item)
    items = OrderItem.objects.filter(_fits_product(word, "")).order_by().values("order")
    return found | Q(**{f"{order}pk__in": items})


def _fits_product(word: str, item: str) -> Q:
    return Q(**{f"{item}sku__icontains": word}) | Q(**{f"{item}product__name__icontains": word})
