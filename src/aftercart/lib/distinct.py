"""The few values of a column of many rows, read from an index that begins with it: one step a value."""

from typing import Any

from django.db import connection, models

_LIST = """
    WITH RECURSIVE found(value) AS (
        (SELECT {column} FROM {table} ORDER BY {column} LIMIT 1)
        UNION ALL
        SELECT (SELECT {column} FROM {table} WHERE {column} > found.value ORDER BY {column} LIMIT 1)
        FROM found WHERE found.value IS NOT NULL
    )
    SELECT value FROM found WHERE value IS NOT NULL
"""


def list_values(model: type[models.Model], name: str) -> list[Any]:
    """List the values of a field, in order; `SELECT DISTINCT` would read the whole table, or the whole index."""
    quote = connection.ops.quote_name
    meta = model._meta
    columns = {field.name: field.column for field in meta.concrete_fields}
    table, column = quote(meta.db_table), quote(str(columns[name]))
    with connection.cursor() as cursor:
        cursor.execute(_LIST.format(table=table, column=column))
        return [value for (value,) in cursor.fetchall()]
