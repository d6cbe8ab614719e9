"""Why customers cancel or return."""

import uuid
from collections.abc import Iterable
from enum import StrEnum
from typing import Final

from django.db import models
from django.utils.translation import gettext_lazy as _


class CancellationType(models.TextChoices):
    """`cancel` is for what has not been shipped, `refund` for what has (contract section 3.3)."""

    CANCEL = "cancel", _("Cancellation")
    REFUND = "refund", _("Return")


class SubmissionKind(StrEnum):
    """What a customer asked for. The first two are the contract's `cancellation_type`."""

    CANCEL = "cancel"
    RETURN = "refund"
    BOTH = "both"
    WITHDRAWAL = "withdrawal"


def find_kind(types: Iterable[str], *, is_withdrawal: bool = False) -> SubmissionKind:
    """Return what lines of these cancellation types are together; a cancellation where there is none."""
    if is_withdrawal:
        return SubmissionKind.WITHDRAWAL
    found = set(types) or {SubmissionKind.CANCEL}
    return SubmissionKind(found.pop()) if len(found) == 1 else SubmissionKind.BOTH


class CancellationReason(models.Model):
    """Why a customer cancels or returns; `remote_pk` is the OMS's id for the same reason.

    `translations` maps a language to `{"subject": …}`. `remote_problem` is what the last sync found wrong.
    """

    class RemoteProblem(models.TextChoices):
        """Why a reason has no partner at the OMS; empty: it has one, or nobody has looked yet."""

        UNKNOWN = "unknown", _("No reason of this subject there")
        GONE = "gone", _("Omnitron does not know the id")
        INACTIVE = "inactive", _("Switched off there")
        OTHER_TYPE = "other_type", _("Of the other type there")

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    cancellation_type = models.CharField(_("type"), max_length=6, choices=CancellationType)
    subject = models.CharField(_("subject"), max_length=255)
    translations = models.JSONField(default=dict, blank=True)
    extra_information_needed = models.BooleanField(_("needs a description"), default=False)
    is_active = models.BooleanField(_("offered to customers"), default=True)
    code = models.CharField(
        max_length=32,
        blank=True,
        editable=False,
        default="",
        db_default="",
        help_text="Names a reason that nobody chooses.",
    )
    order = models.IntegerField(_("place in the list"), default=0)
    remote_pk = models.BigIntegerField(_("Omnitron's id"), null=True, blank=True)
    remote_problem = models.CharField(max_length=10, choices=RemoteProblem, blank=True)
    remote_checked_at = models.DateTimeField(null=True, blank=True)
    created_date = models.DateTimeField(auto_now_add=True)
    modified_date = models.DateTimeField(auto_now=True)

    class Meta:
        verbose_name = _("cancellation reason")
        verbose_name_plural = _("cancellation reasons")
        ordering = ["cancellation_type", "order", "id"]
        constraints = [
            models.UniqueConstraint(
                fields=["code", "cancellation_type"], condition=~models.Q(code=""), name="one_reason_a_code"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.get_cancellation_type_display()}: {self.subject}"

    def get_subject(self, language: str) -> str:
        """Give the subject in a language, or as it was written."""
        return str((self.translations or {}).get(language, {}).get("subject") or self.subject)


#: The reasons that nobody chooses, by their code: what each is about in English and in Turkish.
_UNCHOSEN: Final = {
    "withdrawal": ("Withdrawal from contract", "Sözleşmeden cayma"),
    "reason_not_given": ("Not given", "Belirtilmedi"),
}


def get_unchosen_reason(code: str, kind: str) -> CancellationReason:
    """Get the reason of a type that has this code; made when it is first wanted, and not offered to customers."""
    subject, turkish = _UNCHOSEN[code]
    reason, _is_new = CancellationReason.objects.get_or_create(
        code=code,
        cancellation_type=kind,
        defaults={"subject": subject, "translations": {"tr": {"subject": turkish}}, "is_active": False},
    )
    return reason
