"""A short job takes along what else of its kind waits; what was taken along is lost to nobody."""

import uuid
from datetime import timedelta
from unittest import mock

import pytest
from django.core.mail import EmailMultiAlternatives
from django.db import connection, transaction
from procrastinate.contrib.django import app
from procrastinate.contrib.django.models import ProcrastinateJob

from aftercart.actions.mail.notify_customer import post
from aftercart.actions.mail.send_email import send_email
from aftercart.actions.upkeep import jobs
from aftercart.actions.upkeep.recover import recover_jobs
from aftercart.cancellations.models import Setback
from aftercart.lib.correlation import correlated
from aftercart.mail.models import Email
from aftercart.worker import tasks
from aftercart.worker.queue import RowJob, take_job
from aftercart.worker.tasks import run_send_email
from tests.shop import make_order
from tests.statements import recording_statements
from tests.tables import empty_queue

pytestmark = pytest.mark.django_db
Mailbox = list[EmailMultiAlternatives]
NAMES = [jobs.SEND_EMAIL]


@pytest.fixture(autouse=True)
def _the_tests_connection_stays(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "close_old_connections", lambda: None)


def write_emails(count: int) -> list[int]:
    order = make_order(None)
    for _number in range(count):
        with transaction.atomic():
            post(order, Email.Kind.ORDER_LINK, uuid.uuid4(), {})
    return list(Email.objects.order_by("pk").values_list("pk", flat=True))


def begin(pk: int) -> None:
    """Have a worker at the job of an e-mail."""
    lock = jobs.name_lock(jobs.SEND_EMAIL, pk)
    with connection.cursor() as cursor:
        cursor.execute("UPDATE procrastinate_jobs SET status = 'doing' WHERE lock = %s", [lock])


def list_waiting() -> list[tuple[str, int]]:
    rows = ProcrastinateJob.objects.filter(status="todo").order_by("pk")
    return [(job.task_name, job.args["pk"]) for job in rows]


def list_states() -> list[str]:
    return list(Email.objects.order_by("pk").values_list("state", flat=True))


def test_the_job_of_one_email_sends_those_that_wait_beside_it(mailoutbox: Mailbox) -> None:
    first, *others = write_emails(3)
    begin(first)
    jobs.enqueue(jobs.SEND_EMAIL, others[0], wait=timedelta(minutes=1))
    jobs.enqueue(jobs.DELIVER_REQUEST, 7)

    run_send_email.func(first)

    assert list_states() == ["sent", "sent", "sent"]
    assert len(mailoutbox) == 3
    assert list_waiting() == [(jobs.SEND_EMAIL, others[0]), (jobs.DELIVER_REQUEST, 7)]


def test_an_email_that_is_taken_along_takes_five_statements() -> None:
    first, *others = write_emails(4)
    begin(first)
    with mock.patch.object(tasks, "take_job", return_value=None):
        run_send_email.func(first)  # what is prepared once, is

    with recording_statements() as statements:
        run_send_email.func(first)

    # The job's own finds its e-mail sent: a claim, one that it is not out of date, no setback. At last, nothing waits.
    assert statements.apart == 3 + 5 * len(others) + 1, statements.describe()


def test_what_another_worker_is_at_is_left_alone() -> None:
    [first] = write_emails(1)
    begin(first)
    jobs.enqueue(jobs.SEND_EMAIL, first)

    assert take_job(NAMES) is None


def test_a_job_is_taken_with_the_request_that_it_was_enqueued_for() -> None:
    with correlated("abc"):
        [pk] = write_emails(1)

    assert [take_job(NAMES), take_job(NAMES)] == [RowJob(pk, "abc"), None]


def test_one_that_fails_is_set_back_and_keeps_no_other_from_being_sent(mailoutbox: Mailbox) -> None:
    first, poison, last = write_emails(3)
    begin(first)

    def send(pk: int) -> None:
        if pk == poison:
            raise ValueError("poison")
        send_email(pk)

    with mock.patch.object(tasks, "send_email", send):
        run_send_email.func(first)

    assert list_states() == ["sent", "prepared", "sent"]
    assert len(mailoutbox) == 2
    assert [row.key for row in Setback.objects.all()] == [f"{jobs.SEND_EMAIL}:{poison}"]
    Setback.objects.all().delete()  # its time has come
    empty_queue()
    assert recover_jobs() == 1
    assert list_waiting() == [(jobs.SEND_EMAIL, poison)]
    assert last != poison


def test_what_a_worker_had_taken_along_when_it_died_is_found() -> None:
    [pk] = write_emails(1)

    assert take_job(NAMES) == RowJob(pk, None)

    assert list_waiting() == []
    assert recover_jobs() == 1
    assert list_waiting() == [(jobs.SEND_EMAIL, pk)]


def test_what_may_take_long_takes_nothing_along() -> None:
    jobs.enqueue(jobs.DELIVER_REQUEST, 8)

    with (
        mock.patch.dict(tasks.IN_DIALOGUE, {jobs.DELIVER_REQUEST: mock.Mock()}),
        mock.patch.object(tasks, "get_client"),
    ):
        app.tasks[jobs.DELIVER_REQUEST].func(7)

    assert list_waiting() == [(jobs.DELIVER_REQUEST, 8)]


def test_after_a_second_others_have_their_turn(monkeypatch: pytest.MonkeyPatch) -> None:
    first, *others = write_emails(2)
    begin(first)
    monkeypatch.setattr(tasks, "_GOES_ON_SECONDS", 0.0)

    run_send_email.func(first)

    assert list_waiting() == [(jobs.SEND_EMAIL, others[0])]
