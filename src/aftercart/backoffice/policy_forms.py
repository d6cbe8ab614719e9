"""The forms of the policy: a rule, a publication, a try. What makes sense, the model's `clean` says."""

from collections import Counter
from datetime import datetime
from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminIntegerFieldWidget,
    UnfoldAdminSelectWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from aftercart.cancellations.models.policies import PolicyRule, PolicyType, PolicyVersion
from aftercart.lib.clock import get_shop_zone
from aftercart.orders.status import Status

if TYPE_CHECKING:
    _RuleForm = forms.ModelForm[PolicyRule]
    _RuleFormSet = forms.BaseInlineFormSet[PolicyRule, PolicyVersion, forms.ModelForm[PolicyRule]]
else:
    _RuleForm = forms.ModelForm
    _RuleFormSet = forms.BaseInlineFormSet

_MOST_LINES = 200


class LinesField(forms.CharField):
    """A list of short texts, one a line, each once."""

    def __init__(self, *, longest: int, lowered: bool = False, **options: Any) -> None:
        self.longest = longest
        self.lowered = lowered
        widget = UnfoldAdminTextareaWidget(attrs={"rows": 3})
        super().__init__(widget=widget, required=False, max_length=20_000, **options)

    def prepare_value(self, value: Any) -> Any:
        """Write the list."""
        return "\n".join(value) if isinstance(value, list) else value

    def to_python(self, value: Any) -> Any:
        """Read the list. Raises `ValidationError` for a line that is too long, or too many."""
        typed = str(super().to_python(value) or "")
        lines = list(dict.fromkeys(line.strip() for line in typed.splitlines() if line.strip()))
        if len(lines) > _MOST_LINES or any(len(line) > self.longest for line in lines):
            raise forms.ValidationError(
                _("At most %(count)d lines of %(longest)d characters.")
                % {"count": _MOST_LINES, "longest": self.longest}
            )
        return [line.lower() for line in lines] if self.lowered else lines

    def has_changed(self, initial: Any, data: Any) -> bool:
        """Return whether another list was typed; by line, since browsers send other line ends."""
        return (initial or []) != [line.strip() for line in (data or "").splitlines() if line.strip()]


class RuleForm(_RuleForm):
    """One rule."""

    statuses = forms.MultipleChoiceField(
        label=_("Statuses"), choices=Status.choices, required=False, widget=forms.CheckboxSelectMultiple
    )
    sku_patterns = LinesField(label=_("SKUs"), longest=128)
    category_patterns = LinesField(label=_("Categories"), longest=255)
    payment_types = LinesField(label=_("Payment types"), longest=64)
    client_types = LinesField(label=_("Client types"), longest=64)
    countries = LinesField(label=_("Countries"), longest=2, lowered=True)

    class Meta:
        model = PolicyRule
        exclude = ("version",)
        labels: ClassVar = {
            "number": _("Number"),
            "topic": _("Topic"),
            "effect": _("Effect"),
            "channel_id": _("Channel"),
            "cancellation_type": _("Type"),
            "currency": _("Currency"),
            "amount_above": _("Amount above"),
            "amount_up_to": _("Amount up to"),
            "window_basis": _("Window begins with"),
            "window_length": _("Window's length"),
            "window_unit": _("Window's unit"),
            "code": _("Reason code"),
            "message_en": _("Sentence in English"),
            "message_tr": _("Sentence in Turkish"),
            "fee_fixed": _("Fixed fee"),
            "fee_percent": _("Fee in percent"),
            "shipping_refund": _("Shipping is refunded"),
        }

    def clean_number(self) -> int:
        """Refuse a number that another rule of the version has; among the rules of one page the page does."""
        number = int(self.cleaned_data["number"])
        others = PolicyRule.objects.filter(version=self.instance.version_id, number=number)
        if self.prefix is None and others.exclude(pk=self.instance.pk).exists():
            raise forms.ValidationError(_("Another rule has this number already."))
        return number

    def clean_currency(self) -> str:
        """Put it in upper case."""
        return str(self.cleaned_data["currency"]).upper()


class RuleFormSet(_RuleFormSet):
    """The rules of a version, each with a number of its own."""

    def clean(self) -> None:
        """Refuse a number that two rules have."""
        super().clean()
        kept = [form for form in self.forms if form not in self.deleted_forms and form.cleaned_data]
        numbers = Counter(form.cleaned_data.get("number") for form in kept)
        for form in kept:
            if numbers[form.cleaned_data.get("number")] > 1:
                form.add_error("number", _("Another rule has this number already."))


class ShopTimeField(forms.DateTimeField):
    """A time in the shop's zone, as browsers write it."""

    def __init__(self, **options: Any) -> None:
        widget = UnfoldAdminTextInputWidget(attrs={"type": "datetime-local"})
        super().__init__(widget=widget, required=False, **options)

    def to_python(self, value: Any) -> datetime | None:
        """Read it, in the shop's zone unless it says another."""
        typed = super().to_python(value)
        if typed is None:
            return None
        # Django has taken it for UTC, the project's zone.
        return typed.replace(tzinfo=get_shop_zone())


class PublicationForm(forms.Form):
    """From when a version holds."""

    effective_from = ShopTimeField(
        label=_("In force from"), help_text=_("In the shop's time zone. Empty: from now on.")
    )


class TryForm(forms.Form):
    """An order, and what to try with it."""

    number = forms.CharField(label=_("Order number"), max_length=64, widget=UnfoldAdminTextInputWidget)
    kind = forms.ChoiceField(
        label=_("What is asked for"),
        choices=[("", _("What each item's status suggests")), *PolicyType.choices],
        required=False,
        widget=UnfoldAdminSelectWidget,
    )
    at = ShopTimeField(label=_("At"), help_text=_("In the shop's time zone. Empty: now."))
    version = forms.IntegerField(
        label=_("Version"),
        help_text=_("Its number, a draft's too. Empty: the one in force then."),
        required=False,
        min_value=1,
        widget=UnfoldAdminIntegerFieldWidget,
    )


class OverrideForm(forms.Form):
    """An item that the policy refuses, and why it is asked for nevertheless."""

    order_item = forms.TypedChoiceField(label=_("Item"), coerce=int, widget=UnfoldAdminSelectWidget)
    quantity = forms.IntegerField(
        label=_("Units"),
        help_text=_("Empty: all that is left."),
        required=False,
        min_value=1,
        widget=UnfoldAdminIntegerFieldWidget,
    )
    reason = forms.TypedChoiceField(label=_("Customer's reason"), coerce=int, widget=UnfoldAdminSelectWidget)
    why = forms.CharField(
        label=_("Why the policy is overridden"),
        help_text=_("It is kept in the order's timeline, with your name."),
        max_length=1000,
        widget=UnfoldAdminTextareaWidget(attrs={"rows": 4}),
    )

    def __init__(self, data: Any, *, items: list[tuple[int, str]], reasons: list[tuple[int, str]]) -> None:
        """Offer these items and reasons, each with its name."""
        super().__init__(data)
        for name, choices in (("order_item", items), ("reason", reasons)):
            field = self.fields[name]
            assert isinstance(field, forms.TypedChoiceField)  # noqa: S101 - declared above
            field.choices = choices
