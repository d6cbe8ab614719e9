"""A recovered Omnitron wakes what waits for it, gently, and nothing else."""

import itertools
from datetime import datetime, timedelta

import pytest
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from aftercart.actions.upkeep import jobs
from aftercart.actions.upkeep.wake_jobs import wake_jobs
from aftercart.omnitron.http import Configuration, HttpOmnitron
from aftercart.oms.connect import listen_for_recovery
from aftercart.oms.errors import NotSent

pytestmark = pytest.mark.django_db

LONG = timedelta(minutes=10)
WOKEN = [
    jobs.VERIFY_SUBMISSION,
    jobs.DELIVER_REQUEST,
    jobs.EXECUTE_APPROVAL,
    jobs.DELIVER_REJECTION,
    jobs.DELIVER_ADDRESS,
    jobs.COMPARE_ADDRESS,
]


def get_times(task: str) -> list[datetime]:
    rows = ProcrastinateJob.objects.filter(task_name=task).order_by("pk")
    return [row.scheduled_at for row in rows]


@pytest.mark.parametrize("task", WOKEN)
def test_what_waits_for_omnitron_is_tried_at_once(task: str) -> None:
    jobs.enqueue(task, 1, wait=LONG)

    assert wake_jobs() == 1

    assert get_times(task)[0] <= timezone.now()


@pytest.mark.parametrize("task", [jobs.SEND_EMAIL, jobs.SEND_CODE, jobs.SYNC_ORDER])
def test_what_waits_for_something_else_waits_on(task: str) -> None:
    jobs.enqueue(task, 1, wait=LONG)
    before = get_times(task)

    assert wake_jobs() == 0

    assert get_times(task) == before


def test_many_are_woken_one_after_the_other_and_none_is_put_off() -> None:
    for pk in range(20):
        jobs.enqueue(jobs.DELIVER_REQUEST, pk, wait=LONG)
    jobs.enqueue(jobs.DELIVER_REQUEST, 20, wait=timedelta(milliseconds=1))  # rounded up to a second
    soon = get_times(jobs.DELIVER_REQUEST)[-1]

    assert wake_jobs() == 21

    *times, last = get_times(jobs.DELIVER_REQUEST)
    gaps = {later - earlier for earlier, later in itertools.pairwise(times)}
    assert gaps == {timedelta(milliseconds=50)}
    assert last <= soon


def test_a_client_says_when_omnitron_is_back_and_only_between_dialogues() -> None:
    said: list[str] = []
    client = HttpOmnitron(
        Configuration(url="http://127.0.0.1:9", token="t"), on_recovery=lambda: said.append("back")
    )
    with pytest.raises(NotSent), client.dialogue() as dialogue:
        dialogue.check_login()
    client._pulse.record_success(is_read=True)
    client._pulse.record_success(is_read=False)

    with client.dialogue():
        assert said == []

    assert said == ["back"]


def test_the_processs_own_client_has_the_listener(monkeypatch: pytest.MonkeyPatch) -> None:
    from aftercart.oms import connect

    monkeypatch.setattr(connect, "_hooks", connect.Hooks())
    monkeypatch.setattr(connect._KEPT, "_made", None)
    said: list[str] = []
    listen_for_recovery(lambda: said.append("back"))
    client = connect.get_client()
    assert isinstance(client, HttpOmnitron)
    client._pulse.record_failure(is_read=True)
    client._pulse.record_success(is_read=True)

    with client.dialogue():
        pass

    assert said == ["back"]
