"""A database of the version before the glossary keeps every row when its columns take the glossary's words."""

from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.core.management import call_command
from django.db import connection
from django.db.migrations.executor import MigrationExecutor
from procrastinate.contrib.django.models import ProcrastinateJob

from aftercart.actions.upkeep import jobs
from tests.db.migrations import migrate

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.deep]
_APP = "cancellations"
_BEFORE = [
    (_APP, "0021_revisions_move"),
    ("mail", "0004_note_what_was_told"),
    ("accounts", "0003_chosen_language"),
]
_AT = datetime(2026, 11, 1, 9, 30, tzinfo=UTC)


def make_order(apps: Any) -> Any:
    """Make an order with one line that was submitted and is a request."""
    order = apps.get_model("orders", "Order").objects.create(
        number="ORD-1", channel_id=1, user_email="a@example.com", status="400", currency="TRY"
    )
    item = apps.get_model("orders", "OrderItem").objects.create(
        order=order, status="400", sku="S", quantity=1, price_currency="TRY"
    )
    reason = apps.get_model(_APP, "CancellationReason").objects.create(
        cancellation_type="cancel", subject="R"
    )
    record = apps.get_model("orders", "IdempotencyRecord").objects.create(
        guest_order=order, key="k", fingerprint="f"
    )
    submission = apps.get_model(_APP, "Submission").objects.create(
        order=order, origin="direct", repeat=record
    )
    line = apps.get_model(_APP, "SubmissionLine").objects.create(
        submission=submission, order_item=item, reason=reason, cancellation_type="cancel", quantity=1
    )
    apps.get_model(_APP, "CancellationRequest").objects.create(
        line=line, making_id="name-1", making_at=_AT, deliveries=4, delivery_round=2, rejection_told_at=_AT
    )
    apps.get_model(_APP, "Difference").objects.create(
        order=order, item=item, what="promised_without_payment", ours="1.00", theirs="0.00"
    )
    return order


def check_request(after: Any) -> None:
    """A request and its submission keep their values."""
    delivery = after.get_model(_APP, "Delivery").objects.get()  # to which a later migration took them
    assert (delivery.pending_name, delivery.sent_at, delivery.attempts, delivery.round) == (
        "name-1",
        _AT,
        4,
        2,
    )
    assert after.get_model(_APP, "DecisionNotice").objects.get().known_at == _AT
    assert after.get_model(_APP, "Submission").objects.get().idempotency_record.key == "k"
    assert after.get_model(_APP, "Difference").objects.get().what == "quoted_without_payment"


def make_email(before: Any, order: Any) -> tuple[int, int]:
    """Make an e-mail with a notice and a job, and the permission to see such."""
    email = before.get_model("mail", "Letter").objects.create(
        kind="request_rejected", subject=uuid4(), order=order, recipient="a@example.com", language="en"
    )
    line = before.get_model(_APP, "SubmissionLine").objects.get()
    before.get_model("mail", "LineNotice").objects.create(line=line, outcome="rejected", letter=email)
    with connection.cursor() as cursor:
        cursor.execute(
            "INSERT INTO procrastinate_jobs (queue_name, task_name, lock, args) VALUES"
            " ('default', 'aftercart.send_letter', %s, %s)",
            [f"aftercart.send_letter:{email.pk}", f'{{"pk": {email.pk}}}'],
        )
    content_types = before.get_model("contenttypes", "ContentType").objects
    content_types.filter(
        app_label="mail", model="email"
    ).delete()  # the test's database has been there before
    content_type, _ = content_types.get_or_create(app_label="mail", model="letter")
    permission, _ = before.get_model("auth", "Permission").objects.get_or_create(
        content_type=content_type, codename="view_letter", defaults={"name": "Can view letter"}
    )

    return email.pk, permission.pk


def check_email(after: Any, email_pk: int, permission_pk: int) -> None:
    """An e-mail keeps its notices, its job, and whoever may see it."""
    assert after.get_model("mail", "LineNotice").objects.get().email.kind == "request_rejected"
    assert after.get_model("orders", "Order").objects.get().emails.get().pk == email_pk
    job = ProcrastinateJob.objects.get()
    assert (job.task_name, job.lock) == (jobs.SEND_EMAIL, jobs.name_lock(jobs.SEND_EMAIL, email_pk))
    renamed = after.get_model("auth", "Permission").objects.get(pk=permission_pk)
    assert (renamed.codename, renamed.content_type.model) == ("view_email", "email")


def check_names() -> None:
    """Constraints and indexes take the names, too."""
    names: set[str] = set()
    for table in ("mail_email", "accounts_ratelimit", "cancellations_submission"):
        with connection.cursor() as cursor:
            names |= connection.introspection.get_constraints(cursor, table).keys()
    assert {"one_email_an_event", "emails_unsettled", "emails_for_people", "emails_by_age"} <= names
    assert {"one_count_a_window", "rate_limits_by_age", "submissions_unsettled"} <= names
    assert names.isdisjoint(
        {"one_letter_an_event", "letters_under_way", "one_tally_a_window", "submissions_under_way"}
    )


def test_whatever_there_was_is_there_under_the_new_names() -> None:
    leaves = MigrationExecutor(connection).loader.graph.leaf_nodes()
    try:
        before = migrate(*_BEFORE)  # there and back takes seconds: all rows go together
        pks = make_email(before, make_order(before))
        before.get_model("accounts", "Tally").objects.create(key="k", window_start=_AT, count=3)

        call_command("migrate", verbosity=0)  # it renames content types, which an executor does not

        after = MigrationExecutor(connection).loader.project_state().apps
        check_request(after)
        check_email(after, *pks)
        counted = after.get_model("accounts", "RateLimit").objects.values_list("key", "count")
        assert counted.get() == ("k", 3)
        check_names()
    finally:
        migrate(*leaves)
