"""The account pages' calls of the storefront, where Aftercart has the customers itself (docs/storefront.md).

Not in the OpenAPI document, which is the contract's: these follow the storefront's own client.
"""

from django.contrib.auth import HASH_SESSION_KEY, authenticate
from django.http import Http404
from django.utils.translation import gettext as _
from drf_spectacular.utils import extend_schema
from rest_framework.exceptions import ValidationError
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from aftercart.accounts.document import user_document
from aftercart.accounts.models import User
from aftercart.accounts.networks import get_client_address
from aftercart.actions.account.anonymize_customer import anonymize_customer
from aftercart.actions.account.edit_profile import edit_profile
from aftercart.actions.account.mail_account_link import (
    limit_account_mail,
    mail_email_change,
    mail_password_link,
    move_account,
    register_customer,
)
from aftercart.actions.account.set_password import find_by_reset_link, set_password
from aftercart.api.account_serializers import (
    EmailChangeSerializer,
    EmailSerializer,
    NewPasswordSerializer,
    PasswordChangeSerializer,
    ProfileSerializer,
    RegistrationSerializer,
)
from aftercart.api.authentication import get_user
from aftercart.api.open_views import FieldErrorsView, OpenView
from aftercart.api.parsers import JSON_OR_FORM
from aftercart.api.serializers import read_valid


def _check_password(request: Request, user: User, password: str, field: str) -> None:
    """Check a customer's password at the door of the log-ins, where tries are counted. Raises `ValidationError`."""
    found = authenticate(request._request, username=user.email, password=password)  # noqa: SLF001 - the door works on Django's request
    if found != user:
        raise ValidationError({field: [_("This password is incorrect.")]})


def _limit(request: Request, email: str) -> None:
    client = get_client_address(request._request)  # noqa: SLF001 - Django's own request, which the framework keeps there
    limit_account_mail(email, client)


@extend_schema(exclude=True)
class Profile(APIView):
    """`GET/PATCH /users/profile/`."""

    def get(self, request: Request) -> Response:
        """Give the customer's profile."""
        return Response(user_document(get_user(request)))

    def patch(self, request: Request) -> Response:
        """Change the fields that are sent."""
        user = get_user(request)
        edit_profile(user, read_valid(ProfileSerializer, request.data, partial=True).validated_data)
        return Response(user_document(user))


@extend_schema(exclude=True)
class PasswordChange(APIView):
    """`POST /users/password/change/`."""

    def post(self, request: Request) -> Response:
        """Set a new password for who knows the old one; every other session ends."""
        user = get_user(request)
        data = read_valid(PasswordChangeSerializer, request.data, context={"user": user}).validated_data
        _check_password(request, user, data["old_password"], "old_password")
        set_password(user, data["new_password1"], keeping=request.session.session_key)
        # The key stays: of two new cookies in one header the storefront's proxy would pass on one.
        request.session[HASH_SESSION_KEY] = user.get_session_auth_hash()
        return Response({"detail": _("Your password has been changed.")})


class _OpenForm(OpenView):
    parser_classes = JSON_OR_FORM


@extend_schema(exclude=True)
class PasswordReset(_OpenForm):
    """`POST /users/password/reset/`."""

    def post(self, request: Request) -> Response:
        """Mail the link to set a password with; the same answer whether there is such a customer or not."""
        email = read_valid(EmailSerializer, request.data).validated_data["email"]
        _limit(request, email)
        mail_password_link(email)
        return Response({"detail": _("If this account exists, we have sent it an e-mail.")})


@extend_schema(exclude=True)
class SetPassword(_OpenForm):
    """`POST /users/reset/{uid}/{token}/`: the end of that link."""

    def post(self, request: Request, uid: str, token: str) -> Response:
        """Set the password. A link that is nobody's, used or too old: 400."""
        user = find_by_reset_link(uid, token)
        if user is None:
            raise ValidationError({"non_field_errors": [_("This link is no longer valid.")]})
        data = read_valid(NewPasswordSerializer, request.data, context={"user": user}).validated_data
        set_password(user, data["new_password1"])
        return Response({"detail": _("Your password has been changed.")})


@extend_schema(exclude=True)
class EmailChange(APIView):
    """`POST /users/email-change/`."""

    def post(self, request: Request) -> Response:
        """Mail the link that moves the account to the new address."""
        user = get_user(request)
        data = read_valid(EmailChangeSerializer, request.data).validated_data
        _check_password(request, user, data["password"], "password")
        _limit(request, data["email"])
        mail_email_change(user, data["email"])
        return Response({"detail": _("We have sent a link to the new address.")})


@extend_schema(exclude=True)
class EmailSetPrimary(OpenView):
    """`GET /users/email-set-primary/{token}/`: the end of that link."""

    def get(self, request: Request, token: str) -> Response:  # noqa: ARG002 - the framework's signature
        """Move the account. A link that is nobody's, used or too old: 404."""
        if not move_account(token):
            raise Http404
        return Response({"detail": _("Your e-mail address has been changed.")})


@extend_schema(exclude=True)
class Registration(FieldErrorsView):
    """`POST /users/registration/`."""

    def post(self, request: Request) -> Response:
        """Mail the link that opens the account, and say so where the client shows it: it knows of errors alone.

        Nobody is logged in by typing an address: orders belong to whoever reads its mail.
        """
        data = read_valid(RegistrationSerializer, request.data).validated_data
        _limit(request, data["email"])
        register_customer(data["email"], first_name=data["first_name"], last_name=data["last_name"])
        message = _("We have sent you an e-mail. Open its link to choose your password and finish.")
        return Response({"non_field_errors": [message]}, status=400)


@extend_schema(exclude=True)
class Anonymize(APIView):
    """`PATCH /users/anonymize/`."""

    def patch(self, request: Request) -> Response:
        """Take the customer out of the account, and end its sessions."""
        anonymize_customer(get_user(request))
        request.session.flush()
        return Response({"detail": _("Your account has been deleted.")})


@extend_schema(exclude=True)
class NoOffers(APIView):
    """The coupons that the account pages list: there are none here, in each form that the theme reads."""

    def get(self, request: Request) -> Response:
        """List none."""
        get_user(request)
        return Response({"count": 0, "next": None, "previous": None, "results": [], "discounts": []})


@extend_schema(exclude=True)
class NoContactSubjects(OpenView):
    """`GET /users/contact-us-subjects/`: Aftercart takes no e-mails; a shop's own page does."""

    def get(self, request: Request) -> Response:  # noqa: ARG002 - the framework's signature
        """List none."""
        return Response([])
