"""Querysets and updates whose SQL is made once: to make it takes several times as long as to carry it out."""

from collections.abc import Callable, Mapping, Sequence
from copy import copy
from datetime import date
from enum import Enum
from functools import wraps
from types import SimpleNamespace
from typing import Any, Final, NamedTuple, ParamSpec, TypeVar

from django.core.exceptions import EmptyResultSet
from django.db import connection, models
from django.db.models import sql
from psycopg.types.json import Jsonb
from psycopg.types.numeric import Int8

P = ParamSpec("P")
Row_co = TypeVar("Row_co", covariant=True)

#: SQL with its parameters.
Part = tuple[str, tuple[Any, ...]]
_MANY: Final = (list, tuple, set, frozenset)
_LARGEST: Final = 2**63


class _Place(NamedTuple):
    """Where an argument goes among the parameters."""

    number: int


class _Argument(models.Value):
    """An argument in the place of a value; of several values, any of them."""

    def __init__(self, number: int, example: object) -> None:
        is_many = isinstance(example, _MANY)
        value: Any = models.Value(example)
        field = None if is_many else value._output_field_or_none  # noqa: SLF001 - as Django does
        super().__init__(number, output_field=field)
        self._template = "ANY(%s)" if is_many else "%s"

    def as_sql(self, compiler: object, connection: object) -> Any:  # noqa: ARG002 - as overridden
        """Leave a place for it."""
        return self._template, [_Place(self.value)]


class _Statement:
    """SQL, and its parameters with the places among them."""

    def __init__(self, query: Any) -> None:
        self._compiler = query.get_compiler(connection=connection)
        self._sql, self._params = self._compiler.as_sql()
        if any(isinstance(value, date) for value in self._params):
            raise TypeError("a moment must be an argument: what is made once would keep it")

    def fill(self, arguments: Sequence[Any]) -> Part:
        """Give its SQL, and parameters that are arguments where they have a place."""
        return self._sql, self._fill(arguments)

    def _fill(self, arguments: Sequence[Any]) -> tuple[Any, ...]:
        return tuple(arguments[value.number] if type(value) is _Place else value for value in self._params)


class _Select(_Statement):
    """With all that Django needs to make rows of what comes back."""

    def __init__(self, rows: Any) -> None:
        super().__init__(rows.query)
        converters = self._compiler.get_converters(
            [column for column, *_ in self._compiler.select[: self._compiler.col_count]]
        )
        self._compiler.get_converters = lambda _columns: converters
        self._rows = rows

    def run(self, arguments: Sequence[Any]) -> list[Any]:
        """Carry it out."""
        params = self._fill(arguments)
        compiler = copy(self._compiler)
        compiler.connection = connection
        compiler.as_sql = lambda: (self._sql, params)
        rows = SimpleNamespace(  # what Django's iterables want of a queryset
            query=SimpleNamespace(get_compiler=lambda *_args, **_kwargs: compiler),
            db=self._rows.db,
            model=self._rows.model,
            _known_related_objects={},
        )
        return list(self._rows._iterable_class(rows))  # noqa: SLF001 - as a queryset does


class _Update(_Statement):
    def __init__(self, made: tuple[models.QuerySet[Any], Mapping[str, Any]]) -> None:
        super().__init__(make_update(*made))

    def run(self, arguments: Sequence[Any]) -> int:
        """Carry it out; return how many rows it was."""
        with connection.cursor() as cursor:
            cursor.execute(self._sql, self._fill(arguments))
            return int(cursor.rowcount)


def make_update(rows: models.QuerySet[Any], values: Mapping[str, Any]) -> Any:
    """Make the query that gives rows of one table values or expressions."""
    query: Any = rows.query.chain(sql.UpdateQuery)
    query.clear_ordering(force=True)
    query.add_update_values(values)
    return query


def prepared(build: Callable[P, models.QuerySet[Any, Row_co]]) -> Callable[P, list[Row_co]]:
    """Make a function that returns a queryset one that returns its rows, and makes SQL of it only once.

    The function gets a placeholder for each argument, to be used as a value of a look-up or an expression; nothing
    else may vary from call to call, neither the time nor a setting. An argument of several values stands for any of
    them: `pk=pks`. None stays None. Raises `OverflowError` for an integer that no column holds.
    """
    return _make_once(build, _Select, _Select.run, list)


def prepared_update(
    build: Callable[P, tuple[models.QuerySet[Any, Any], Mapping[str, Any]]],
) -> Callable[P, int]:
    """Make a function that returns a queryset and values one that updates its rows, and returns how many.

    As `prepared`; a value may be a JSON object, too.
    """
    return _make_once(build, _Update, _Update.run, int)


def prepared_part(
    build: Callable[P, tuple[models.QuerySet[Any, Any], Mapping[str, Any]]],
) -> Callable[P, Part]:
    """Make of such a function one that returns the update as a part of a batch (`lib/batch.py`)."""
    return _make_once(build, _Update, _Update.fill, _no_part)


def _no_part() -> Part:
    raise EmptyResultSet


def _make_once(
    build: Callable[P, Any],
    kind: Callable[[Any], Any],
    use: Callable[[Any, Sequence[Any]], Any],
    nothing: Callable[[], Any],
) -> Callable[P, Any]:
    statements: dict[tuple[object, ...], Any] = {}

    @wraps(build)
    def run(*args: P.args, **kwargs: P.kwargs) -> Any:
        given = (*args, *kwargs.values())
        shape = (*kwargs, *map(_find_kind, given))
        if shape not in statements:
            statements[shape] = _make(kind, build, kwargs, given)
        statement = statements[shape]
        return nothing() if statement is None else use(statement, [_convert(value) for value in given])

    return run


def _make(
    kind: Callable[[Any], Any],
    build: Callable[..., Any],
    named: Mapping[str, object],
    given: Sequence[object],
) -> Any:
    places = [None if value is None else _Argument(number, value) for number, value in enumerate(given)]
    first_named = len(places) - len(named)
    made = build(*places[:first_named], **dict(zip(named, places[first_named:], strict=True)))
    try:
        return kind(made)
    except EmptyResultSet:
        return None


def _find_kind(value: object) -> str:
    """Find what of an argument SQL depends on."""
    if value is None:
        return "none"
    return "many" if isinstance(value, _MANY) else "one"


def _convert(value: Any) -> Any:
    """Give an argument one type whatever its size: PostgreSQL would plan anew for each."""
    if isinstance(value, _MANY):
        return [_convert(each) for each in value]
    if isinstance(value, dict):
        return Jsonb(value)
    if isinstance(value, Enum):
        value = value.value
    if isinstance(value, models.Model):
        value = value.pk
    if not isinstance(value, int) or isinstance(value, bool):
        return value
    if not -_LARGEST <= value < _LARGEST:
        raise OverflowError(value)
    return Int8(value)
