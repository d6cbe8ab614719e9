"""What the framework cannot see of the bodies that clients send: the forms in which a number may come."""

from typing import Any, Final

from drf_spectacular.extensions import OpenApiSerializerExtension, OpenApiSerializerFieldExtension
from drf_spectacular.utils import extend_schema_serializer

from aftercart.api import events, serializers

#: By serializer: what its component is called, and what it is for.
_BODIES: Final = {
    serializers.CancellationSerializer: (
        "CancellationSubmission",
        "Items of one order to be cancelled or returned. Two fields may stand inside the items instead.",
    ),
    serializers.ItemSerializer: ("CancellationSubmissionItem", "An item to be cancelled or returned."),
    serializers.SingleRequestSerializer: (
        "CancellationRequestSubmission",
        "One item to be cancelled or returned by the back office.",
    ),
    serializers.AddressChangeSerializer: (
        "AddressChangeSubmission",
        "An order of the caller, and an entry of the caller's address book.",
    ),
    serializers.LoginSerializer: ("Login", "Who logs in."),
    serializers.PickupDateSerializer: (
        "PickupDate",
        "When the courier may come, in the shop's time zone; not in the past.",
    ),
    serializers.HourRangeSerializer: ("HourRange", "From when to when; the end is after the start."),
    events.EventsSerializer: ("Events", "A message: at most 500 events."),
    events.EventSerializer: ("Event", "One change; of what it says, only the order's number is read."),
}

for _serializer, (_name, _description) in _BODIES.items():
    extend_schema_serializer(component_name=_name, description=_description)(_serializer)


class SubmissionExtension(OpenApiSerializerExtension):
    """Says how many items a submission has, which the framework does not."""

    target_class = serializers.CancellationSerializer

    def map_serializer(self, auto_schema: Any, direction: Any) -> dict[str, Any]:
        """Write the schema of a submission."""
        schema: dict[str, Any] = auto_schema._map_serializer(self.target, direction, bypass_extensions=True)  # noqa: SLF001 - drf-spectacular has no public way
        field = self.target.fields["cancel_order_items"]
        schema["properties"]["cancel_order_items"] |= {"minItems": 1, "maxItems": field.max_length}
        return schema


class IdExtension(OpenApiSerializerFieldExtension):
    """An id may come as a string of digits."""

    target_class = serializers.IdField

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:  # noqa: ARG002 - drf-spectacular's signature
        """Write the schema of an id."""
        return {"type": ["integer", "string"], "minimum": 1, "maximum": 2**63 - 1, "pattern": r"^\d+$"}


class QuantityExtension(OpenApiSerializerFieldExtension):
    """A quantity may come as a string of digits, and as an empty one."""

    target_class = serializers.QuantityField

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:  # noqa: ARG002 - drf-spectacular's signature
        """Write the schema of a quantity."""
        return {"type": ["integer", "string"], "minimum": 1, "maximum": 1_000_000, "pattern": r"^\d*$"}


class HourExtension(OpenApiSerializerFieldExtension):
    """An hour may come as a number, and with or without minutes."""

    target_class = serializers.HourField

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:  # noqa: ARG002 - drf-spectacular's signature
        """Write the schema of an hour."""
        return {
            "type": ["string", "integer"],
            "pattern": r"^\d{1,2}(:\d{2}(:\d{2})?)?$",
            "minimum": 0,
            "maximum": 23,
            "description": "`9`, `09:00` or `09:00:00`, in the shop's time zone.",
        }
