"""What the framework cannot see of the bodies that clients send: the forms in which a number may come."""

from typing import Any, Final

from drf_spectacular.extensions import OpenApiSerializerFieldExtension
from drf_spectacular.utils import extend_schema_serializer

from aftercart.api import serializers

_NAMES: Final = {
    serializers.CancellationSerializer: "CancellationSubmission",
    serializers.ItemSerializer: "CancellationSubmissionItem",
    serializers.SingleRequestSerializer: "CancellationRequestSubmission",
    serializers.AddressChangeSerializer: "AddressChangeSubmission",
    serializers.LoginSerializer: "Login",
    serializers.PickupDateSerializer: "PickupDate",
    serializers.HourRangeSerializer: "HourRange",
}


for _serializer, _name in _NAMES.items():
    extend_schema_serializer(component_name=_name)(_serializer)


class IdExtension(OpenApiSerializerFieldExtension):
    """An id may come as a string of digits."""

    target_class = serializers.IdField

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:  # noqa: ARG002
        """Write the schema of an id."""
        return {"type": ["integer", "string"], "minimum": 1, "maximum": 2**63 - 1, "pattern": r"^\d+$"}


class QuantityExtension(OpenApiSerializerFieldExtension):
    """A quantity may come as a string of digits, and as an empty one."""

    target_class = serializers.QuantityField

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:  # noqa: ARG002
        """Write the schema of a quantity."""
        return {"type": ["integer", "string"], "minimum": 1, "maximum": 1_000_000, "pattern": r"^\d*$"}


class HourExtension(OpenApiSerializerFieldExtension):
    """An hour may come as a number, and with or without minutes."""

    target_class = serializers.HourField

    def map_serializer_field(self, auto_schema: Any, direction: Any) -> dict[str, Any]:  # noqa: ARG002
        """Write the schema of an hour."""
        return {
            "type": ["string", "integer"],
            "pattern": r"^\d{1,2}(:\d{2}(:\d{2})?)?$",
            "minimum": 0,
            "maximum": 23,
            "description": "`9`, `09:00` or `09:00:00`, in the shop's time zone.",
        }
