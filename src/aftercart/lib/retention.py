"""Deleting what has had its time: in bounded batches, from the oldest on, along an index."""

from typing import Any, Final

from django.db import models

#: Rows that one statement deletes, so that none takes long; and batches of one round: the next goes on.
BATCH: Final = 1_000
_MOST_BATCHES: Final = 200


def delete_oldest(rows: models.QuerySet[Any], by: str) -> int:
    """Delete rows in batches, the oldest `by` an indexed field first; return how many, with what goes with them."""
    total = 0
    for _number in range(_MOST_BATCHES):
        pks = list(rows.order_by(by).values_list("pk", flat=True)[:BATCH])
        # The condition once more: what somebody has just written stays.
        total += rows.order_by().filter(pk__in=pks).delete()[0] if pks else 0
        if len(pks) < BATCH:
            break
    return total
