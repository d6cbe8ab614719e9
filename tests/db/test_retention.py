"""What grows for ever is deleted after its time, in batches; or lives with its order, and is named here."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any
from unittest import mock

import pytest
from django.apps import apps
from django.conf import settings
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from aftercart.accounts.models import Session
from aftercart.accounts.models.rate_limits import RateLimit
from aftercart.accounts.sessions import SessionStore
from aftercart.actions.mail.send_email import forget_emails
from aftercart.actions.returns.forget_photos import forget_photos
from aftercart.actions.upkeep import forget
from aftercart.cancellations.models import (
    Difference,
    PublicStatement,
    ReturnPhoto,
    Setback,
    SpareRequest,
    SubmissionLine,
)
from aftercart.lib import retention
from aftercart.mail.models import Email
from aftercart.orders.models import IdempotencyRecord, OneTimeCode, StoredDocument
from tests.http.backoffice_world import make_order, make_request
from tests.plans import SMALL
from tests.shop import make_customer

pytestmark = pytest.mark.django_db

_DAY = timedelta(days=1)


def make_sessions(at: datetime) -> None:
    Session.objects.create(
        session_key=f"k{at.timestamp()}{Session.objects.count()}", session_data="", expire_date=at
    )


def make_write(at: datetime) -> None:
    row = IdempotencyRecord.objects.create(user=make_customer(), fingerprint="f", status_code=200)
    IdempotencyRecord.objects.filter(pk=row.pk).update(created_at=at)


def make_code(at: datetime) -> None:
    OneTimeCode.objects.create(number="1", email="a@example.com", language="tr", created_at=at, expires_at=at)


def make_rate_limit(at: datetime) -> None:
    RateLimit.objects.create(key=str(RateLimit.objects.count()), window_start=at)


def make_setback(at: datetime) -> None:
    key = str(Setback.objects.count())
    Setback.objects.create(key=key, failures=1, error="", first_at=at, retry_at=at)


def make_email(at: datetime) -> None:
    Email.objects.create(
        kind="order_link", subject="00000000-0000-0000-0000-000000000001", language="tr",
        recipient=f"{Email.objects.count()}@example.com", message_id="", state="sent", created_at=at,
    )  # fmt: skip


def make_difference(at: datetime) -> None:
    Difference.objects.create(order=make_order(), what="status", resolved_at=at)


def make_spare(at: datetime) -> None:
    SpareRequest.objects.create(request=make_request(), name="n", state="rejected", settled_at=at)


def make_statement(at: datetime) -> None:
    PublicStatement.objects.create(
        name="A", number="1", email="a@example.com", language="tr", fingerprint="f", is_acknowledged=True,
        submitted_at=at,
    )  # fmt: skip


def make_photo(at: datetime) -> None:
    line = make_request().line
    SubmissionLine.objects.filter(pk=line.pk).update(is_open=False, outcome="completed")
    ReturnPhoto.objects.create(line=line, place=1, digest="d", width=1, height=1, created_at=at, stored_at=at)


def make_document(at: datetime) -> None:
    row = StoredDocument.objects.create(
        order=make_order(), kind="json", language="tr", revision=1, shared_revision=1, conditions="", body=b"", etag="",
    )  # fmt: skip
    StoredDocument.objects.filter(order=row.order_id).update(built_at=at)


TWO_DAYS = 2 * _DAY
FORGETTING: dict[
    type[Any], tuple[Callable[[datetime], None], Callable[[], timedelta], Callable[[], object]]
] = {
    Session: (make_sessions, timedelta, SessionStore.clear_expired),
    IdempotencyRecord: (make_write, lambda: TWO_DAYS, forget.forget_writes),
    OneTimeCode: (make_code, lambda: TWO_DAYS, forget.forget_guests),
    RateLimit: (make_rate_limit, lambda: TWO_DAYS, forget.forget_guests),
    Setback: (make_setback, lambda: TWO_DAYS, forget.forget_setbacks),
    Email: (make_email, lambda: settings.EMAIL_LIFE, lambda: forget_emails(settings.EMAIL_LIFE)),
    Difference: (make_difference, lambda: settings.AUDIT_LIFE, forget.forget_history),
    SpareRequest: (make_spare, lambda: settings.AUDIT_LIFE, forget.forget_history),
    PublicStatement: (make_statement, lambda: settings.AUDIT_LIFE, forget.forget_history),
    ReturnPhoto: (make_photo, lambda: settings.PHOTO_LIFE, forget_photos),
    StoredDocument: (make_document, lambda: settings.STORED_DOCUMENT_LIFE, forget.forget_documents),
}


@pytest.mark.parametrize("model", FORGETTING, ids=lambda model: model.__name__)
def test_what_has_had_its_time_is_deleted_in_batches_and_the_rest_stays(model: type[Any]) -> None:
    make, life, forget = FORGETTING[model]
    now = timezone.now()
    for age in (5, 3, 1):
        make(now - life() - age * timedelta(hours=1))
    make(now - life() + timedelta(hours=1))

    with mock.patch.object(retention, "BATCH", 2), CaptureQueriesContext(connection) as queries:
        forget()

    assert model._default_manager.count() == 1
    if model not in {StoredDocument, Setback}:
        assert sum("LIMIT 2" in query["sql"] for query in queries) >= 2


def test_a_round_deletes_no_more_than_so_many_batches() -> None:
    for _time in range(5):
        make_rate_limit(timezone.now() - 3 * _DAY)

    with mock.patch.object(retention, "BATCH", 1), mock.patch.object(retention, "_MOST_BATCHES", 2):
        assert forget.forget_guests() == 2

    assert RateLimit.objects.count() == 3


#: As long as the order, the customer or the points: nothing of it is deleted by age.
WITH_ITS_ORDER = {
    "accounts_user", "accounts_address", "orders_order", "orders_orderitem", "orders_discountitem",
    "orders_timelineentry", "orders_orderrevision", "orders_orderwords", "cancellations_submission",
    "cancellations_submissionline", "cancellations_cancellationrequest", "cancellations_delivery",
    "cancellations_decisionnotice", "cancellations_refundquote", "cancellations_refundquoteline",
    "cancellations_addresschange", "cancellations_withdrawal", "cancellations_withdrawalline",
    "loyalty_loyaltyentry", "mail_linenotice", "mail_optout",
}  # fmt: skip
#: Deleted elsewhere: jobs when they are done, or after a day (`run_forget`); logs (`test_forget_logs`).
ELSEWHERE = {
    "procrastinate_jobs", "procrastinate_events", "axes_accessattempt", "axes_accesslog",
    "axes_accessfailurelog", "axes_accessattemptexpiration", "django_admin_log",
}  # fmt: skip


def test_of_every_table_it_is_known_what_ends_its_growth() -> None:
    tables = {model._meta.db_table for model in apps.get_models(include_auto_created=True)}
    forgotten = {model._meta.db_table for model in FORGETTING}

    assert tables - SMALL - WITH_ITS_ORDER - ELSEWHERE == forgotten - SMALL
