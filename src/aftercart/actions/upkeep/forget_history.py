"""Delete what was settled long ago: differences from the OMS, spare requests that are gone there, public statements."""

from django.conf import settings

from aftercart.cancellations.models import Difference, PublicStatement, SpareRequest
from aftercart.lib.clock import get_now
from aftercart.lib.retention import delete_oldest


def forget_history() -> int:
    """Delete differences and spare requests that were settled longer ago than `AUDIT_DAYS`; return how many.

    Public statements by their own age, settled or not: what became a withdrawal lives there.
    """
    before = get_now() - settings.AUDIT_LIFE
    differences = Difference.objects.filter(resolved_at__lt=before)
    spares = SpareRequest.objects.filter(settled_at__lt=before).exclude(state=SpareRequest.State.FOUND)
    statements = PublicStatement.objects.filter(submitted_at__lt=before)
    return (
        delete_oldest(differences, "resolved_at")
        + delete_oldest(spares, "settled_at")
        + delete_oldest(statements, "submitted_at")
    )
