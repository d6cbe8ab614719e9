"""For how long the oldest of each kind has waited for its end: what an operator watches."""

from collections.abc import Iterator
from datetime import datetime
from typing import Any

from django.db.models import Min, Q

from aftercart.cancellations.models import (
    AddressChange,
    CancellationRequest,
    DecisionNotice,
    Delivery,
    Submission,
)
from aftercart.cancellations.quoted import find_overdue
from aftercart.cancellations.states import UNDER_WAY
from aftercart.lib.clock import get_now, read_clock
from aftercart.mail.models import Email
from aftercart.mail.outbox import IS_TO_SEND

_Status = CancellationRequest.Status


def measure_unsettled() -> dict[str, float]:
    """Return the age of the oldest of each kind in seconds, by the database's clock; 0 where nothing waits."""
    oldest = dict(_find_oldest())
    now = read_clock()
    return {kind: 0.0 if at is None else max((now - at).total_seconds(), 0.0) for kind, at in oldest.items()}


def _find_oldest() -> Iterator[tuple[str, datetime | None]]:
    submissions = {
        f"submission_{state.value}": Min(
            "created_at" if state == Submission.State.PREPARED else "sent_at", filter=Q(state=state)
        )
        for state in sorted(UNDER_WAY)
    }
    yield from Submission.objects.filter(state__in=UNDER_WAY).aggregate(**submissions).items()
    is_decided = Q(decided_by__isnull=False)
    yield from (
        CancellationRequest.objects.filter(status__in=CancellationRequest.OPEN)
        .aggregate(
            request_undelivered=Min(
                "created_date", filter=Q(status=_Status.WAITING, delivery__state__in=Delivery.TO_MAKE)
            ),
            approval_unsent=Min("decided_at", filter=is_decided & Q(status=_Status.APPROVED)),
        )
        .items()
    )
    unreported = CancellationRequest.objects.filter(
        status=_Status.REJECTED, notice__state=DecisionNotice.State.DUE
    )
    yield "rejection_unreported", unreported.aggregate(first=Min("decided_at"))["first"]
    yield "address_pending", _find_first(AddressChange.objects.filter(state=AddressChange.State.PENDING))
    yield "refund_overdue", find_overdue(get_now())
    yield "email", _find_first(Email.objects.filter(IS_TO_SEND | Q(state=Email.State.SENDING)))


def _find_first(rows: Any) -> datetime | None:
    found: datetime | None = rows.aggregate(first=Min("created_at"))["first"]
    return found
