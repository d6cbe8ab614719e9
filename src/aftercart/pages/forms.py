"""The forms of customers: what makes sense. Whether it is allowed, the actions judge."""

from collections.abc import Collection, Sequence
from datetime import datetime, time
from typing import Any

from django import forms
from django.contrib.auth.password_validation import validate_password
from django.core.exceptions import ValidationError
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

from aftercart.accounts.models import Address
from aftercart.actions.withdraw.record_statement import find_links
from aftercart.cancellations.models import LONGEST_DESCRIPTION, LONGEST_PREFERENCE, CancellationReason
from aftercart.lib.clock import get_shop_zone
from aftercart.lib.formats import get_active_language
from aftercart.lib.times import read_day_or_time
from aftercart.orders.facts import CancellationKind

_MOST_UNITS = 1_000_000


class PlainForm(forms.Form):
    """A form whose errors are told by the server alone, so that it works, and says the same, everywhere."""

    use_required_attribute = False

    def forget_errors(self) -> None:
        """Show what was typed without a word about what is wrong with it."""
        self._errors = forms.utils.ErrorDict()
        self.cleaned_data: dict[str, Any] = {}

    @property
    def field_errors(self) -> list[tuple[str, str]]:
        """List what is wrong with the fields: each one's id, and a sentence that says where."""
        return [(field.auto_id, f"{field.label}: {error}") for field in self for error in field.errors]

    @property
    def plain_errors(self) -> list[tuple[str, str]]:
        """List what is wrong with the fields, where each sentence says by itself what it is about."""
        return [(field.auto_id, str(error)) for field in self for error in field.errors]


def make_text_field(label: Any, most: int, autocomplete: str, **options: Any) -> forms.CharField:
    """Make the field of a line of text; `autocomplete` is what a browser may fill in, or "off"."""
    widget = forms.TextInput(attrs={"autocomplete": autocomplete})
    return forms.CharField(label=label, max_length=most, widget=widget, **options)


def make_email_field(label: Any) -> forms.EmailField:
    """Make the field of an e-mail address."""
    widget = forms.EmailInput(attrs={"autocomplete": "email"})
    return forms.EmailField(label=label, max_length=254, widget=widget)


def make_day_field(label: Any) -> forms.DateField:
    """Make the field of a day, which may be left out."""
    widget = forms.DateInput(format="%Y-%m-%d", attrs={"type": "date"})
    return forms.DateField(label=label, required=False, widget=widget)


def _make_password(label: Any, autocomplete: str, **attributes: Any) -> forms.CharField:
    widget = forms.PasswordInput(attrs={"autocomplete": autocomplete, **attributes})
    return forms.CharField(label=label, max_length=1024, strip=False, widget=widget)


class ForgottenForm(PlainForm):
    """Whose password is forgotten."""

    email = forms.EmailField(
        label=gettext_lazy("E-mail address"),
        max_length=254,
        widget=forms.EmailInput(attrs={"autocomplete": "username", "autofocus": True}),
    )


class LoginForm(ForgottenForm):
    """E-mail address and password."""

    password = _make_password(gettext_lazy("Password"), "current-password")


class NewPasswordForm(PlainForm):
    """A new password, typed twice."""

    new_password1 = _make_password(gettext_lazy("New password"), "new-password", autofocus=True)
    new_password2 = _make_password(gettext_lazy("Repeat new password"), "new-password")

    def clean(self) -> dict[str, Any]:
        """Check that both are one, and that it is a good one."""
        data: dict[str, Any] = super().clean() or {}
        first, second = data.get("new_password1"), data.get("new_password2")
        if first and second and first != second:
            self.add_error("new_password2", _("The passwords do not match."))
        elif first:
            try:
                validate_password(first)
            except ValidationError as error:
                self.add_error("new_password1", error)
        return data


class LookupForm(PlainForm):
    """What a guest knows of an order: its number and its e-mail address."""

    number = make_text_field(gettext_lazy("Order number"), 64, "off")
    email = make_email_field(gettext_lazy("E-mail address"))


class StatementForm(PlainForm):
    """A statement of withdrawal by somebody who has proved nothing; it is e-mailed, so that it has no links."""

    name = make_text_field(gettext_lazy("Your name"), 255, "name")
    number = make_text_field(gettext_lazy("Order number"), 64, "off")
    email = make_email_field(gettext_lazy("E-mail address for the receipt"))
    items = forms.CharField(
        label=gettext_lazy("Which items? (optional)"),
        help_text=gettext_lazy("Leave it empty to withdraw from the whole order."),
        required=False,
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
    )

    def clean(self) -> dict[str, Any]:
        """Refuse links."""
        data: dict[str, Any] = super().clean() or {}
        for name, sentence in find_links(data).items():
            self.add_error(name, sentence)
        return data


class CodeForm(PlainForm):
    """A one-time code; blanks, which phones like to put in, do no harm."""

    code = forms.CharField(
        label=gettext_lazy("Code"),
        max_length=16,
        widget=forms.TextInput(
            attrs={"autocomplete": "one-time-code", "inputmode": "numeric", "autofocus": True}
        ),
    )

    def clean_code(self) -> str:
        """Take the digits."""
        return "".join(self.cleaned_data["code"].split())


class DayOrTimeField(forms.CharField):
    """A day or a time in ISO 8601, as the API's filters take it; a day stands for one time of it."""

    def __init__(self, of_day: time) -> None:
        """Take a day as `of_day`."""
        super().__init__(required=False)
        self.of_day = of_day

    def clean(self, value: Any) -> datetime | None:
        """Read it. Raises `ValidationError`."""
        text = super().clean(value)
        try:
            return read_day_or_time(text, self.of_day, get_shop_zone()) if text else None
        except ValueError as error:
            raise ValidationError(_("Enter a date as YYYY-MM-DD, or a date and time.")) from error


