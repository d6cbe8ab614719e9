"""Delete what is logged of log-ins, and of what staff changed, after its time."""

from datetime import timedelta

from axes.models import AccessAttempt, AccessLog
from django.conf import settings
from django.contrib.admin.models import LogEntry

from aftercart.lib.clock import get_now
from aftercart.lib.retention import delete_oldest


def forget_logs() -> int:
    """Delete records of log-ins and of staff's changes that are older than `AUDIT_DAYS`; return how many.

    Failed attempts that lock nobody out any more go after a day: they hold addresses of people who may never
    have been customers.
    """
    now = get_now()
    before = now - settings.AUDIT_LIFE
    attempts_before = now - settings.AXES_COOLOFF_TIME - timedelta(days=1)
    return sum(
        delete_oldest(rows, by)
        for rows, by in (
            (AccessAttempt.objects.filter(attempt_time__lt=attempts_before), "attempt_time"),
            (AccessLog.objects.filter(attempt_time__lt=before), "attempt_time"),
            (LogEntry.objects.filter(action_time__lt=before), "action_time"),
        )
    )
