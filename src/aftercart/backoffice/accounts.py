"""Users, groups, the staff's log-in. Only a superuser touches staff, permissions, e-mail addresses and passwords."""

from typing import TYPE_CHECKING, Any

from django import forms
from django.contrib import admin
from django.contrib.auth.admin import GroupAdmin as DjangoGroupAdmin
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse
from django.urls import reverse
from django.utils.html import format_html
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.forms import AdminPasswordChangeForm

from aftercart.accounts.models import User
from aftercart.backoffice.columns import make_column, moment_column
from aftercart.backoffice.desk import DeskAdmin
from aftercart.backoffice.search import USER_WORDS, OwnSearch
from aftercart.backoffice.words import NOTHING
from aftercart.lib.emails import fold_email

if TYPE_CHECKING:
    from django.contrib.admin.forms import AdminAuthenticationForm as _AuthenticationForm
    from django.contrib.auth.forms import AdminUserCreationForm

    _CreationForm = AdminUserCreationForm[User]
else:
    from unfold.forms import AuthenticationForm as _AuthenticationForm
    from unfold.forms import UserCreationForm as _CreationForm

#: What only a superuser may set: who somebody is when they log in, and what they may do then.
_SUPERUSER_FIELDS = ("email", "is_staff", "is_superuser", "groups", "user_permissions")


class LoginForm(_AuthenticationForm):
    """E-mail (which Django calls the user name) and password."""

    def clean_username(self) -> str:
        """Put it in lower case: django-axes counts failures by spelling, and must not count twice."""
        return fold_email(str(self.cleaned_data["username"]))


class UserForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """A user without the password, which has a page of its own."""

    class Meta:
        model = User
        fields = (
            "email", "first_name", "last_name", "phone", "is_active", "is_staff", "is_superuser", "groups",
            "user_permissions",
        )  # fmt: skip

    def clean_email(self) -> str:
        """Keep it in lower case, as it is looked for."""
        return fold_email(str(self.cleaned_data["email"]))


class NewUserForm(_CreationForm):
    """A new user: an e-mail address, and a password or none."""

    class Meta:
        model = User
        fields = ("email",)

    def clean_email(self) -> str:
        """Keep it in lower case, as it is looked for."""
        return fold_email(str(self.cleaned_data["email"]))


def _is_superuser(request: HttpRequest) -> bool:
    return bool(request.user.is_active and request.user.is_superuser)


@admin.register(User)
class UserAdmin(DjangoUserAdmin, DeskAdmin[User]):  # type: ignore[type-arg, misc, unused-ignore]  # generic in the stubs only
    """Customers and staff; nobody is deleted here, and no password or hash of one is shown."""

    form = UserForm
    add_form = NewUserForm
    change_password_form = AdminPasswordChangeForm
    list_display = ("email", "show_name", "is_active", "is_staff", "show_joined", "show_last_login")
    list_filter = ("is_staff", "is_active", "is_superuser")
    search_fields = ("email", "first_name", "last_name")
    search_help_text = _("E-mail or name")
    search = OwnSearch(USER_WORDS)
    ordering = ("-id",)
    filter_horizontal = ("groups", "user_permissions")
    readonly_fields = ("show_joined", "show_last_login", "show_password")
    fieldsets = (
        (None, {"fields": ("email", ("first_name", "last_name"), "phone", "is_active", "show_password")}),
        (_("Permissions"), {"fields": ("is_staff", "is_superuser", "groups", "user_permissions")}),
        (_("Activity"), {"fields": ("show_joined", "show_last_login")}),
    )
    add_fieldsets = ((None, {"fields": ("email", "usable_password", "password1", "password2")}),)

    show_name = make_column(_("name"), lambda row: row.get_full_name() or NOTHING)
    show_joined = moment_column(_("joined"), "date_joined")
    show_last_login = moment_column(_("last log-in"), "last_login")

    def get_readonly_fields(self, request: HttpRequest, obj: Any = None) -> list[str]:
        """Keep what only a superuser may set."""
        fixed = [str(name) for name in super().get_readonly_fields(request, obj)]
        return fixed if _is_superuser(request) else [*fixed, *_SUPERUSER_FIELDS]

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Let a superuser add staff; customers come from the shop."""
        return _is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:
        """Let staff with the permission change customers, and only a superuser change staff."""
        if obj is not None and obj.is_staff and not _is_superuser(request):
            return False
        return super().has_change_permission(request, obj)

    def has_delete_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - Django's signature
        """Orders rest on users: one who is to go is switched off."""
        return False

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:  # noqa: A002 - Django's name for it
        """Set a password: whoever can do that can be anybody."""
        if not _is_superuser(request):
            raise PermissionDenied
        response: HttpResponse = super().user_change_password(request, id, form_url)
        return response

    @admin.display(description=_("password"))
    def show_password(self, obj: User) -> str:
        """Return whether there is one, and where a superuser sets another."""
        url = reverse("admin:auth_user_password_change", args=[obj.pk])
        state = (
            gettext("Set") if obj.has_usable_password() else gettext("None: cannot log in with a password")
        )
        return format_html('{} · <a class="bo-link" href="{}">{}</a>', state, url, gettext("set a new one"))


class GroupAdmin(DjangoGroupAdmin, DeskAdmin[Group]):  # type: ignore[misc, unused-ignore]  # generic in the stubs only
    """Groups of permissions: a superuser's business, since whoever edits a group can give it everything."""

    def has_add_permission(self, request: HttpRequest) -> bool:
        """Only a superuser."""
        return _is_superuser(request)

    def has_change_permission(self, request: HttpRequest, obj: Any = None) -> bool:  # noqa: ARG002 - Django's signature
        """Only a superuser."""
        return _is_superuser(request)

    has_delete_permission = has_change_permission


admin.site.unregister(Group)
admin.site.register(Group, GroupAdmin)
