"""Reading what the storefront's account forms send: form only."""

from typing import Any

from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError as PasswordRefused
from django.utils.translation import gettext as _
from phonenumber_field.serializerfields import PhoneNumberField
from rest_framework import serializers

from aftercart.api.serializers import EmptyIsNull

_LONGEST_PASSWORD = 1024


class _PasswordField(serializers.CharField):
    def __init__(self) -> None:
        super().__init__(max_length=_LONGEST_PASSWORD, trim_whitespace=False)


class _DayField(EmptyIsNull, serializers.DateField):
    """A day, or none."""


class ProfileSerializer(serializers.Serializer[Any]):
    """The body of `PATCH /users/profile/`; what else the form sends is no part of a profile here."""

    first_name = serializers.CharField(max_length=150, required=False)
    last_name = serializers.CharField(max_length=150, required=False)
    phone = PhoneNumberField(required=False, allow_blank=True, region="TR")
    gender = serializers.CharField(max_length=10, required=False, allow_blank=True, allow_null=True)
    date_of_birth = _DayField(required=False, allow_null=True)
    email_allowed = serializers.BooleanField(required=False)
    sms_allowed = serializers.BooleanField(required=False)

    def validate_gender(self, value: str | None) -> str:
        """Take null as none told."""
        return value or ""


class NewPasswordSerializer(serializers.Serializer[Any]):
    """A new password, typed twice."""

    new_password1 = _PasswordField()
    new_password2 = _PasswordField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Check that both are one, and that it is a good one."""
        if attrs["new_password1"] != attrs["new_password2"]:
            raise serializers.ValidationError({"new_password2": [_("The passwords do not match.")]})
        user = self.context.get("user")
        try:
            validate_password(attrs["new_password1"], user)
        except PasswordRefused as error:
            raise serializers.ValidationError({"new_password1": error.messages}) from error
        return attrs


class PasswordChangeSerializer(NewPasswordSerializer):
    """The body of `POST /users/password/change/`."""

    old_password = _PasswordField()


class EmailSerializer(serializers.Serializer[Any]):
    """The body of `POST /users/password/reset/`."""

    email = serializers.EmailField(max_length=254)


class EmailChangeSerializer(EmailSerializer):
    """The body of `POST /users/email-change/`; the form types the address twice."""

    emailConfirm = serializers.CharField(required=False, allow_blank=True)  # noqa: N815 - the client's name for it
    password = _PasswordField()

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Check that both addresses are one."""
        if attrs.get("emailConfirm", attrs["email"]) != attrs["email"]:
            raise serializers.ValidationError({"emailConfirm": [_("The e-mail addresses do not match.")]})
        return attrs


class RegistrationSerializer(EmailSerializer):
    """The body of `POST /users/registration/`; its password is not kept, and so not checked."""

    first_name = serializers.CharField(max_length=150, required=False, allow_blank=True, default="")
    last_name = serializers.CharField(max_length=150, required=False, allow_blank=True, default="")
