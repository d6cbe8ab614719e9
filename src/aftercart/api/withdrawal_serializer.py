"""Reading a statement of withdrawal: form only."""

from typing import Any

from django.utils.translation import gettext as _
from rest_framework import serializers

from aftercart.api.serializers import IdField

_MOST_ITEMS = 500


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
