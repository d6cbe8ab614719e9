"""Writing many rows at once: COPY for new ones, COPY and one UPDATE for changed ones.

JSON columns take the text that `encode_json` makes, array columns PostgreSQL's own notation.
"""

from collections.abc import Sequence
from typing import Any, Final

import msgspec
from django.db import connection
from psycopg import sql

#: A `Decimal` becomes a JSON number, digit for digit.
_encoder: Final = msgspec.json.Encoder(decimal_format="number")
#: The sequence is looked up once, and not for each id: seven times as fast.
_TAKE_IDS: Final = """
    SELECT nextval(own.sequence)
    FROM (SELECT pg_get_serial_sequence(%s, 'id')::regclass AS sequence OFFSET 0) AS own, generate_series(1, %s)
"""


def encode_json(value: Any) -> str:
    """Write a value as JSON for a jsonb column."""
    return _encoder.encode(value).decode()


def copy_rows(table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Insert rows by COPY. What breaks a constraint fails them all with `django.db.DatabaseError`."""
    if not rows:
        return
    statement = sql.SQL("COPY {} ({}) FROM STDIN").format(_name(table), _names(columns))
    with connection.cursor() as cursor, connection.wrap_database_errors, cursor.copy(statement) as copy:
        for row in rows:
            copy.write_row(row)


def find_rows(table: str, name: str, texts: Sequence[str], columns: Sequence[str]) -> list[tuple[Any, ...]]:
    """Return these columns of the rows in which the text column `name` is one of many texts.

    They go as one JSON list: a placeholder for each, as a queryset has it, takes longer to write than to find.
    """
    if not texts:
        return []
    statement = sql.SQL(
        "SELECT {} FROM {} WHERE {} = ANY (ARRAY(SELECT jsonb_array_elements_text(%s::jsonb)))"
    ).format(_names(columns), _name(table), _name(name))
    with connection.cursor() as cursor:
        cursor.execute(statement, [encode_json(texts)])
        rows: list[tuple[Any, ...]] = cursor.fetchall()
    return rows


def update_rows(table: str, columns: Sequence[str], rows: Sequence[Sequence[Any]]) -> None:
    """Change rows by id: each of `rows` has the values of `columns` and then the id. Wants a transaction."""
    if not rows:
        return
    names = [*columns, "id"]
    values = [sql.SQL("{0} = changed.{0}").format(sql.Identifier(name)) for name in columns]
    with connection.cursor() as cursor:
        cursor.execute(
            sql.SQL("CREATE TEMPORARY TABLE changed ON COMMIT DROP AS SELECT {} FROM {} WITH NO DATA").format(
                _names(names), _name(table)
            )
        )
        copy_rows("changed", names, rows)
        cursor.execute(
            sql.SQL("UPDATE {0} SET {1} FROM changed WHERE {0}.id = changed.id").format(
                _name(table), sql.SQL(", ").join(values)
            )
        )
        cursor.execute("DROP TABLE changed")


def reserve_ids(table: str, count: int) -> list[int]:
    """Take `count` new ids from a table's sequence."""
    if not count:
        return []
    with connection.cursor() as cursor:
        cursor.execute(_TAKE_IDS, [table, count])
        return [row[0] for row in cursor.fetchall()]


def advance_sequence(table: str, largest: int) -> None:
    """See to it that the next new id of a table is above `largest`, an id that came from elsewhere.

    Sequences know no transaction: hold a lock against others that do the same.
    """
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_get_serial_sequence(%s, 'id')", [table])
        sequence = sql.Identifier(*str(cursor.fetchone()[0]).split("."))
        cursor.execute(
            sql.SQL("SELECT setval({}, %s) FROM {} WHERE last_value - (NOT is_called)::int < %s").format(
                sql.Literal(sequence.as_string()), sequence
            ),
            [largest, largest],
        )


def _name(table: str) -> sql.Identifier:
    return sql.Identifier(table)


def _names(columns: Sequence[str]) -> sql.Composed:
    return sql.SQL(", ").join([sql.Identifier(name) for name in columns])
