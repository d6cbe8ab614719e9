"""Statements of withdrawal that anybody makes, recorded before they are matched (docs/withdrawal.md)."""

import uuid

from django.conf import settings
from django.contrib.postgres.indexes import GinIndex
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _

from aftercart.cancellations.models.withdrawals import Withdrawal
from aftercart.lib.search import Words


class PublicStatement(models.Model):
    """What somebody has stated about an order number, as it was typed; nobody has proved anything yet.

    Its `submitted_at` is the time of the withdrawal that it becomes. The row is the same whether there is such an order
    or not. `fingerprint` is a keyed digest of what was typed, by which a double click is recognised.
    """

    class State(models.TextChoices):
        """Open until its owner or staff match it to an order, or staff close it."""

        OPEN = "open", _("Open")
        MATCHED = "matched", _("Matched")
        CLOSED = "closed", _("Closed unmatched")

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    name = models.CharField(_("name"), max_length=255)
    number = models.CharField(_("order number"), max_length=64)
    email = models.CharField(_("e-mail"), max_length=254)
    items = models.TextField(_("items"), blank=True, help_text="Which goods it is about; empty: all of them.")
    language = models.CharField(max_length=2)
    fingerprint = models.CharField(max_length=64)
    is_acknowledged = models.BooleanField(
        help_text="Whether an e-mail was written; not beyond what one recipient may get."
    )
    submitted_at = models.DateTimeField(default=timezone.now)
    state = models.CharField(max_length=8, choices=State, default=State.OPEN)
    withdrawal = models.ForeignKey(
        Withdrawal, null=True, on_delete=models.SET_NULL, related_name="public_statements"
    )
    reason = models.TextField(blank=True, help_text="Why it was closed; for staff.")
    settled_at = models.DateTimeField(null=True)
    settled_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL, related_name="+"
    )

    class Meta:
        verbose_name = _("open statement")
        verbose_name_plural = _("open statements")
        ordering = ["-id"]
        indexes = [
            models.Index(fields=["state", "submitted_at", "-id"], name="statements_of_a_state"),
            models.Index(fields=["submitted_at", "-id"], name="statements_by_age"),
            models.Index(fields=["fingerprint", "submitted_at"], name="statements_by_what_was_typed"),
            GinIndex(Words("name", "email", "number"), name="statements_by_words"),
        ]

    def __str__(self) -> str:
        return str(self.uuid)
