"""Reading what clients send about addresses and places: form only. Whether it makes sense, the actions check."""

from typing import Any

from rest_framework import serializers

from aftercart.accounts.drafts import FIELDS, AddressDraft
from aftercart.api.serializers import EmptyIsNull, IdField


class OptionalIdField(EmptyIsNull, IdField):
    """An id or none; a form's empty choice is none."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, allow_null=True, **options)


class YesField(serializers.BooleanField):
    """A yes or no in any spelling of a form; none given is no."""

    def __init__(self, **options: Any) -> None:
        super().__init__(required=False, **options)

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """Take null and an empty string as no."""
        return super().run_validation(False if data is None or data == "" else data)


def _optional(most: int, help_text: str = "") -> serializers.CharField:
    return serializers.CharField(
        max_length=most, required=False, allow_blank=True, allow_null=True, help_text=help_text
    )


class AddressSerializer(serializers.Serializer[Any]):
    """The body of `POST /address/` and, in parts, of `PATCH /address/{pk}/`.

    What else the storefront's form sends (`type`, `country_code`, `user`) says nothing that these do not.
    """

    title = serializers.CharField(max_length=128, help_text="What the customer calls it.")
    first_name = serializers.CharField(max_length=150)
    last_name = serializers.CharField(max_length=150)
    phone_number = serializers.CharField(
        max_length=32, help_text="International, or national for the address's country."
    )
    country = IdField(help_text="A country's pk.")
    city = IdField(help_text="The pk of a city of the country.")
    township = IdField(help_text="The pk of a township of the city.")
    district = OptionalIdField(help_text="The pk of a district of the township.")
    line = serializers.CharField(max_length=512, help_text="Street, house, flat.")
    email = serializers.EmailField(
        max_length=254, required=False, allow_blank=True, allow_null=True, help_text="Empty: the customer's."
    )
    postcode = _optional(20)
    notes = _optional(1000, "For the courier.")
    company_name = _optional(255, "Needed for a company.")
    tax_office = _optional(64, "Needed for a company.")
    tax_no = _optional(32, "Needed for a company.")
    identity_number = _optional(32)
    e_bill_taxpayer = YesField()
    is_corporate = YesField(help_text="Whether it is a company's.")
    primary = serializers.BooleanField(
        required=False, allow_null=True, help_text="`true` makes it the first choice instead of another one."
    )

    def to_changes(self) -> dict[str, Any]:
        """Give the fields that were sent, as a draft has them."""
        sent = self.validated_data
        return {name: _settle(name, sent[name]) for name in FIELDS if name in sent}

    def to_draft(self) -> AddressDraft:
        """Make the draft of a whole address."""
        return AddressDraft(**self.to_changes())


def _settle(name: str, value: Any) -> Any:
    if name == "identity_number":
        return value or None
    return "" if value is None and name != "district" else value


class PlaceFilterSerializer(serializers.Serializer[Any]):
    """The query of the lists of places."""

    country = OptionalIdField()
    city = OptionalIdField()
    township = OptionalIdField()
    retailstore__isnull = serializers.CharField(required=False, max_length=8)

    def wants_stores(self) -> bool:
        """Return whether only places with a store of the shop are asked for; we know of no stores."""
        return str(self.validated_data.get("retailstore__isnull", "")).lower() in {"false", "0"}
