from datetime import timedelta

import pytest
from django.test import Client
from django.utils import timezone
from procrastinate.contrib.django import app
from pytest_django import Settings

from aftercart.actions import jobs
from aftercart.actions.cancel_items import cancel_items
from aftercart.cancellations.models import SyncCursor
from aftercart.omnitron.errors import AnswerUnknown
from aftercart.worker.queue import measure_queue
from tests.shop import Shop

pytestmark = pytest.mark.django_db


def test_a_live_process_says_so() -> None:
    assert Client().get("/healthz").json() == {"status": "ok"}


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
    assert "aftercart_queue_due 2.0" in lines  # one of them a letter
    [lag] = [line for line in lines if line.startswith("aftercart_poll_lag_seconds{")]
    assert lag.startswith('aftercart_poll_lag_seconds{channel="1",stream="orders"} 3')


def test_the_metrics_ask_for_their_token(settings: Settings) -> None:
    settings.METRICS_TOKEN = "a token"

    assert Client().get("/metrics").status_code == 404
    assert Client().get("/metrics", headers={"Authorization": "Bearer another"}).status_code == 404
    assert Client().get("/metrics", headers={"Authorization": "Bearer a token"}).status_code == 200

    settings.METRICS_TOKEN, settings.IS_LOCAL = "", False
    assert Client().get("/metrics").status_code == 404
