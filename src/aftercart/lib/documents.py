"""Documents: what we answer, declared once. A field says its JSON schema, in words what it means, and its source.

From these `Document.write` makes an answer's JSON of a row, and the API's document is derived (`api/schema/fields.py`).
"""

from collections.abc import Callable, Iterable, Mapping
from functools import cache
from operator import attrgetter
from typing import Any, ClassVar, Final

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
    def write(cls, row: Any, **given: Any) -> dict[str, Any]:
        """Write a row as a document. What is `given` stands as it is; the rest is read from the row."""
        return {
            name: given[name] if name in given else read(row) for name, read in _list_readers(cls).items()
        }

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
    def list_names(cls) -> tuple[str, ...]:
        """List the names of its fields, in their order."""
        return tuple(cls._declared_fields)


@cache
def _list_readers(document: type[Document]) -> dict[str, Callable[[Any], Any]]:
    """List how each field of a document is read from a row."""
    return {name: _make_reader(name, field) for name, field in document._declared_fields.items()}  # noqa: SLF001 - the framework's, for subclasses


def _make_reader(name: str, field: Any) -> Callable[[Any], Any]:
    get = attrgetter(field.source or name)
    if isinstance(field, serializers.ListSerializer):
        write_each: Callable[[Any], dict[str, Any]] = field.child.write  # type: ignore[union-attr]  # a document's
        return lambda row: [write_each(part) for part in get(row)]
    if isinstance(field, Document):
        write = field.write
        return lambda row: None if (part := get(row)) is None else write(part)
    form = field.form
    return get if form is None else lambda row: form(get(row))


def text(help_text: str = "", *, null: bool = False, source: str | None = None, **schema: Any) -> Shape:
    """Declare a string."""
    return Shape({"type": "string", **schema}, help_text, null=null, source=source)


def integer(help_text: str = "", *, null: bool = False, source: str | None = None, **schema: Any) -> Shape:
    """Declare a whole number."""
    return Shape({"type": "integer", **schema}, help_text, null=null, source=source)


def flag(help_text: str = "", *, null: bool = False) -> Shape:
    """Declare a boolean."""
    return Shape({"type": "boolean"}, help_text, null=null)


def money(help_text: str = "", *, null: bool = False) -> Shape:
    """Declare money, or a rate: a string with two decimals."""
    return Shape({"type": "string", "pattern": AMOUNT}, help_text, null=null, form=format_amount)


def moment(help_text: str = "", *, null: bool = False) -> Shape:
    """Declare a time: ISO 8601, UTC, microseconds, `Z`."""
    schema = {"type": "string", "format": "date-time", "pattern": MOMENT}
    return Shape(schema, help_text, null=null, form=format_time)


def passed_on(help_text: str = "") -> Shape:
    """Declare what the shop has sent with the order and we only pass on: any JSON, null where none came."""
    return Shape({}, f"{help_text} Passed on as it came; null if nothing did.".strip())


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


def make_enumeration(name: str, description: str, values: Mapping[str, str]) -> type[Document]:
    """Make a `{"value", "label"}` of these values, each with its meaning."""
    meanings = "\n".join(f"- `{value}` {meaning}" for value, meaning in values.items())
    return make_document(
        name,
        f"{description}\n\n{meanings}",
        {
            "value": one_of(values),
            "label": text("For people, in the language that `Accept-Language` asks for."),
        },
    )


def list_codes(values: Mapping[str, str]) -> str:
    """Write codes and what they mean as a Markdown list."""
    return "\n".join(f"- `{code}`: {meaning}" for code, meaning in values.items())
