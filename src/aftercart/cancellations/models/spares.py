"""Requests in the OMS's queue that must not stay there."""

from django.db import models
from django.db.models.functions import Now

from aftercart.cancellations.models.requests import CancellationRequest


class SpareRequest(models.Model):
    """A second creation of a request, or one that came after nobody wanted it any more: to be rejected at once.

    Without `remote_pk` its creation was not answered: it is looked for under its name once the grace is over.
    """

    class State(models.TextChoices):
        """Where it stands. `approved`: the OMS was quicker, and its units are gone."""

        FOUND = "found"
        REJECTED = "rejected"
        APPROVED = "approved"
        ABSENT = "absent"

    request = models.ForeignKey(CancellationRequest, on_delete=models.CASCADE, related_name="spares")
    name = models.CharField(max_length=64)
    remote_pk = models.BigIntegerField(null=True)
    state = models.CharField(max_length=8, choices=State, default=State.FOUND)
    tries = models.IntegerField(default=0)
    error = models.TextField(blank=True)
    found_at = models.DateTimeField(db_default=Now())
    settled_at = models.DateTimeField(null=True)

    class Meta:
        ordering = ["-id"]
        constraints = [
            models.UniqueConstraint(
                fields=["request", "name", "remote_pk"], nulls_distinct=False, name="one_spare_a_creation"
            ),
        ]
        indexes = [
            models.Index(fields=["id"], condition=models.Q(state="found"), name="spares_to_reject"),
            models.Index(fields=["settled_at"], name="spares_by_age"),
        ]

    def __str__(self) -> str:
        return f"{self.name}: {self.state}"
