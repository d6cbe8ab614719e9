"""Photos of what is returned: a row for each, written before its file is."""

import uuid
from collections.abc import Iterable
from typing import Final

from django.db import models
from django.db.models.functions import Now
from django.utils.translation import gettext_lazy as _

from aftercart.orders.models import Order

#: Photos of one line of a return.
MOST_PHOTOS: Final = 5


class ReturnPhoto(models.Model):
    """A photo of a returned item, in one of the places that its line has. It is there once its file is (`stored_at`).

    `digest` is of what was sent, so that the same photo sent again is the same photo.
    """

    uuid = models.UUIDField(default=uuid.uuid4, unique=True, editable=False)
    line = models.ForeignKey("SubmissionLine", on_delete=models.CASCADE, related_name="photos")
    place = models.SmallIntegerField()
    digest = models.CharField(max_length=64)
    width = models.IntegerField()
    height = models.IntegerField()
    created_at = models.DateTimeField(db_default=Now(), db_index=True)
    stored_at = models.DateTimeField(null=True)

    class Meta:
        verbose_name = _("photo of a return")
        verbose_name_plural = _("photos of returns")
        ordering = ["line", "place"]
        constraints = [
            models.UniqueConstraint(fields=["line", "place"], name="one_photo_a_place"),
            models.UniqueConstraint(fields=["line", "digest"], name="a_photo_once_a_line"),
            models.CheckConstraint(
                condition=models.Q(place__gte=1, place__lte=MOST_PHOTOS), name="a_line_has_few_photos"
            ),
        ]

    def __str__(self) -> str:
        return str(self.uuid)


def list_photos(lines: Iterable[int]) -> models.QuerySet[ReturnPhoto]:
    """List the photos of these lines that are there."""
    photos = ReturnPhoto.objects.filter(line__in=list(lines), stored_at__isnull=False)
    return photos.select_related("line__order_item")


def list_order_photos(order: Order) -> models.QuerySet[ReturnPhoto]:
    """List all photos of an order that are there."""
    photos = ReturnPhoto.objects.filter(line__submission__order=order, stored_at__isnull=False)
    return photos.select_related("line__order_item")
