"""How the schema of a document (`lib/documents.py`) is derived from its declaration."""

from typing import Any

from drf_spectacular.extensions import OpenApiSerializerExtension, OpenApiSerializerFieldExtension

from aftercart.lib.documents import Document, Shape


class ShapeExtension(OpenApiSerializerFieldExtension):
    """A shape bears its schema."""

    target_class = Shape

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:  # noqa: ARG002 - drf-spectacular's signature
        """Give the schema; the framework adds the words, and null where there may be."""
        return dict(self.target.schema)


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