class SearchForm(PlainForm):
    """A part of an order number or of a product's name, and days; or the API's filters, which share the URL."""

    search = forms.CharField(
        label=gettext_lazy("Order number or product"),
        required=False,
        max_length=64,
        widget=forms.TextInput(attrs={"type": "search", "autocomplete": "off"}),
    )
    since = make_day_field(gettext_lazy("From"))
    until = make_day_field(gettext_lazy("Until"))

    created_date__gte = DayOrTimeField(time.min)
    created_date__lte = DayOrTimeField(time.max)

    def read_days(self) -> tuple[datetime | None, datetime | None]:
        """Read the first and the last moment of a checked form's days, in the shop's time zone."""
        data = self.cleaned_data
        since, until = (data.get(name) for name in ("since", "until"))
        return (
            datetime.combine(since, time.min, get_shop_zone()) if since else data.get("created_date__gte"),
            datetime.combine(until, time.max, get_shop_zone()) if until else data.get("created_date__lte"),
        )


class AddressForm(PlainForm):
    """A choice from the customer's addresses."""

    address = forms.TypedChoiceField(
        label=gettext_lazy("New delivery address"),
        coerce=int,
        widget=forms.RadioSelect,
        error_messages={"required": gettext_lazy("Please choose an address.")},
    )

    def __init__(self, *args: Any, addresses: Sequence[Address], **options: Any) -> None:
        """Offer these addresses."""
        super().__init__(*args, **options)
        self.fields["address"].choices = [(address.pk, address.title) for address in addresses]  # type: ignore[attr-defined]  # the field is one of choices


class ReasonSelect(forms.Select):
    """Marks the reasons that need a description, for the style sheet to show the field."""

    needing: Collection[int] = ()

    def create_option(self, name: str, value: Any, *args: Any, **options: Any) -> dict[str, Any]:
        """Make an option, marked if need be."""
        option = super().create_option(name, value, *args, **options)
        if value in self.needing:
            option["attrs"]["data-needs-description"] = ""
        return option


class ItemForm(PlainForm):
    """One item of an order: whether, how many, why. Of an item that is not chosen nothing is checked."""

    is_chosen = forms.BooleanField(required=False)
    cancellation_type = forms.ChoiceField(choices=[("cancel", ""), ("refund", "")], required=False)
    quantity = forms.IntegerField(
        label=gettext_lazy("How many?"),
        required=False,
        min_value=1,
        max_value=_MOST_UNITS,
        widget=forms.NumberInput(attrs={"inputmode": "numeric"}),
    )
    reason = forms.TypedChoiceField(
        label=gettext_lazy("Reason"), coerce=int, empty_value=None, required=False, widget=ReasonSelect
    )
    description = forms.CharField(
        label=gettext_lazy("Description"),
        required=False,
        max_length=LONGEST_DESCRIPTION,
        widget=forms.Textarea(attrs={"rows": 3}),
    )
    exchange_preference = make_text_field(
        gettext_lazy("Would you rather have another size or colour? (optional)"),
        LONGEST_PREFERENCE,
        "off",
        help_text=gettext_lazy(
            "We pass it on to our team, but we can't promise an exchange: this stays a return."
        ),
        required=False,
    )

    def __init__(
        self,
        *args: Any,
        kind: CancellationKind,
        left_quantity: int,
        reasons: Sequence[CancellationReason],
        **options: Any,
    ) -> None:
        """Offer what fits an item of this kind with so many units left."""
        super().__init__(*args, **options)
        self.reasons = {reason.pk: reason for reason in reasons}
        self.offer(kind, left_quantity)

    def offer(self, kind: CancellationKind, left_quantity: int) -> None:
        """Offer the reasons of this kind, and up to so many units."""
        field: Any = self.fields["reason"]
        fitting = [reason for reason in self.reasons.values() if reason.cancellation_type == kind]
        field.widget.needing = {reason.pk for reason in fitting if reason.extra_information_needed}
        field.choices = [("", _("Please choose")), *((reason.pk, self._name(reason)) for reason in fitting)]
        self.fields["quantity"].initial = left_quantity
        self.fields["quantity"].widget.attrs["max"] = left_quantity

    def list_plain_reasons(self) -> list[tuple[int, str]]:
        """List the reasons that need no description: those that can be given for several items at once."""
        field: Any = self.fields["reason"]
        return [(pk, name) for pk, name in field.choices if pk and pk not in field.widget.needing]

    @staticmethod
    def _name(reason: CancellationReason) -> str:
        return reason.get_subject(get_active_language())

    @property
    def is_asked(self) -> bool:
        """Whether the customer has chosen this item."""
        return bool(self["is_chosen"].value())

    def full_clean(self) -> None:
        """Check an item that is chosen; let be one that is not."""
        super().full_clean()
        if self.is_bound and not self.is_asked:
            self._errors = forms.utils.ErrorDict()
            self.cleaned_data = {"is_chosen": False}

    def clean(self) -> dict[str, Any]:
        """Want a reason, and the description that some reasons need."""
        data = self.cleaned_data
        if "reason" in data and data["reason"] is None:
            self.add_error("reason", _("Please choose a reason."))
        reason = self.reasons.get(data.get("reason") or 0)
        if reason and reason.extra_information_needed and not data.get("description", "x").strip():
            self.add_error("description", _("Please tell us a little more; this reason needs a description."))
        if "cancellation_type" in data and not data["cancellation_type"]:
            self.add_error("reason", _("This item can't be cancelled or returned here."))
        return data
