"""Documents: what we answer, declared once. A field says its JSON schema, in words what it means, and its source.

From these `Document.write` makes an answer's JSON of a row, and the API's document is derived (`api/schema/fields.py`).
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache
from operator import attrgetter
from typing import Any, ClassVar, Final, NamedTuple

from rest_framework import serializers

from aftercart.lib.money import format_amount
from aftercart.lib.times import format_time

#: `lib.money.format_amount`: two decimals, more only where the currency has them.
AMOUNT: Final = r"^-?\d+\.\d{2,4}$"
#: A text that PostgreSQL can hold.
NO_NUL: Final = r"^[^\u0000]*$"
#: `lib.times.format_time`.
MOMENT: Final = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z$"


class Shape(serializers.Field[Any, Any, Any, Any]):
    """A value with this JSON schema, written as `form` makes it of the row's attribute.

    The attribute bears the field's name, unless `source` names another one.
    """

    def __init__(
        self,
        schema: Mapping[str, Any],
        help_text: str = "",
        *,
        null: bool = False,
        required: bool = True,
        source: str | None = None,
        form: Callable[[Any], Any] | None = None,
    ) -> None:
        super().__init__(help_text=help_text or None, allow_null=null, required=required, source=source)
        self.schema = dict(schema)
        self.form = form

    @property
    def blank(self) -> Any:
        """What stands where nothing is known: null where there may be, else what counts as nothing."""
        return None if self.allow_null else {"string": "", "boolean": False}.get(self.schema.get("type", ""))


class Document(serializers.Serializer[Any]):
    """An answer, or a part of one, that has these fields and no others."""

    #: What else its schema says.
    constraints: ClassVar[Mapping[str, Any]] = {}

    @classmethod
    def write(cls, row: Any, details: Mapping[str, Any] | None = None, /, **given: Any) -> dict[str, Any]:
        """Write a row as a document.

        What is `given` stands as it is. Of the rest, with `details`, what is passed on is taken from these; all
        else is read from the row.
        """
        plan = _plan(cls, tuple(given), has_details=details is not None)
        document = plan.places | given
        document.update(zip(plan.names, plan.read(row), strict=True))
        if details is not None:
            document.update(zip(plan.passed_on, map(details.get, plan.passed_on), strict=True))
        for name, form in plan.forms:
            document[name] = form(document[name])
        return document

    @classmethod
    def make_blank(cls) -> dict[str, Any]:
        """Make a document of which nothing is known, with all its parts."""
        fields: dict[str, Any] = cls._declared_fields
        return {
            name: field.blank
            if isinstance(field, Shape)
            else None
            if field.allow_null
            else field.make_blank()
            for name, field in fields.items()
        }

    @classmethod
    @cache
    def list_passed_on(cls) -> tuple[str, ...]:
        """List the names of the fields that are passed on as they came."""
        fields: dict[str, Any] = cls._declared_fields
        return tuple(name for name, field in fields.items() if getattr(field, "schema", None) == {})

    @classmethod
    @cache
    def list_names(cls) -> tuple[str, ...]:
        """List the names of its fields, in their order."""
        return tuple(cls._declared_fields)


class _Plan(NamedTuple):
    """How a document is written: its fields' places, what is taken from details or the row, and the form of that."""

    places: dict[str, Any]
    passed_on: tuple[str, ...]
    names: tuple[str, ...]
    read: Callable[[Any], tuple[Any, ...]]
    forms: tuple[tuple[str, Callable[[Any], Any]], ...]


@cache
def _plan(document: type[Document], given: tuple[str, ...], *, has_details: bool) -> _Plan:
    """Plan it once for those fields that are given: most is then read at once, by code that is no Python."""
    fields: dict[str, Any] = document._declared_fields  # noqa: SLF001 - the framework's, for subclasses
    unknown = set(given) - set(fields)
    assert not unknown, f"{document.__name__} has no {sorted(unknown)}"  # noqa: S101 - a slip of ours
    passed_on = tuple(n for n in document.list_passed_on() if n not in given) if has_details else ()
    names = tuple(name for name in fields if name not in given and name not in passed_on)
    forms = {name: _find_form(fields[name]) for name in names}
    return _Plan(
        places=dict.fromkeys(fields),
        passed_on=passed_on,
        names=names,
        read=_make_reader([fields[name].source or name for name in names]),
        forms=tuple((name, form) for name, form in forms.items() if form is not None),
    )


