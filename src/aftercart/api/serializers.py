"""Reading what clients send: form only. Whether it is allowed, and whose it is, the actions check."""

from collections.abc import Mapping
from datetime import datetime, time
from typing import Any, TypeVar

import schwifty
from django.utils.translation import gettext as _
from rest_framework import serializers

from aftercart.actions.commands import Caller, CancellationCommand, ItemRequest
from aftercart.cancellations.models import LONGEST_DESCRIPTION, LONGEST_PREFERENCE, CancellationType
from aftercart.lib.clock import get_now, get_shop_zone
from aftercart.lib.times import read_day_or_time

_S = TypeVar("_S", bound=serializers.BaseSerializer[Any])

_LARGEST = 2**63 - 1
_MOST_ITEMS = 500
_MOST_EVENTS = 500
_LONGEST_QUOTE = 2000


def read_valid(kind: type[_S], data: Any, **options: Any) -> _S:
    """Read what was sent: a serializer whose `validated_data` it is. Raises `ValidationError`."""
    serializer = kind(data=data, **options)
    serializer.is_valid(raise_exception=True)
    return serializer


class IdField(serializers.IntegerField):
    """A database id: an int, or the same as a string."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=_LARGEST, **options)


class EmptyIsNull(serializers.Field[Any, Any, Any, Any]):
    """For fields that a form sends empty where nothing is chosen."""

    def run_validation(self, data: Any = serializers.empty) -> Any:
        """Take an empty string as null."""
        return super().run_validation(None if data == "" else data)


class QuantityField(EmptyIsNull, serializers.IntegerField):
    """Units; empty means all that is left."""

    def __init__(self, **options: Any) -> None:
        super().__init__(min_value=1, max_value=1_000_000, allow_null=True, required=False, **options)


class IbanField(serializers.CharField):
    """An IBAN with a valid checksum, kept without spaces."""

    def to_internal_value(self, data: Any) -> str:
        """Check it."""
        text = super().to_internal_value(data)
        try:
            return schwifty.IBAN(text).compact if text else ""
        except schwifty.exceptions.SchwiftyException as error:
            raise serializers.ValidationError(_("Please enter a valid IBAN."), code="invalid_iban") from error


class HourField(serializers.TimeField):
    """An hour of the day: `9`, `"9"`, `"09:00"` or `"09:00:00"`."""

    def to_internal_value(self, value: Any) -> time:
        """Read it."""
        text = str(value)
        if text.isdecimal() and len(text) in {1, 2}:
            text = f"{int(text):02}:00"
        read: time = super().to_internal_value(text)
        return read


class HourRangeSerializer(serializers.Serializer[Any]):
    """When the courier may come."""

    start = HourField()
    end = HourField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Check that it has a length."""
        if attrs["start"] >= attrs["end"]:
            raise serializers.ValidationError({"end": [_("The end must be after the start.")]})
        return attrs


