"""Delete, or clear, what has had its time. E-mails and photos are forgotten in rooms of their own."""

from datetime import timedelta
from typing import Final

from axes.models import AccessAttempt, AccessLog
from django.conf import settings
from django.contrib.admin.models import LogEntry
from django.db.models.functions import Now

from aftercart.accounts.models import RateLimit
from aftercart.cancellations.models import Difference, PublicStatement, Setback, SpareRequest, SubmissionLine
from aftercart.lib.clock import get_now
from aftercart.lib.retention import delete_oldest
from aftercart.orders.models import IdempotencyRecord, OneTimeCode, StoredDocument

#: How many lines one statement clears.
_BATCH: Final = 1000
_OLD: Final = timedelta(hours=48)


def forget_accounts() -> int:
    """Clear the accounts of lines that were closed longer ago than the setting says; tell how many.

    An open line keeps its account, however old it is: somebody may still have to pay to it. A document loses no more
    than the account's last digits, so no order is locked and no version moves.
    """
    count = 0
    due = SubmissionLine.objects.filter(is_open=False, closed_at__lt=get_now() - settings.IBAN_RETENTION)
    due = due.exclude(iban="", holder_name="").order_by("closed_at")  # the order of its index
    while pks := list(due.values_list("pk", flat=True)[:_BATCH]):
        count += SubmissionLine.objects.filter(pk__in=pks, is_open=False).update(iban="", holder_name="")
    return count


def forget_documents() -> int:
    """Delete what was built longer ago than `STORED_DOCUMENT_DAYS`; return how many.

    Most orders are read for some days only, and whoever reads builds anew.
    """
    old = StoredDocument.objects.filter(built_at__lt=Now() - settings.STORED_DOCUMENT_LIFE)
    return delete_oldest(old, "built_at")


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


def forget_logs() -> int:
    """Delete records of log-ins and of staff's changes that are older than `AUDIT_DAYS`; return how many.

    Failed attempts that lock nobody out any more go after a day: they hold addresses of people who may never
    have been customers.
    """
    now = get_now()
    before = now - settings.AUDIT_LIFE
    attempts_before = now - settings.AXES_COOLOFF_TIME - timedelta(days=1)
    return (
        delete_oldest(AccessAttempt.objects.filter(attempt_time__lt=attempts_before), "attempt_time")
        + delete_oldest(AccessLog.objects.filter(attempt_time__lt=before), "attempt_time")
        + delete_oldest(LogEntry.objects.filter(action_time__lt=before), "action_time")
    )


def forget_writes() -> int:
    """Delete idempotency records that have outlived the longest promise (contract section 3.5)."""
    old = IdempotencyRecord.objects.filter(created_at__lt=Now() - _OLD, status_code__isnull=False)
    return delete_oldest(old, "created_at")


def forget_guests() -> int:
    """Delete guests' codes and rate limits that no budget and no limit looks at any more."""
    codes = OneTimeCode.objects.filter(created_at__lt=Now() - _OLD)
    rate_limits = RateLimit.objects.filter(window_start__lt=Now() - _OLD)
    return delete_oldest(codes, "created_at") + delete_oldest(rate_limits, "window_start")


def forget_setbacks() -> int:
    """Delete setbacks of work that nobody has tried again since: it was done in another way."""
    return Setback.objects.filter(retry_at__lt=Now() - _OLD).delete()[0]
