"""The staff's log-in."""

from typing import TYPE_CHECKING

from aftercart.lib.emails import fold_email

if TYPE_CHECKING:
    from django.contrib.admin.forms import AdminAuthenticationForm as _AuthenticationForm
else:
    from unfold.forms import AuthenticationForm as _AuthenticationForm


class LoginForm(_AuthenticationForm):
    """E-mail (which Django calls the user name) and password."""

    def clean_username(self) -> str:
        """Put it in lower case: django-axes counts failures by spelling, and must not count twice."""
        return fold_email(str(self.cleaned_data["username"]))
