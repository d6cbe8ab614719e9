"""Delete stored documents after some time: most orders are read for some days, and whoever reads builds anew."""

from typing import Final

from django.db import connection

_DAYS: Final = 30
#: Rows that one statement deletes, so that none takes long.
_BATCH: Final = 1000

_DELETE: Final = """
    DELETE FROM orders_storeddocument WHERE (order_id, kind, language) IN (
        SELECT order_id, kind, language FROM orders_storeddocument
        WHERE built_at < now() - make_interval(days => %s) ORDER BY built_at LIMIT %s
    )
"""


def forget_documents() -> int:
    """Delete what was built more than a month ago; return how many."""
    total = 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute(_DELETE, [_DAYS, _BATCH])
            deleted: int = cursor.rowcount
            total += deleted
            if deleted < _BATCH:
                return total
