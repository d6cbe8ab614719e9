"""Delete stored documents after some time: most orders are read for some days, and whoever reads builds anew."""

from typing import Final

from django.conf import settings
from django.db import connection

#: Rows that one statement deletes, so that none takes long.
_BATCH: Final = 1000

_DELETE: Final = """
    DELETE FROM orders_storeddocument WHERE (order_id, kind, language) IN (
        SELECT order_id, kind, language FROM orders_storeddocument
        WHERE built_at < now() - make_interval(secs => %s) ORDER BY built_at LIMIT %s
    )
"""


def forget_documents() -> int:
    """Delete what was built longer ago than `STORED_DOCUMENT_DAYS`; return how many."""
    total = 0
    with connection.cursor() as cursor:
        while True:
            cursor.execute(_DELETE, [settings.STORED_DOCUMENT_LIFE.total_seconds(), _BATCH])
            deleted: int = cursor.rowcount
            total += deleted
            if deleted < _BATCH:
                return total