def _make_reader(sources: Sequence[str]) -> Callable[[Any], tuple[Any, ...]]:
    if len(sources) > 1:
        return attrgetter(*sources)
    return lambda row: tuple(attrgetter(source)(row) for source in sources)


def _find_form(field: Any) -> Callable[[Any], Any] | None:
    if isinstance(field, serializers.ListSerializer):
        write_each: Callable[[Any], dict[str, Any]] = field.child.write  # type: ignore[union-attr]  # a document's
        return lambda parts: [write_each(part) for part in parts]
    if isinstance(field, Document):
        write = field.write
        return lambda part: None if part is None else write(part)
    form: Callable[[Any], Any] | None = field.form
    if form is None or not field.allow_null:
        return form
    return lambda value: None if value is None else form(value)


def text(help_text: str = "", *, null: bool = False, source: str | None = None, **schema: Any) -> Shape:
    """Declare a string."""
    return Shape({"type": "string", **schema}, help_text, null=null, source=source)


def integer(help_text: str = "", *, null: bool = False, source: str | None = None, **schema: Any) -> Shape:
    """Declare a whole number."""
    return Shape({"type": "integer", **schema}, help_text, null=null, source=source)


def flag(help_text: str = "") -> Shape:
    """Declare a boolean."""
    return Shape({"type": "boolean"}, help_text)


def money(help_text: str = "", *, null: bool = False) -> Shape:
    """Declare money, or a rate: a string with two decimals."""
    return Shape({"type": "string", "pattern": AMOUNT}, help_text, null=null, form=format_amount)


def moment(help_text: str = "", *, null: bool = False, source: str | None = None) -> Shape:
    """Declare a time: ISO 8601, UTC, microseconds, `Z`."""
    schema = {"type": "string", "format": "date-time", "pattern": MOMENT}
    return Shape(schema, help_text, null=null, source=source, form=format_time)


def passed_on(help_text: str = "") -> Shape:
    """Declare what the shop has sent with the order and we only pass on: any JSON, null where none came."""
    return Shape({}, f"{help_text} Passed on as it came; null if nothing did.".strip())


def of_another_package() -> Any:
    """Declare the place of a part that a document of a package above declares."""
    return Shape({"type": ["object", "array"]})


def one_of(values: Iterable[str], help_text: str = "") -> Shape:
    """Declare one of these strings."""
    return text(help_text, enum=list(values))


def sentences(help_text: str = "", *, required: bool = True) -> Shape:
    """Declare a list of sentences for a person."""
    schema = {"type": "array", "items": {"type": "string"}, "minItems": 1}
    return Shape(schema, help_text, required=required)


def make_document(name: str, description: str, fields: Mapping[str, Any]) -> type[Document]:
    """Make a document whose field names are no Python names, or are known only when it is made."""
    return type(name, (Document,), {"__doc__": description, "__module__": __name__, **fields})


def make_enumeration(
    name: str, description: str, values: Mapping[str, str], labels: Mapping[Any, Any] | None = None
) -> type[Document]:
    """Make a `{"value", "label"}` of these values, each with its meaning; it is written with these labels."""

    def write(value: str, **_given: Any) -> dict[str, Any]:
        return {"value": value, "label": str((labels or {})[value])}

    meanings = "\n".join(f"- `{value}` {meaning}" for value, meaning in values.items())
    return make_document(
        name,
        f"{description}\n\n{meanings}",
        {
            "value": one_of(values),
            "label": text("For people, in the language that `Accept-Language` asks for."),
            "write": staticmethod(write),
        },
    )


def list_codes(values: Mapping[str, str]) -> str:
    """Write codes and what they mean as a Markdown list."""
    return "\n".join(f"- `{code}`: {meaning}" for code, meaning in values.items())


def make_page(name: str, document: type[Document], description: str) -> type[Document]:
    """Make the document of one page of a list."""
    return make_document(
        name,
        description,
        {
            "count": integer("How many there are on all pages.", minimum=0),
            "next": text("The next page's address; null on the last.", null=True, format="uri"),
            "previous": text("The previous page's address; null on the first.", null=True, format="uri"),
            "results": document(many=True),
        },
    )
