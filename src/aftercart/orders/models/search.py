"""What an order is found by: its number, e-mail addresses, names, phone numbers, products and skus, in one row.

Triggers keep it. Of a search with several words each may be of another kind, which one index answers in one step.
"""

from typing import Any

from django.contrib.postgres.indexes import GinIndex
from django.contrib.postgres.search import SearchVectorField
from django.db import models

from aftercart.lib.search import Fits
from aftercart.orders.models.orders import Order


class OrderWords(models.Model):
    """The words of an order. A trigger makes the row with its order."""

    order = models.OneToOneField(Order, primary_key=True, on_delete=models.CASCADE, related_name="words")
    words = SearchVectorField()

    class Meta:
        indexes = [GinIndex(fields=["words"], name="orders_by_words")]

    def __str__(self) -> str:
        return f"words of {self.order_id}"


def find_orders(term: str, *, most: int | None = None) -> models.QuerySet[OrderWords, Any]:
    """Return the ids of the orders that a term of `clean_term()` fits, as a subquery; the newest `most`, if given."""
    found = OrderWords.objects.filter(Fits("words", term)).values("order")
    # By an expression: the index of the ids would be walked through until enough are found, which may be never.
    return found if most is None else found.order_by((models.F("order") + 0).desc())[:most]
