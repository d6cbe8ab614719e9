"""What the framework cannot see of the bodies that clients send: the forms in which a number may come."""

from typing import Any, Final

from drf_spectacular.extensions import OpenApiSerializerExtension
from drf_spectacular.utils import extend_schema_field, extend_schema_serializer
from rest_framework.fields import Field

from aftercart.api import address_serializers, serializers, withdrawal_serializer

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
    serializers.AnonymousSerializer: (
        "AnonymousLookup",
        "What a guest knows of an order: its number, as `number` or `order`, and its e-mail address.",
    ),
    address_serializers.AddressSerializer: (
        "AddressSubmission",
        "An address. Other fields, which the storefront's form sends, are ignored.",
    ),
    withdrawal_serializer.WithdrawalSerializer: (
        "WithdrawalSubmission",
        "A statement of withdrawal. Every field may be left out.",
    ),
    withdrawal_serializer.StatementSerializer: (
        "PublicStatementSubmission",
        "A statement of withdrawal by somebody who has proved nothing. Links are refused.",
    ),
    serializers.EventsSerializer: ("Events", "A message: at most 500 events."),
    serializers.EventSerializer: ("Event", "One change; of what it says, only the order's number is read."),
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


#: By field: the forms in which its value may come. The framework adds null where there may be.
_FORMS: Final[dict[type[Field[Any, Any, Any, Any]], dict[str, Any]]] = {
    serializers.IdField: {
        "type": ["integer", "string"],
        "minimum": 1,
        "maximum": 2**63 - 1,
        "pattern": r"^\d+$",
    },
    address_serializers.OptionalIdField: {
        "type": ["integer", "string"],
        "minimum": 1,
        "maximum": 2**63 - 1,
        "pattern": r"^\d*$",
    },
    address_serializers.YesField: {
        "type": ["boolean", "string", "null"],
        "enum": [True, False, "true", "false", "", None],
    },
    serializers.QuantityField: {
        "type": ["integer", "string"],
        "minimum": 1,
        "maximum": 1_000_000,
        "pattern": r"^\d*$",
    },
    serializers.HourField: {
        "type": ["string", "integer"],
        "pattern": r"^\d{1,2}(:\d{2}(:\d{2})?)?$",
        "minimum": 0,
        "maximum": 23,
        "description": "`9`, `09:00` or `09:00:00`, in the shop's time zone.",
    },
}

for _field, _form in _FORMS.items():
    extend_schema_field(_form)(_field)
