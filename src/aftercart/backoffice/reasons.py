"""Reasons: what staff may edit."""

from typing import Any, ClassVar

from django import forms
from django.conf import settings
from django.contrib import admin, messages
from django.core.exceptions import PermissionDenied
from django.http import HttpRequest, HttpResponse, HttpResponseNotAllowed, HttpResponseRedirect
from django.utils.translation import gettext
from django.utils.translation import gettext_lazy as _
from unfold.widgets import UnfoldAdminTextInputWidget

from aftercart.actions.upkeep import jobs
from aftercart.backoffice.columns import make_column
from aftercart.backoffice.desk import DeskAdmin
from aftercart.backoffice.filters import ReasonPartnerFilter
from aftercart.backoffice.links import make_list_url
from aftercart.backoffice.words import NOTHING, Text, show_badge
from aftercart.cancellations.models import CancellationReason


class ReasonForm(forms.ModelForm):  # type: ignore[type-arg]  # generic in the stubs only
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

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        translations = self.instance.translations or {}
        for language in ("en", "tr"):
            texts = translations.get(language) or {}
            self.fields[f"subject_{language}"].initial = texts.get("subject", "")

    def clean(self) -> dict[str, Any]:
        """Put the two languages back among the translations; what else is there stays as it is."""
        data = super().clean() or self.cleaned_data
        translations = dict(self.instance.translations or {})
        for language in ("en", "tr"):
            texts = {
                key: text for key, text in (translations.get(language) or {}).items() if key != "subject"
            }
            subject = data.get(f"subject_{language}")
            if subject:
                texts["subject"] = subject
            if texts:
                translations[language] = texts
            else:
                translations.pop(language, None)
        self.instance.translations = translations
        return data


def _say_partner(reason: CancellationReason) -> Text:
    """Return the partner, or what the last comparison found wrong."""
    if reason.remote_problem and reason.is_active:
        return show_badge(reason.get_remote_problem_display(), "wrong")
    return NOTHING if reason.remote_pk is None else str(reason.remote_pk)


@admin.register(CancellationReason)
class CancellationReasonAdmin(DeskAdmin[CancellationReason]):
    """Reasons; one that has been used is switched off, not deleted."""

    form = ReasonForm
    list_display = (
        "subject", "cancellation_type", "order", "is_active", "extra_information_needed", "show_partner",
    )  # fmt: skip
    list_filter = ("cancellation_type", "is_active", ReasonPartnerFilter)
    list_before_template = "backoffice/reason_list.html"
    search_fields = ("subject",)
    more_pages: ClassVar = {"sync": "sync/"}
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

    show_partner = make_column(_("at Omnitron"), _say_partner)

    def get_readonly_fields(
        self,
        request: HttpRequest,  # noqa: ARG002 - Django's signature
        obj: CancellationReason | None = None,
    ) -> tuple[str, ...]:
        """Keep the type of a reason that there is: requests that name it rely on it."""
        return () if obj is None else ("cancellation_type",)

    def changelist_view(self, request: HttpRequest, extra_context: dict[str, Any] | None = None) -> Any:
        """Offer the comparison above the list to those who may edit."""
        context = {"may_sync": self.has_change_permission(request)}
        return super().changelist_view(request, {**context, **(extra_context or {})})

    def sync(self, request: HttpRequest) -> HttpResponse:
        """Have the worker compare the reasons with the OMS's (POST)."""
        if not self.has_change_permission(request):
            raise PermissionDenied
        if request.method != "POST":
            return HttpResponseNotAllowed(["POST"])
        jobs.enqueue(jobs.SYNC_REASONS, settings.OMNITRON_CHANNEL_ID)
        messages.success(request, gettext("The reasons are being compared; check back in a moment."))
        return HttpResponseRedirect(make_list_url(CancellationReason))
