"""Several writes in one statement: one round trip, where each by itself would be one.

PostgreSQL carries out all parts of a `WITH` on one snapshot, whole or not at all. No part sees what another does, so
no row may be written by two; foreign keys are checked at the end, so that rows may refer to each other.
"""

from collections.abc import Iterable, Sequence
from typing import Any

from django.db import connection, models
from django.db.models import sql
from django.db.models.constants import OnConflict
from django.db.models.expressions import DatabaseDefault

from aftercart.lib.prepared import Part, make_update

#: A model, whether its rows have ids, and the columns that the database fills in.
_Kind = tuple[type[models.Model], bool, tuple[str, ...]]
#: The INSERT of one row of a kind.
_inserts: dict[_Kind, str] = {}


class Batch:
    """Writes that are to be carried out together, within a transaction."""

    def __init__(self) -> None:
        self._parts: list[Part] = []
        self._rows: list[models.Model] = []

    def insert(self, *rows: models.Model) -> None:
        """Insert rows of one model, with ids that have been allocated, or none. No default is read back."""
        self._parts.append(_write_insert(rows))
        self._rows += rows

    def add(self, part: Part) -> None:
        """Add an update whose SQL is made once (`prepared_part`)."""
        self._parts.append(part)

    def update(self, rows: models.QuerySet[Any], **values: Any) -> None:
        """Update rows of one table, with values or expressions."""
        self._parts.append(make_update(rows, values).get_compiler(connection=connection).as_sql())

    def execute(self) -> None:
        """Carry out all of it. Raises what any of the writes raises; then none was done."""
        names = [f"write_{number}" for number in range(len(self._parts))]
        parts = ", ".join(
            f"{name} AS ({statement})" for name, (statement, _) in zip(names, self._parts, strict=True)
        )
        with connection.cursor() as cursor:
            cursor.execute(f"WITH {parts} SELECT", [value for _, params in self._parts for value in params])
        for row in self._rows:
            _mark_saved(row)


def insert_if_new(row: models.Model) -> bool:
    """Insert a row, and give it its id, unless a unique index knows it already; return whether it was inserted."""
    query = _insert([row])
    query.on_conflict = OnConflict.IGNORE
    compiler = query.get_compiler(connection=connection)
    compiler.returning_fields = [row._meta.pk]
    [(statement, params)] = compiler.as_sql()
    with connection.cursor() as cursor:
        cursor.execute(statement, params)
        found = cursor.fetchone()
    if found is None:
        return False
    row.pk = found[0]
    _mark_saved(row)
    return True


def _insert(rows: Iterable[models.Model]) -> Any:
    rows = list(rows)
    model = type(rows[0])
    query = sql.InsertQuery(model)
    query.insert_values(_list_fields(rows[0]), rows)
    return query


def _write_insert(rows: Sequence[models.Model]) -> Part:
    """Write an INSERT; that of one row is made once for its model, as long as its values are no expressions."""
    found = _list_values(rows[0]) if len(rows) == 1 else None
    if found is not None and found[0] in _inserts:
        return _inserts[found[0]], found[1]
    [(statement, params)] = _insert(rows).get_compiler(connection=connection).as_sql()
    if found is not None:
        _inserts[found[0]] = statement
    return statement, params


def _list_values(row: models.Model) -> tuple[_Kind, tuple[Any, ...]] | None:
    """List what is inserted for a row, as Django's own compiler does, and on what its SQL depends.

    That is its model, and which fields the database gives a value. None if there are other expressions.
    """
    values, left_out = [], []
    for field in _list_fields(row):
        value = field.pre_save(row, add=True)
        if isinstance(value, DatabaseDefault):
            left_out.append(field.attname)
            continue
        if not hasattr(value, "resolve_expression"):
            value = field.get_db_prep_save(value, connection)
        if hasattr(value, "resolve_expression") or hasattr(value, "as_sql"):
            return None
        values.append(value)
    return (type(row), row.pk is not None, tuple(left_out)), tuple(values)


def _list_fields(row: models.Model) -> list[Any]:
    """List the fields that are inserted: without its id, if that is to be allocated."""
    return [field for field in row._meta.concrete_fields if row.pk is not None or not field.primary_key]


def _mark_saved(row: models.Model) -> None:
    row._state.adding, row._state.db = False, connection.alias  # noqa: SLF001 - as Django's own inserts do


def allocate_ids(*wanted: tuple[type[models.Model], int]) -> list[list[int]]:
    """Allocate ids of tables, so many of each, in one statement."""
    parts = " UNION ALL ".join(
        f"SELECT {number}, nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)"  # noqa: S608 - a number
        for number in range(len(wanted))
    )
    params = [value for model, count in wanted for value in (model._meta.db_table, count)]
    with connection.cursor() as cursor:
        cursor.execute(parts, params)
        rows = cursor.fetchall()
    return [sorted(pk for place, pk in rows if place == number) for number in range(len(wanted))]
