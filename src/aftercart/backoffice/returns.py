"""Easy return: who collects and when, and the instructions where nobody does."""

from typing import Any, ClassVar

from django import forms
from django.contrib import admin
from django.utils.translation import gettext_lazy as _
from unfold.widgets import (
    UnfoldAdminCheckboxSelectMultipleWidget,
    UnfoldAdminTextareaWidget,
    UnfoldAdminTextInputWidget,
)

from aftercart.backoffice.desk import DeskAdmin
from aftercart.cancellations.models import EasyReturnCompany
from aftercart.cancellations.models.easy_return import ReturnInstructions
from aftercart.cancellations.pickups import WEEKDAYS


class CompanyForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """A company and its calendar: weekdays to tick, hours and holidays as lists with commas."""

    weekdays = forms.TypedMultipleChoiceField(
        label=_("Weekdays"),
        choices=WEEKDAYS,
        coerce=int,
        required=False,
        widget=UnfoldAdminCheckboxSelectMultipleWidget,
        help_text=_("None selected: it collects every day."),
    )

    class Meta:
        model = EasyReturnCompany
        fields = (
            "name", "value", "channel_id", "is_active", "weekdays", "slots", "lead_days", "closed_dates",
        )  # fmt: skip
        help_texts: ClassVar = {
            "value": "",
            "channel_id": _("Empty: all channels."),
            "slots": _("As in 09:00-12:00, 13:00-17:00. Empty: at any hour."),
            "lead_days": _("How many days ahead a pickup must be ordered; 0: the same day."),
            "closed_dates": _("As in 2026-10-29, 2026-12-31."),
        }
        widgets: ClassVar = {
            "slots": UnfoldAdminTextInputWidget,
            "closed_dates": UnfoldAdminTextInputWidget,
        }


@admin.register(EasyReturnCompany)
class EasyReturnCompanyAdmin(DeskAdmin[EasyReturnCompany]):
    """Companies that collect returns. Their calendars are in the shop's time zone."""

    form = CompanyForm
    list_display = ("name", "value", "channel_id", "is_active", "lead_days")
    list_filter = ("is_active",)
    search_fields = ("name", "value")
    fieldsets = (
        (None, {"fields": ("name", "value", "channel_id", "is_active")}),
        (
            _("When it collects"),
            {
                "fields": ("weekdays", "slots", "lead_days", "closed_dates"),
                "description": _("In the shop's time zone. Empty fields exclude nothing."),
            },
        ),
    )


class InstructionsForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
    """Instructions, their translations as a field for each language of the shop."""

    text_en = forms.CharField(label=_("Text in English"), required=False, widget=UnfoldAdminTextareaWidget)
    text_tr = forms.CharField(label=_("Text in Turkish"), required=False, widget=UnfoldAdminTextareaWidget)

    class Meta:
        model = ReturnInstructions
        fields = ("channel_id", "text")
        help_texts: ClassVar = {"channel_id": _("Empty: all channels that have none of their own.")}

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        for language in ("en", "tr"):
            texts = (self.instance.translations or {}).get(language) or {}
            self.fields[f"text_{language}"].initial = texts.get("text", "")

    def clean(self) -> dict[str, Any]:
        """Put the two languages back among the translations."""
        data = super().clean() or self.cleaned_data
        self.instance.translations = {
            language: {"text": text} for language in ("en", "tr") if (text := data.get(f"text_{language}"))
        }
        return data


@admin.register(ReturnInstructions)
class ReturnInstructionsAdmin(DeskAdmin[ReturnInstructions]):
    """What customers read about a return that nobody collects."""

    form = InstructionsForm
    list_display = ("__str__", "channel_id")
    fieldsets = ((None, {"fields": ("channel_id", "text", "text_en", "text_tr")}),)
