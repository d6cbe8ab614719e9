"""What is kept of an order ready to be sent, and what says whether it still holds (docs/decisions/0032).

Triggers move an order's `revision` in every transaction that writes to what its documents show, whatever wrote it, and
the shared one where something of all orders is written. A document names both as they stood before it was built.
"""

from django.db import models
from django.db.models.functions import Now

from aftercart.orders.models.orders import Order

#: Where the revision that all documents share stands.
SHARED_ROW = 1


class OrderRevision(models.Model):
    """How often what an order's documents show was written. A trigger makes the row with its order."""

    order = models.OneToOneField(Order, primary_key=True, on_delete=models.CASCADE, related_name="revision")
    revision = models.BigIntegerField(default=1, db_default=1)

    def __str__(self) -> str:
        return f"{self.order_id}: {self.revision}"


class SharedRevision(models.Model):
    """How often something was written that documents of all orders show: a policy in force, a company, a text."""

    id = models.SmallIntegerField(primary_key=True)
    revision = models.BigIntegerField(default=1, db_default=1)

    def __str__(self) -> str:
        return str(self.revision)


class StoredDocument(models.Model):
    """An order as it is sent, in one language.

    It holds while both revisions are those that it names, up to and including `valid_until`, for processes of the same
    `conditions`: code, translations, templates and settings, as a digest.
    """

    class Kind(models.TextChoices):
        """What is kept: the order's JSON, that of its signed page, the content of its page, and of its signed page."""

        JSON = "json"
        SIGNED_JSON = "signed_json"
        PAGE = "page"
        SIGNED_PAGE = "signed_page"

    pk = models.CompositePrimaryKey("order", "kind", "language")
    order = models.ForeignKey(
        Order, on_delete=models.CASCADE, db_index=False, related_name="stored_documents"
    )
    kind = models.CharField(max_length=12, choices=Kind)
    language = models.CharField(max_length=8)
    revision = models.BigIntegerField()
    shared_revision = models.BigIntegerField()
    conditions = models.CharField(max_length=64)
    valid_until = models.DateTimeField(null=True)
    body = models.BinaryField()
    etag = models.CharField(max_length=40)
    built_at = models.DateTimeField(db_default=Now())

    class Meta:
        indexes = [models.Index(fields=["built_at"], name="stored_documents_by_age")]

    def __str__(self) -> str:
        return f"{self.kind} of {self.order_id} in {self.language}"