class PickupDateSerializer(serializers.Serializer[Any]):
    """The day and hours of an easy return's pickup, in the shop's time zone; not in the past."""

    date = serializers.DateField()
    hour_range = HourRangeSerializer()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse a slot that is over."""
        end = datetime.combine(attrs["date"], attrs["hour_range"]["end"], get_shop_zone())
        if end <= get_now():
            raise serializers.ValidationError({"date": [_("The pickup time is in the past.")]})
        return attrs

    @staticmethod
    def to_document(value: Mapping[str, Any]) -> dict[str, Any]:
        """Write it as it came, for keeping."""
        hours = value["hour_range"]
        return {
            "date": value["date"].isoformat(),
            "hour_range": {name: hours[name].strftime("%H:%M") for name in ("start", "end")},
        }


class ItemSerializer(serializers.Serializer[Any]):
    """One entry of `cancel_order_items` (contract section 3)."""

    order_item = IdField(help_text="An item of this order.")
    reason = IdField(help_text="An active cancellation reason of the same type.")
    cancellation_type = serializers.ChoiceField(CancellationType.choices)
    description = serializers.CharField(
        max_length=LONGEST_DESCRIPTION, required=False, allow_blank=True, allow_null=True, default=""
    )
    exchange_preference = serializers.CharField(
        max_length=LONGEST_PREFERENCE,
        required=False,
        allow_blank=True,
        allow_null=True,
        help_text="Of a `refund`: another size or colour that the customer would rather have. Nothing is promised.",
    )
    quantity = QuantityField(help_text="Units; empty: all that is left of the line.")
    shipping_company = IdField(
        required=False, allow_null=True, help_text="Easy-return company; for `refund` with easy return."
    )
    iban = IbanField(max_length=64, required=False, allow_blank=True, allow_null=True)
    holder_name = serializers.CharField(max_length=255, required=False, allow_blank=True, allow_null=True)
    pickup_date = PickupDateSerializer(required=False, allow_null=True)
    pickup_address = IdField(required=False, allow_null=True, help_text="Older clients: see the whole.")
    fully_refund_as_loyalty_money = serializers.BooleanField(
        required=False, allow_null=True, default=None, help_text="Older clients: see the whole."
    )


class CancellationSerializer(serializers.Serializer[Any]):
    """The body of `POST /orders/{number}/cancel/` (contract section 3)."""

    cancel_order_items = ItemSerializer(many=True, allow_empty=False, max_length=_MOST_ITEMS)  # type: ignore[call-arg]  # the stubs miss what a list takes
    pickup_address = IdField(
        required=False, allow_null=True, help_text="An address of the caller; for `refund` with easy return."
    )
    fully_refund_as_loyalty_money = serializers.BooleanField(
        required=False, allow_null=True, default=None, help_text="Refund as loyalty points."
    )
    return_policy = serializers.BooleanField(
        required=False, allow_null=True, default=None, help_text="The consent tick; false is refused."
    )
    quote = serializers.CharField(
        max_length=_LONGEST_QUOTE,
        required=False,
        allow_blank=True,
        allow_null=True,
        help_text="The signed quote that this is to be bound to.",
    )

    def validate_return_policy(self, value: bool | None) -> bool | None:  # noqa: FBT001 - the framework calls it with this
        """Refuse a consent that was not given."""
        if value is False:
            raise serializers.ValidationError(_("Please accept the return policy."), code="not_accepted")
        return value

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Bring together what older clients put inside each item; two values that disagree are an error."""
        for name in ("pickup_address", "fully_refund_as_loyalty_money"):
            given = [attrs.get(name), *(item.get(name) for item in attrs["cancel_order_items"])]
            values = {value for value in given if value is not None}
            if len(values) > 1:
                message = _("The items and the request as a whole give different values.")
                raise serializers.ValidationError({name: [message]}, code="contradiction")
            attrs[name] = values.pop() if values else None
        return attrs

    def to_command(self, caller: Caller, number: str | None = None) -> CancellationCommand:
        """Make the typed command of valid data."""
        data = self.validated_data
        return CancellationCommand(
            caller=caller,
            number=number,
            items=tuple(read_item(item) for item in data["cancel_order_items"]),
            pickup_address=data["pickup_address"],
            fully_refund_as_loyalty_money=bool(data["fully_refund_as_loyalty_money"]),
            quote=data.get("quote") or "",
        )


class PhotoSerializer(serializers.Serializer[Any]):
    """The form of `POST /orders/{number}/cancel/photos/`."""

    order_item = IdField(help_text="The item that is being returned.")
    photo = serializers.FileField(help_text="A JPEG, PNG or WebP.")


class SingleRequestSerializer(ItemSerializer):
    """The body of `POST /users/orders/cancellation_requests/`: one item (contract section 5)."""

    def to_command(self, caller: Caller) -> CancellationCommand:
        """Make the typed command of valid data."""
        data = self.validated_data
        return CancellationCommand(
            caller=caller,
            items=(read_item(data),),
            pickup_address=data.get("pickup_address"),
            fully_refund_as_loyalty_money=bool(data.get("fully_refund_as_loyalty_money")),
        )


