"""The views of the session: log-in, log-out, the current user, the CSRF token (contract sections 1 and 5)."""

from django.contrib.auth import authenticate, login
from django.http import Http404
from django.middleware.csrf import get_token
from django.utils.translation import gettext as _
from rest_framework.exceptions import ValidationError
from rest_framework.permissions import AllowAny
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from aftercart.accounts.document import user_document
from aftercart.accounts.sessions import end_session
from aftercart.api.authentication import CsrfFailed, get_user, is_from_another_site
from aftercart.api.open_views import FieldErrorsView, OpenView
from aftercart.api.schema import session as schema
from aftercart.api.serializers import LoginSerializer, read_valid
from aftercart.lib.emails import fold_email
from aftercart.lib.identity import has_own_accounts


class Login(FieldErrorsView):
    """`POST /users/login/`. Only JSON: another site cannot send that without being asked (CORS)."""

    @schema.log_in
    def post(self, request: Request) -> Response:
        """Log in: `{"key": <session key>}` and the three cookies; 400 in one wording for every miss."""
        if not has_own_accounts():
            raise Http404
        data = read_valid(LoginSerializer, request.data).validated_data
        django_request = request._request  # noqa: SLF001 - log-in and lock-out work on Django's request
        user = authenticate(django_request, username=fold_email(data["email"]), password=data["password"])
        if user is None:
            message = _("Unable to log in with provided credentials.")
            raise ValidationError({"non_field_errors": [message]})
        login(django_request, user)
        return Response({"key": django_request.session.session_key})


class Logout(APIView):
    """`GET/POST /users/logout/`; it logs nobody out twice."""

    permission_classes = (AllowAny,)

    @schema.log_out_by_get
    def get(self, request: Request) -> Response:
        """Log out, as the storefront's older clients do; not for what another site's page can send."""
        if is_from_another_site(request._request):  # noqa: SLF001 - Django's own request, which the framework keeps there
            raise CsrfFailed(_("CSRF Failed: CSRF token missing or incorrect."))
        return self.post(request)

    @schema.log_out
    def post(self, request: Request) -> Response:
        """Log out and clear the three cookies."""
        response = Response({"detail": _("Successfully logged out.")})
        end_session(request._request, response)  # noqa: SLF001 - Django's own request, which the framework keeps there
        return response


class CurrentUser(APIView):
    """`GET /current_user/`."""

    @schema.get_current_user
    def get(self, request: Request) -> Response:
        """Return who is logged in."""
        return Response(user_document(get_user(request)))


class CsrfToken(OpenView):
    """`GET /csrf_token/`."""

    @schema.get_csrf_token
    def get(self, request: Request) -> Response:
        """Give a token, and set its cookie."""
        return Response({"csrf_token": get_token(request._request)})  # noqa: SLF001 - Django's own request, which the framework keeps there
