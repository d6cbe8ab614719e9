"""Put sending to the OMS on hold, and release it (docs/operations.md, after a restore)."""

from django.db.models.functions import Now

from aftercart.actions.upkeep.wake_jobs import wake_jobs
from aftercart.cancellations.models.holds import SendingHold


def hold_sending(reason: str) -> SendingHold:
    """Have nothing sent from the next write on; return the hold, which may have lasted already."""
    hold, _is_new = SendingHold.objects.get_or_create(released_at=None, defaults={"reason": reason})
    return hold


def release_sending() -> bool:
    """Have everything sent again, and what has waited woken; return whether sending was on hold."""
    was_held = bool(SendingHold.objects.filter(released_at=None).update(released_at=Now()))
    if was_held:
        wake_jobs()
    return was_held
