"""Reasons: what staff may edit."""

from typing import TYPE_CHECKING, Any, ClassVar

from django import forms
from django.contrib import admin
from django.http import HttpRequest
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from aftercart.backoffice.desk import DeskAdmin
from aftercart.cancellations.models import CancellationReason

if TYPE_CHECKING:
    _ReasonForm = forms.ModelForm[CancellationReason]
else:
    _ReasonForm = forms.ModelForm


class ReasonForm(_ReasonForm):
    """A reason, its translations as a field for each language of the shop."""

    subject_en = forms.CharField(
        label=_("Subject in English"), max_length=255, required=False, widget=UnfoldAdminTextInputWidget
    )
    subject_tr = forms.CharField(
        label=_("Subject in Turkish"), max_length=255, required=False, widget=UnfoldAdminTextInputWidget
    )

    class Meta:
        model = CancellationReason
        fields = (
            "cancellation_type", "subject", "order", "is_active", "extra_information_needed", "remote_pk",
        )  # fmt: skip
        labels: ClassVar = {
            "subject": _("Subject"),
            "cancellation_type": _("Type"),
            "order": _("Place in the list"),
            "is_active": _("Offered to customers"),
            "extra_information_needed": _("Needs a description"),
            "remote_pk": _("Omnitron's id"),
        }

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        translations = self.instance.translations or {}
        for language in ("en", "tr"):
            told = translations.get(language) or {}
            self.fields[f"subject_{language}"].initial = told.get("subject", "")

    def clean(self) -> dict[str, Any]:
        """Put the two languages back among the translations; what else is there stays as it is."""
        data = super().clean() or self.cleaned_data
        translations = dict(self.instance.translations or {})
        for language in ("en", "tr"):
            told = {key: text for key, text in (translations.get(language) or {}).items() if key != "subject"}
            subject = data.get(f"subject_{language}")
            if subject:
                told["subject"] = subject
            if told:
                translations[language] = told
            else:
                translations.pop(language, None)
        self.instance.translations = translations
        return data


@admin.register(CancellationReason)
class CancellationReasonAdmin(DeskAdmin[CancellationReason]):
    """Reasons; one that has been used is switched off, not deleted."""

    form = ReasonForm
    list_display = (
        "subject", "cancellation_type", "order", "is_active", "extra_information_needed", "remote_pk",
    )  # fmt: skip
    list_filter = ("cancellation_type", "is_active")
    search_fields = ("subject",)
    fieldsets = (
        (None, {"fields": ("subject", ("subject_en", "subject_tr"), "cancellation_type")}),
        (
            _("How it is offered"),
            {"fields": ("order", "is_active", "extra_information_needed")},
        ),
        (
            _("At Omnitron"),
            {"fields": ("remote_pk",), "description": _("Empty: found there by type and subject.")},
        ),
    )

    def get_readonly_fields(
        self,
        request: HttpRequest,  # noqa: ARG002
        obj: CancellationReason | None = None,
    ) -> tuple[str, ...]:
        """Keep the type of a reason that there is: requests that name it rely on it."""
        return () if obj is None else ("cancellation_type",)
