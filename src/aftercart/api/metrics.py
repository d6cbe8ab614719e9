"""`/metrics` for Prometheus: what the rows say at this moment, the same from every process."""

import hmac
from collections.abc import Collection, Iterator
from datetime import timedelta
from typing import Any

from django.conf import settings
from django.db.models import Count, Q, QuerySet, TextChoices
from django.db.models.functions import Now
from django.http import Http404, HttpRequest, HttpResponse
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from aftercart.actions.upkeep.measure_unsettled import measure_unsettled
from aftercart.cancellations.models import (
    AddressChange,
    CancellationRequest,
    Difference,
    PublicStatement,
    Submission,
    SyncCursor,
    Withdrawal,
)
from aftercart.cancellations.models.holds import may_send
from aftercart.cancellations.models.setbacks import count_persistent
from aftercart.cancellations.states import UNDER_WAY
from aftercart.lib.clock import get_now
from aftercart.mail.outbox import measure_outbox
from aftercart.worker.queue import measure_queue


class _Rows(Collector):
    """Reads the gauges from the database, in a handful of queries."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield each gauge."""
        yield from _list_labelled()
        yield from _list_single()


def _list_labelled() -> Iterator[GaugeMetricFamily]:
    for name, meaning, labels, values in (
        (
            "aftercart_submissions_under_way",
            "Submissions that are not settled.",
            ("state",),
            _count_by(Submission.objects.all(), "state", UNDER_WAY),
        ),
        (
            "aftercart_requests_open",
            "Cancellation requests that are not decided.",
            ("status",),
            _count_by(CancellationRequest.objects.all(), "status", CancellationRequest.OPEN),
        ),
        (
            "aftercart_poll_lag_seconds",
            "Since when a list of Omnitron's updates has not been read.",
            ("channel", "stream"),
            _measure_polls(),
        ),
        (
            "aftercart_oldest_unsettled_seconds",
            "For how long the oldest of a kind has waited for its end, by the database's clock.",
            ("kind",),
            {(kind,): seconds for kind, seconds in measure_unsettled().items()},
        ),
    ):
        gauge = GaugeMetricFamily(name, meaning, labels=labels)
        for key, value in values.items():
            gauge.add_metric(key, value)
        yield gauge


def _list_single() -> Iterator[GaugeMetricFamily]:
    queue = measure_queue()
    waiting = AddressChange.objects.filter(state=AddressChange.State.PENDING)
    manual = Submission.objects.filter(manual_since__isnull=False, state__in=UNDER_WAY)
    outbox = measure_outbox()
    for name, meaning, value in (
        ("aftercart_letters_waiting", "E-mails to be sent.", outbox.waiting),
        ("aftercart_letters_manual", "E-mails that were given up.", outbox.manual),
        (
            "aftercart_withdrawals_undecided",
            "Statements of withdrawal without a decision.",
            Withdrawal.objects.filter(state=Withdrawal.State.RECEIVED).count(),
        ),
        (
            "aftercart_statements_open",
            "Public statements of withdrawal that are not matched to an order.",
            PublicStatement.objects.filter(state=PublicStatement.State.OPEN).count(),
        ),
        ("aftercart_address_changes_pending", "Address changes to be delivered.", waiting.count()),
        ("aftercart_submissions_manual", "Lost answers that the staff has to look at.", manual.count()),
        (
            "aftercart_late_successes",
            "Cancellations of the last day that Omnitron carried out after they had been given up.",
            Submission.objects.filter(late_at__gt=Now() - timedelta(days=1)).count(),
        ),
        (
            "aftercart_differences_open",
            "Differences from Omnitron that are not resolved.",
            Difference.objects.filter(resolved_at=None).count(),
        ),
        ("aftercart_sending_on_hold", "Whether nothing is sent to Omnitron.", int(not may_send())),
        (
            "aftercart_setbacks",
            "Rows whose work fails again and again in a way that nobody had foreseen.",
            count_persistent(),
        ),
        ("aftercart_queue_due", "Jobs that are due.", queue.due),
        ("aftercart_queue_lag_seconds", "For how long the oldest job has been due.", queue.lag_seconds),
        ("aftercart_workers", "Workers that live.", queue.workers),
    ):
        yield GaugeMetricFamily(name, meaning, value)


def _count_by(rows: QuerySet[Any], name: str, values: Collection[TextChoices]) -> dict[tuple[str], int]:
    """Count the rows of each of these values of a column."""
    counts = rows.filter(**{f"{name}__in": values}).aggregate(
        **{value.value: Count("pk", filter=Q(**{name: value})) for value in values}
    )
    return {(value,): count for value, count in sorted(counts.items())}


def _measure_polls() -> dict[tuple[str, str], float]:
    """Measure how long ago each list of each channel was read."""
    cursors = SyncCursor.objects.order_by("channel_id", "stream")
    return {
        (str(channel), stream): (get_now() - polled_at).total_seconds()
        for channel, stream, polled_at in cursors.values_list("channel_id", "stream", "polled_at")
        if polled_at is not None
    }


_registry = CollectorRegistry(auto_describe=False)
_registry.register(_Rows())


def show(request: HttpRequest) -> HttpResponse:
    """Write the metrics, to who bears the token."""
    expected = f"Bearer {settings.METRICS_TOKEN}"
    given = request.headers.get("Authorization", "")
    if settings.METRICS_TOKEN:
        if not hmac.compare_digest(given.encode("utf-8", "surrogatepass"), expected.encode()):
            raise Http404
    elif not settings.IS_LOCAL:
        raise Http404
    return HttpResponse(generate_latest(_registry), content_type=CONTENT_TYPE_LATEST)
