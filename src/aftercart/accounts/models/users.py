"""Users, their sessions, and their address book."""

from typing import Any, ClassVar

from django.contrib.auth.models import AbstractBaseUser, BaseUserManager, PermissionsMixin
from django.contrib.postgres.indexes import GinIndex
from django.contrib.sessions.base_session import AbstractBaseSession
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _
from phonenumber_field.modelfields import PhoneNumberField

from aftercart.lib.emails import fold_email
from aftercart.lib.search import Words


class UserManager(BaseUserManager["User"]):
    """Makes users; an e-mail address is kept in lower case, so that it is found however it is typed."""

    def get_by_natural_key(self, username: str | None) -> "User":
        """Find by e-mail, in any case."""
        return self.get(email=fold_email(username or ""))

    def list_customers(self) -> "models.QuerySet[User]":
        """List who may get in by an e-mail to their address; staff have the back office."""
        return self.filter(is_active=True, is_staff=False)

    def create_user(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Make a user; without a password nobody can log in as them."""
        user = self.model(email=fold_email(email), **fields)
        user.set_password(password)
        user.save()
        return user

    def create_superuser(self, email: str, password: str | None = None, **fields: Any) -> "User":
        """Make a member of staff who may do everything."""
        return self.create_user(email, password, is_staff=True, is_superuser=True, **fields)


class User(AbstractBaseUser, PermissionsMixin):
    """A customer or a member of staff, known by e-mail."""

    email = models.EmailField(_("e-mail"), unique=True)
    first_name = models.CharField(_("first name"), max_length=150, blank=True)
    last_name = models.CharField(_("last name"), max_length=150, blank=True)
    phone = PhoneNumberField(_("phone"), blank=True)
    gender = models.CharField(max_length=10, blank=True)
    date_of_birth = models.DateField(null=True, blank=True)
    email_allowed = models.BooleanField(default=False)
    sms_allowed = models.BooleanField(default=False)
    language = models.CharField(
        max_length=2, blank=True, db_default="", help_text="Chosen on the site; empty: not yet."
    )
    commerce_pk = models.BigIntegerField(
        null=True, blank=True, unique=True, help_text="The customer's id in the shop, once it has told."
    )
    is_staff = models.BooleanField(_("member of staff"), default=False)
    is_active = models.BooleanField(_("active"), default=True)
    date_joined = models.DateTimeField(default=timezone.now)

    objects: ClassVar[UserManager] = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    class Meta:
        verbose_name = _("user")
        verbose_name_plural = _("users")
        indexes = [
            GinIndex(Words("email", "first_name", "last_name"), name="users_by_words"),
            models.Index(fields=["-id"], condition=models.Q(is_staff=True), name="users_who_are_staff"),
            models.Index(fields=["-id"], condition=models.Q(is_active=False), name="users_switched_off"),
        ]

    def __str__(self) -> str:
        return self.email

    def keep_language(self, language: str) -> None:
        """Keep the choice of one of `settings.LANGUAGES`, for other browsers and for e-mails (one query)."""
        User.objects.filter(pk=self.pk).exclude(language=language).update(language=language)

    def get_full_name(self) -> str:
        """Give first and last name, or what there is of them."""
        return f"{self.first_name} {self.last_name}".strip()


class Session(AbstractBaseSession):
    """A session whose row knows its user, so that both can be read in one round trip."""

    user = models.ForeignKey(User, null=True, on_delete=models.CASCADE, related_name="sessions")

    @classmethod
    def get_session_store_class(cls) -> Any:
        """Name the store that reads and writes this table."""
        from aftercart.accounts.sessions import SessionStore

        return SessionStore


class Country(models.Model):
    """A country that we deliver to."""

    name = models.CharField(_("name"), max_length=100)
    code = models.CharField(
        _("code"), max_length=2, unique=True, help_text=_("ISO 3166-1 alpha-2, in lower case.")
    )
    is_active = models.BooleanField(_("active"), default=True)
    translations = models.JSONField(null=True, blank=True)

    class Meta:
        verbose_name = _("country")
        verbose_name_plural = _("countries")

    def __str__(self) -> str:
        return self.name


class City(models.Model):
    """A city or province of a country."""

    country = models.ForeignKey(Country, on_delete=models.CASCADE, verbose_name=_("country"))
    name = models.CharField(_("name"), max_length=100)
    postcode = models.CharField(_("postcode"), max_length=20, blank=True)
    priority = models.IntegerField(_("priority"), null=True, blank=True)
    is_active = models.BooleanField(_("active"), default=True)
    translations = models.JSONField(null=True, blank=True)

    class Meta:
        verbose_name = _("city")
        verbose_name_plural = _("cities")
        constraints = [models.UniqueConstraint(fields=["country", "name"], name="city_once_a_country")]

    def __str__(self) -> str:
        return self.name


class Township(models.Model):
    """A township (ilçe) of a city."""

    city = models.ForeignKey(City, on_delete=models.CASCADE, verbose_name=_("city"))
    name = models.CharField(_("name"), max_length=100)
    postcode = models.CharField(_("postcode"), max_length=20, blank=True)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("township")
        verbose_name_plural = _("townships")
        constraints = [models.UniqueConstraint(fields=["city", "name"], name="township_once_a_city")]

    def __str__(self) -> str:
        return self.name


class District(models.Model):
    """A district (mahalle) of a township."""

    township = models.ForeignKey(Township, on_delete=models.CASCADE, verbose_name=_("township"))
    name = models.CharField(_("name"), max_length=100)
    postcode = models.CharField(_("postcode"), max_length=20, blank=True)
    is_active = models.BooleanField(_("active"), default=True)

    class Meta:
        verbose_name = _("district")
        verbose_name_plural = _("districts")
        constraints = [models.UniqueConstraint(fields=["township", "name"], name="district_once_a_township")]

    def __str__(self) -> str:
        return self.name


class Address(models.Model):
    """An entry of a user's address book; names to the letter of contract section 6."""

    user = models.ForeignKey(User, on_delete=models.CASCADE, related_name="addresses", verbose_name=_("user"))
    title = models.CharField(_("title"), max_length=128)
    email = models.EmailField(blank=True)
    phone_number = models.CharField(max_length=32)
    first_name = models.CharField(_("first name"), max_length=150)
    last_name = models.CharField(_("last name"), max_length=150)
    country = models.ForeignKey(Country, on_delete=models.PROTECT, verbose_name=_("country"))
    city = models.ForeignKey(City, on_delete=models.PROTECT, verbose_name=_("city"))
    township = models.ForeignKey(Township, on_delete=models.PROTECT)
    district = models.ForeignKey(District, null=True, blank=True, on_delete=models.PROTECT)
    line = models.CharField(max_length=512)
    postcode = models.CharField(max_length=20, blank=True)
    notes = models.TextField(blank=True)
    company_name = models.CharField(max_length=255, blank=True)
    tax_office = models.CharField(max_length=64, blank=True)
    tax_no = models.CharField(max_length=32, blank=True)
    e_bill_taxpayer = models.BooleanField(default=False)
    hash_data = models.CharField(max_length=64, db_index=True)
    address_type = models.CharField(max_length=32, default="customer")
    retail_store = models.JSONField(null=True, blank=True)
    remote_id = models.CharField(max_length=64, null=True, blank=True)  # noqa: DJ001 - null in the contract
    identity_number = models.CharField(max_length=32, null=True, blank=True)  # noqa: DJ001 - null in the contract
    extra_field = models.JSONField(null=True, blank=True)
    is_corporate = models.BooleanField(default=False)
    primary = models.BooleanField(default=False)
    created_date = models.DateTimeField(auto_now_add=True)
    modified_date = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("address")
        verbose_name_plural = _("addresses")
        indexes = [GinIndex(Words("last_name", "line"), name="addresses_by_words")]
        constraints = [
            models.UniqueConstraint(fields=["user", "hash_data"], name="address_once_a_user"),
            models.UniqueConstraint(
                fields=["user"], condition=models.Q(primary=True), name="one_primary_address_a_user"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.title}: {self.line}"
