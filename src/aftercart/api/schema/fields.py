"""The kinds of values that answers are made of (contract section 1), as fields that know their JSON schema."""

from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Final

from drf_spectacular.drainage import set_override
from drf_spectacular.extensions import OpenApiSerializerExtension
from rest_framework import serializers

#: `lib.money.format_amount`: two decimals, more only where the currency has them.
AMOUNT: Final = r"^-?\d+\.\d{2,4}$"
#: A text that PostgreSQL can hold.
NO_NUL: Final = r"^[^\u0000]*$"
#: `lib.times.format_time`.
MOMENT: Final = r"^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d{6}Z$"


class Shape(serializers.Field[Any, Any, Any, Any]):
    """A value with this JSON schema. It declares; it reads and writes nothing."""

    def __init__(
        self, schema: Mapping[str, Any], help_text: str = "", *, null: bool = False, required: bool = True
    ) -> None:
        super().__init__(help_text=help_text or None, allow_null=null, required=required)
        set_override(self, "field", dict(schema))


class Document(serializers.Serializer[Any]):
    """An answer, or a part of one, that has these fields and no others."""

    #: What else its schema says.
    constraints: ClassVar[Mapping[str, Any]] = {}


class DocumentExtension(OpenApiSerializerExtension):
    """Says in the schema that a document has no further fields."""

    target_class = Document
    match_subclasses = True

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """Write the schema of a document."""
        schema: dict[str, Any] = auto_schema._map_serializer(  # noqa: SLF001 - as the framework's manual says
            self.target, direction, bypass_extensions=True
        )
        return {**schema, "additionalProperties": False, **self.target.constraints}


def text(help_text: str = "", *, null: bool = False, **schema: Any) -> Shape:
    """Declare a string."""
    return Shape({"type": "string", **schema}, help_text, null=null)


def integer(help_text: str = "", *, null: bool = False, **schema: Any) -> Shape:
    """Declare a whole number."""
    return Shape({"type": "integer", **schema}, help_text, null=null)


def flag(help_text: str = "", *, null: bool = False) -> Shape:
    """Declare a boolean."""
    return Shape({"type": "boolean"}, help_text, null=null)


def money(help_text: str = "", *, null: bool = False) -> Shape:
    """Declare money, or a rate: a string with two decimals."""
    return text(help_text, null=null, pattern=AMOUNT)


def moment(help_text: str = "", *, null: bool = False) -> Shape:
    """Declare a time: ISO 8601, UTC, microseconds, `Z`."""
    return text(help_text, null=null, format="date-time", pattern=MOMENT)


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
