"""Reading a statement of withdrawal: form only."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from aftercart.actions.withdraw.record_statement import find_links
from aftercart.api.serializers import IdField

_MOST_ITEMS = 500


class _TextField(serializers.CharField):
    """A text alone: what is stated is kept and sent back as it was typed, and a number was not."""

    def to_internal_value(self, data: Any) -> str:
        """Refuse what the framework would make a text of."""
        if not isinstance(data, str):
            self.fail("invalid")
        return super().to_internal_value(data)


class WithdrawalSerializer(serializers.Serializer[Any]):
    """The body of `POST /orders/{number}/withdraw/`: nothing but what the directive lets a shop ask for."""

    name = serializers.CharField(
        max_length=255,
        required=False,
        allow_blank=True,
        default="",
        help_text="Of the consumer. Left out: the customer's own.",
    )
    email = serializers.EmailField(
        max_length=254,
        required=False,
        allow_blank=True,
        default="",
        help_text="Where the receipt goes. Left out: the customer's own.",
    )
    items = serializers.ListField(
        child=IdField(),
        required=False,
        default=list,
        max_length=_MOST_ITEMS,
        help_text="Items of this order; left out or empty: all that is left of it.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Fill in what is known of who is logged in; a name must be known."""
        user = self.context["user"]
        attrs["name"] = attrs["name"] or user.get_full_name()
        attrs["email"] = attrs["email"] or user.email
        if not attrs["name"]:
            raise serializers.ValidationError({"name": [_("This field is required.")]}, code="required")
        return attrs


class StatementSerializer(serializers.Serializer[Any]):
    """The body of `POST /withdraw/`: what anybody states who has proved nothing; it is e-mailed, and has no links."""

    name = _TextField(max_length=255, help_text="Of the consumer.")
    number = _TextField(max_length=64, help_text="The order's number, as it was typed.")
    email = serializers.EmailField(max_length=254, help_text="Where the receipt goes.")
    items = _TextField(
        max_length=500,
        required=False,
        allow_blank=True,
        default="",
        help_text="Which goods, in words; left out or empty: all of them.",
    )

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse links."""
        wrong = {name: [sentence] for name, sentence in find_links(attrs).items()}
        if wrong:
            raise serializers.ValidationError(wrong, code="invalid")
        return attrs