def read_item(item: Mapping[str, Any]) -> ItemRequest:
    """Make the typed ask of one valid entry."""
    pickup = item.get("pickup_date")
    return ItemRequest(
        order_item=item["order_item"],
        reason=item["reason"],
        cancellation_type=item["cancellation_type"],
        description=item.get("description") or "",
        exchange_preference=item.get("exchange_preference") or "",
        quantity=item.get("quantity"),
        shipping_company=item.get("shipping_company"),
        iban=item.get("iban") or "",
        holder_name=item.get("holder_name") or "",
        pickup_date=PickupDateSerializer.to_document(pickup) if pickup else None,
    )


class AddressChangeSerializer(serializers.Serializer[Any]):
    """The body of `POST /orders/change-address/` (contract section 4)."""

    order = IdField(help_text="The order's id.")
    address = IdField(help_text="An address of the caller's address book.")
    channel_id = serializers.IntegerField(
        required=False, allow_null=True, min_value=0, max_value=2**31 - 1, help_text="Filled from the order."
    )


class EventSerializer(serializers.Serializer[Any]):
    """One change: the number of the order that it is about; whatever else it says, we go and read."""

    number = serializers.CharField(max_length=64)


class EventsSerializer(serializers.Serializer[Any]):
    """A message: its events."""

    events = EventSerializer(many=True, max_length=_MOST_EVENTS)  # type: ignore[call-arg]  # the stubs miss what a list takes


class CurrencyFilterSerializer(serializers.Serializer[Any]):
    """The query of the loyalty points."""

    currency = serializers.RegexField(r"^[A-Za-z]{3}$", required=False, allow_blank=True)


class LoginSerializer(serializers.Serializer[Any]):
    """The body of `POST /users/login/`; further fields, which the storefront sends, are ignored."""

    email = serializers.EmailField(max_length=254)
    password = serializers.CharField(max_length=1024, trim_whitespace=False, style={"input_type": "password"})


class AnonymousSerializer(serializers.Serializer[Any]):
    """The body of `POST /users/orders/anonymous/`; `order` is another name for `number`."""

    number = serializers.CharField(max_length=64, required=False, help_text="The order's number.")
    order = serializers.CharField(max_length=64, required=False, help_text="The same, by another name.")
    email = serializers.EmailField(max_length=254, help_text="The order's e-mail address.")

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Take the number by either name."""
        number = attrs.get("number") or attrs.get("order")
        if not number:
            raise serializers.ValidationError({"number": [_("This field is required.")]}, code="required")
        return {**attrs, "number": number}


class OrderFilterSerializer(serializers.Serializer[Any]):
    """The query of `GET /users/orders/`. Dates may be days (in the shop's time zone) or times."""

    search = serializers.CharField(required=False, allow_blank=True, max_length=64)
    last_month = serializers.CharField(required=False, allow_blank=True)
    created_date__gte = serializers.CharField(required=False, allow_blank=True, max_length=40)
    created_date__lte = serializers.CharField(required=False, allow_blank=True, max_length=40)

    def validate_last_month(self, value: str) -> int:
        """Read a number of months; any other yes is one."""
        if value.isdecimal():
            return min(int(value[:5]), 1200)
        return 0 if value.lower() in {"", "false", "no"} else 1

    def _read_time(self, text: str) -> datetime | None:
        """Read a beginning or an end; a day is its midnight, as a filter of Django REST framework has it."""
        try:
            return read_day_or_time(text, time.min, get_shop_zone()) if text else None
        except ValueError as error:
            raise serializers.ValidationError(_("Enter a date as YYYY-MM-DD, or a date and time.")) from error

    validate_created_date__gte = validate_created_date__lte = _read_time
