"""One-time codes by e-mail: rows that are made whether there is such an order or account or not."""

import uuid
from typing import ClassVar

from django.conf import settings
from django.db import models
from django.utils import timezone
from django.utils.translation import gettext_lazy as _


class OneTimeCode(models.Model):
    """A code that somebody asked for: a guest, by an order's number and e-mail address, or, to log in, by that alone.

    The row is the same for what exists and for what does not, so that neither answers nor time tell them apart; only
    the worker looks for the order, or the account. `code_hash` is keyed: who reads the table cannot try a million
    codes. `settled_at` says that the worker has decided, `mailed_at` that a mail was written.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    number = models.CharField(max_length=64, help_text="Empty: to log in.")
    email = models.CharField(max_length=254)
    language = models.CharField(max_length=8)
    order = models.ForeignKey("orders.Order", null=True, on_delete=models.CASCADE, related_name="guest_codes")
    user = models.ForeignKey(
        settings.AUTH_USER_MODEL, null=True, on_delete=models.CASCADE, related_name="login_codes"
    )
    code_hash = models.CharField(max_length=64)
    attempts = models.IntegerField(default=0)
    created_at = models.DateTimeField(default=timezone.now)
    expires_at = models.DateTimeField()
    settled_at = models.DateTimeField(null=True)
    mailed_at = models.DateTimeField(null=True)
    used_at = models.DateTimeField(null=True)

    objects: ClassVar[models.Manager["OneTimeCode"]]

    class Meta:
        verbose_name = _("one-time code")
        verbose_name_plural = _("one-time codes")
        db_table = "orders_guestcode"  # its first name: guests had codes before customers had
        indexes = [
            models.Index(fields=["created_at"], name="guest_codes_by_age"),
            models.Index(fields=["id"], condition=models.Q(settled_at=None), name="guest_codes_unsettled"),
            models.Index(
                fields=["email", "mailed_at"],
                condition=models.Q(mailed_at__isnull=False),
                name="guest_codes_mailed",
            ),
        ]

    def __str__(self) -> str:
        return str(self.uuid)
