"""Delete stored documents after some time: most orders are read for some days, and whoever reads builds anew."""

from django.conf import settings
from django.db.models.functions import Now

from aftercart.lib.retention import delete_oldest
from aftercart.orders.models import StoredDocument


def forget_documents() -> int:
    """Delete what was built longer ago than `STORED_DOCUMENT_DAYS`; return how many."""
    old = StoredDocument.objects.filter(built_at__lt=Now() - settings.STORED_DOCUMENT_LIFE)
    return delete_oldest(old, "built_at")
