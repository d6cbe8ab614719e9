"""`/metrics` for Prometheus: what the rows say at this moment, the same from every process."""

import hmac
from collections.abc import Iterator
from datetime import timedelta

from django.conf import settings
from django.db.models import Count, Q
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
        yield self._count_submissions()
        yield self._count_requests()
        yield self._measure_polls()
        yield self._measure_unsettled()
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

    @staticmethod
    def _count_submissions() -> GaugeMetricFamily:
        gauge = GaugeMetricFamily(
            "aftercart_submissions_under_way", "Submissions that are not settled.", labels=["state"]
        )
        counts = Submission.objects.filter(state__in=UNDER_WAY).aggregate(
            **{state.value: Count("pk", filter=Q(state=state)) for state in UNDER_WAY}
        )
        for state, count in sorted(counts.items()):
            gauge.add_metric([state], count)
        return gauge

    @staticmethod
    def _count_requests() -> GaugeMetricFamily:
        gauge = GaugeMetricFamily(
            "aftercart_requests_open", "Cancellation requests that are not decided.", labels=["status"]
        )
        counts = CancellationRequest.objects.filter(status__in=CancellationRequest.OPEN).aggregate(
            **{s.value: Count("pk", filter=Q(status=s)) for s in CancellationRequest.OPEN}
        )
        for status, count in sorted(counts.items()):
            gauge.add_metric([status], count)
        return gauge

    @staticmethod
    def _measure_unsettled() -> GaugeMetricFamily:
        gauge = GaugeMetricFamily(
            "aftercart_oldest_unsettled_seconds",
            "For how long the oldest of a kind has waited for its end, by the database's clock.",
            labels=["kind"],
        )
        for kind, seconds in measure_unsettled().items():
            gauge.add_metric([kind], seconds)
        return gauge

    @staticmethod
    def _measure_polls() -> GaugeMetricFamily:
        gauge = GaugeMetricFamily(
            "aftercart_poll_lag_seconds",
            "Since when a list of Omnitron's updates has not been read.",
            labels=["channel", "stream"],
        )
        for cursor in SyncCursor.objects.filter(polled_at__isnull=False).order_by("channel_id", "stream"):
            assert cursor.polled_at is not None  # noqa: S101 - filtered
            lag = (get_now() - cursor.polled_at).total_seconds()
            gauge.add_metric([str(cursor.channel_id), cursor.stream], lag)
        return gauge


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
