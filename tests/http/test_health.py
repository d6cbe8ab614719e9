import uuid
from datetime import timedelta

import pytest
from django.db import transaction
from django.db.models import F
from django.test import Client
from django.utils import timezone
from procrastinate.contrib.django import app
from pytest_django import Settings

from aftercart.accounts.models import User
from aftercart.actions.cancel.cancel_items import cancel_items, prepare_submission
from aftercart.actions.cancel.request_cancellation import request_cancellation
from aftercart.actions.upkeep import jobs
from aftercart.cancellations.models import CancellationRequest, DecisionNotice, Submission, SyncCursor
from aftercart.cancellations.models.setbacks import record_setback
from aftercart.doctor import examine
from aftercart.mail.models import Email
from aftercart.mail.outbox import queue_email
from aftercart.oms.errors import AnswerUnknown
from aftercart.worker.queue import measure_queue
from tests.shop import Shop

pytestmark = pytest.mark.django_db


def test_a_live_process_says_so() -> None:
    assert Client().get("/healthz").json() == {"status": "ok"}


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
def test_a_probe_is_a_read(path: str) -> None:
    assert Client().head(path).status_code == 200
    for answer in (Client().put(path), Client().post(path), Client().delete(path)):
        assert (answer.status_code, answer["Allow"]) == (405, "GET, HEAD")


def test_a_ready_process_tells_the_queues_lag() -> None:
    app.configure_task(jobs.SYNC_ORDER, schedule_at=timezone.now() - timedelta(seconds=90)).defer(pk=1)

    answer = Client().get("/readyz")

    assert answer.status_code == 200
    assert answer.json()["queue"]["due"] == 1
    assert 90 <= answer.json()["queue"]["lag_seconds"] < 100
    assert answer.json()["workers"] == 0


def test_a_job_of_the_future_is_not_due() -> None:
    app.configure_task(jobs.SYNC_ORDER, schedule_in={"hours": 1}).defer(pk=1)

    assert (measure_queue().due, measure_queue().lag_seconds) == (0, 0.0)


def test_the_metrics_say_what_is_under_way(shop: Shop) -> None:
    shop.fake.fail("cancel_items", AnswerUnknown, applied=True)
    cancel_items(shop.command(), shop.fake)
    SyncCursor.objects.create(channel_id=1, stream="orders", polled_at=timezone.now() - timedelta(seconds=30))

    lines = Client().get("/metrics").content.decode().splitlines()

    assert 'aftercart_submissions_under_way{state="unknown"} 1.0' in lines
    assert 'aftercart_requests_open{status="verifying"} 1.0' in lines
    assert "aftercart_queue_due 1.0" in lines
    [lag] = [line for line in lines if line.startswith("aftercart_poll_lag_seconds{")]
    assert lag.startswith('aftercart_poll_lag_seconds{channel="1",stream="orders"} 3')


def test_the_metrics_ask_for_their_token(settings: Settings) -> None:
    settings.METRICS_TOKEN = "a token"

    assert Client().get("/metrics").status_code == 404
    assert Client().get("/metrics", headers={"Authorization": "Bearer another"}).status_code == 404
    assert Client().get("/metrics", headers={"Authorization": "Bearer a token"}).status_code == 200

    settings.METRICS_TOKEN, settings.IS_LOCAL = "", False
    assert Client().get("/metrics").status_code == 404


def measure_ages() -> dict[str, float]:
    lines = Client().get("/metrics").content.decode().splitlines()
    start = "aftercart_oldest_unsettled_seconds{"
    rows = (line.removeprefix(start).split("} ") for line in lines if line.startswith(start))
    return {kind.removeprefix('kind="').rstrip('"'): round(float(age), -1) for kind, age in rows}


def test_the_age_of_the_oldest_is_told_for_each_kind_that_waits(shop: Shop) -> None:
    kinds = {
        *("submission_prepared", "submission_sent", "submission_unknown", "request_undelivered"),
        *("approval_unsent", "rejection_unreported", "address_pending", "refund_overdue", "email"),
    }
    assert measure_ages() == dict.fromkeys(kinds, 0.0)

    shop.fake.fail("cancel_items", AnswerUnknown, applied=True)
    cancel_items(shop.command(), shop.fake)
    Submission.objects.update(sent_at=F("sent_at") - timedelta(seconds=40))
    with transaction.atomic():
        queue_email(shop.order, Email.Kind.ORDER_LINK, uuid.uuid4(), {})
    Email.objects.update(created_at=F("created_at") - timedelta(seconds=70))

    assert measure_ages() == {**dict.fromkeys(kinds, 0.0), "submission_unknown": 40.0, "email": 70.0}


def test_a_decision_of_ours_that_omnitron_does_not_hear_of_has_an_age(shop: Shop) -> None:
    request_cancellation(shop.command())
    staff = User.objects.create_superuser("boss@example.com")
    request = CancellationRequest.objects.get()
    then = timezone.now() - timedelta(seconds=50)
    CancellationRequest.objects.update(created_date=then)
    assert measure_ages()["request_undelivered"] == 50.0

    DecisionNotice.objects.create(request=request)
    for status, kind in (("approved", "approval_unsent"), ("rejected", "rejection_unreported")):
        CancellationRequest.objects.filter(pk=request.pk).update(
            status=status, decided_by=staff, decided_at=then
        )
        ages = measure_ages()
        assert (ages["request_undelivered"], ages[kind]) == (0.0, 50.0)


def test_doctor_finds_what_should_have_been_settled_and_what_keeps_failing(shop: Shop) -> None:
    assert {d.name: d.is_fine for d in examine()}["unsettled"]
    prepare_submission(shop.command(), Submission.Origin.DIRECT)
    Submission.objects.update(created_at=F("created_at") - timedelta(seconds=130))
    for _ in range(3):
        record_setback("aftercart.recover_submission", 1, ValueError("poison"))

    found = {diagnosis.name: diagnosis for diagnosis in examine()}

    assert not found["unsettled"].is_fine
    assert found["unsettled"].finding.startswith("the oldest: submission_prepared 13")
    assert not found["setbacks"].is_fine
    assert found["setbacks"].finding == (
        "1 rows fail again and again, as aftercart.recover_submission:1: ValueError: poison"
    )
    assert "aftercart_setbacks 1.0" in Client().get("/metrics").content.decode().splitlines()
