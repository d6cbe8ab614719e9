"""Our reasons and Omnitron's: who has a partner, who got one, who has none."""

from collections.abc import Iterator
from typing import Any
from unittest import mock

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from aftercart.actions.sync.sync_reasons import sync_reasons
from aftercart.cancellations.models import CancellationReason
from aftercart.oms.connect import replace_client
from aftercart.oms.errors import NotSent
from aftercart.oms.messages import RemoteReason
from aftercart.worker import tasks
from tests.fake_omnitron import FakeOmnitron
from tests.shop import make_reason

pytestmark = pytest.mark.django_db
THEIRS = (
    RemoteReason(pk=1, cancellation_type="cancel", subject="Changed my mind", is_active=True),
    RemoteReason(pk=2, cancellation_type="cancel", subject="Too late", is_active=False),
    RemoteReason(pk=3, cancellation_type="refund", subject="Changed my mind", is_active=True),
    RemoteReason(pk=4, cancellation_type="refund", subject="Too small", is_active=True),
)


@pytest.fixture(autouse=True)
def _their_reasons() -> Iterator[None]:
    with mock.patch("tests.fake_omnitron.REASONS", THEIRS):
        yield


def make(
    subject: str, kind: str = "cancel", remote_pk: int | None = None, **fields: Any
) -> CancellationReason:
    return CancellationReason.objects.create(
        cancellation_type=kind, subject=subject, remote_pk=remote_pk, **fields
    )


def read(reason: CancellationReason) -> tuple[int | None, str]:
    reason.refresh_from_db()
    assert reason.remote_checked_at is not None
    return reason.remote_pk, reason.remote_problem


def test_each_reason_gets_its_partner_or_what_is_wrong() -> None:
    same = make(" changed MY mind")
    refund = make("Changed my mind", "refund")
    alone = make("It rained")
    inactive = make("Anything", remote_pk=2)
    wrong = make("Small", remote_pk=4)
    gone = make("Broken", "refund", remote_pk=99)
    renumbered = make("Too small", "refund", remote_pk=98)
    off = make("Old", is_active=False)

    report = sync_reasons(FakeOmnitron())

    assert [read(r) for r in (same, refund, renumbered)] == [(1, ""), (3, ""), (4, "")]
    assert [read(r) for r in (alone, inactive, wrong, gone, off)] == [
        (None, "unknown"), (2, "inactive"), (4, "other_type"), (99, "gone"), (None, "unknown"),
    ]  # fmt: skip
    assert (report.mapped, report.found) == (3, 3)
    assert report.problems == (
        (alone.pk, "cancel", "It rained", "unknown"),
        (inactive.pk, "cancel", "Anything", "inactive"),
        (wrong.pk, "cancel", "Small", "other_type"),
        (gone.pk, "refund", "Broken", "gone"),
    )
    assert report.unused == ()


def test_what_staff_have_mapped_stays_and_theirs_without_ours_are_told() -> None:
    mapped = make("Our own words", remote_pk=1)

    report = sync_reasons(FakeOmnitron())

    assert read(mapped) == (1, "")
    assert [row.pk for row in report.unused] == [3, 4]
    assert (report.mapped, report.found, report.problems) == (1, 0, ())


def test_a_second_look_changes_nothing() -> None:
    make("Changed my mind")
    sync_reasons(FakeOmnitron())

    assert sync_reasons(FakeOmnitron()).found == 0


def test_an_outage_changes_nothing() -> None:
    reason = make_reason()
    fake = FakeOmnitron()
    fake.fail("list_reasons", NotSent)

    with pytest.raises(NotSent):
        sync_reasons(fake)

    reason.refresh_from_db()
    assert (reason.remote_pk, reason.remote_problem, reason.remote_checked_at) == (1, "", None)


@pytest.fixture
def _kept_connection() -> Iterator[None]:
    """Keep the test's connection, which a job would give back."""
    with mock.patch.object(tasks, "close_old_connections"):
        yield


@pytest.mark.usefixtures("_kept_connection")
@pytest.mark.parametrize("error", [None, NotSent])
def test_the_worker_compares_and_leaves_an_outage_for_tomorrow(error: type[NotSent] | None) -> None:
    reason, fake = make("Changed my mind"), FakeOmnitron()
    if error:
        fake.fail("list_reasons", error)

    with replace_client(fake):
        tasks.run_sync_reasons(1)

    reason.refresh_from_db()
    assert reason.remote_pk == (None if error else 1)


@pytest.mark.usefixtures("_kept_connection")
def test_once_a_day_a_comparison_is_enqueued() -> None:
    tasks.run_compare_reasons(0)

    (job,) = ProcrastinateJob.objects.all()
    assert (job.task_name, job.args["pk"]) == ("aftercart.sync_reasons", 1)
