"""The staff's log-in."""

from typing import TYPE_CHECKING, Any

from django.contrib.auth import authenticate

if TYPE_CHECKING:
    from django.contrib.admin.forms import AdminAuthenticationForm as _AuthenticationForm
else:
    from unfold.forms import AuthenticationForm as _AuthenticationForm


class LoginForm(_AuthenticationForm):
    """E-mail and password, by the names that django-axes counts failures by.

    Django's own form calls the e-mail `username`; django-axes would look for `email` among the credentials,
    find nothing, and never lock anybody out.
    """

    def clean(self) -> dict[str, Any]:
        """Log in, or say that this does not work."""
        email = self.cleaned_data.get("username")
        password = self.cleaned_data.get("password")
        if email is not None and password:
            # In one case, since failures are counted by spelling.
            self.user_cache = authenticate(self.request, email=email.lower(), password=password)
            if self.user_cache is None:
                raise self.get_invalid_login_error()
            self.confirm_login_allowed(self.user_cache)
        return self.cleaned_data
