"""Changes of the delivery address, recorded before the OMS is told (contract section 4)."""

from django.conf import settings
from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from aftercart.orders.models import IdempotencyRecord, Order


class AddressChange(models.Model):
    """A request to send the order elsewhere, recorded before the OMS is told (contract section 4)."""

    class State(models.TextChoices):
        """Where it stands; of several for one order the newest wins, and the older become `superseded`."""

        PENDING = "pending", _("Waiting for Omnitron")
        CONFIRMED = "confirmed", _("Changed")
        REFUSED = "refused", _("Refused")
        TOO_LATE = "too_late", _("Too late")
        SUPERSEDED = "superseded", _("Replaced by a newer one")

    order = models.ForeignKey(Order, on_delete=models.CASCADE, related_name="address_changes")
    user = models.ForeignKey(settings.AUTH_USER_MODEL, null=True, on_delete=models.SET_NULL)
    address = models.JSONField()
    policy_version = models.ForeignKey(
        "PolicyVersion", null=True, on_delete=models.PROTECT, related_name="address_changes"
    )
    state = models.CharField(max_length=10, choices=State, default=State.PENDING)
    status_code = models.IntegerField(null=True)
    cause = models.TextField(blank=True)
    idempotency_record = models.OneToOneField(
        IdempotencyRecord, null=True, on_delete=models.SET_NULL, related_name="address_change"
    )
    attempts = models.IntegerField(_("tries"), default=0)
    created_at = models.DateTimeField(db_default=Now())
    settled_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("address change")
        verbose_name_plural = _("address changes")
        ordering = ["-id"]
        indexes = [models.Index(fields=["state", "-id"], name="address_changes_of_a_state")]
        constraints = [
            models.UniqueConstraint(
                fields=["order"], condition=models.Q(state="pending"), name="one_pending_change_an_order"
            ),
        ]

    def __str__(self) -> str:
        return f"{self.order_id}: {self.state}"
