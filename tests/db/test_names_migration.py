"""Requests that an earlier version had sent to Omnitron keep the name that they were sent under."""

from typing import Any

import pytest

from tests.db.migrations import find_migration, migrate, migrated_before

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.deep]
_APP = "cancellations"
#: What an earlier version knew of a request: nothing was sent, or something may have been.
SENT: dict[str, dict[str, Any]] = {
    "nothing": {},
    "a try": {"deliveries": 1},
    "a creation under way": {"making_id": "7"},
    "a delivery": {"delivered_at": "2026-11-01T00:00Z"},
}


def make_request(apps: Any, **sent: Any) -> int:
    order = apps.get_model("orders", "Order").objects.create(
        number=f"ORD-{sent}", channel_id=1, user_email="a@example.com", status="400", currency="TRY"
    )
    item = apps.get_model("orders", "OrderItem").objects.create(
        order=order, status="400", sku="S", quantity=1, price_currency="TRY"
    )
    reason = apps.get_model(_APP, "CancellationReason").objects.create(
        cancellation_type="cancel", subject="R"
    )
    submission = apps.get_model(_APP, "Submission").objects.create(order=order, origin="direct")
    line = apps.get_model(_APP, "SubmissionLine").objects.create(
        submission=submission, order_item=item, reason=reason, cancellation_type="cancel", quantity=1
    )
    pk: int = apps.get_model(_APP, "CancellationRequest").objects.create(line=line, **sent).pk
    return pk


def test_a_request_keeps_its_old_name_if_omnitron_may_know_it() -> None:
    key = find_migration(_APP, "_names_at_omnitron")
    with migrated_before(key) as before:  # there and back takes seconds: all cases go together
        pks = {name: make_request(before, **sent) for name, sent in SENT.items()}

        requests = migrate(key).get_model(_APP, "CancellationRequest").objects.in_bulk()

        kept = {name: requests[pk].remote_name for name, pk in pks.items()}
        assert kept == {name: str(pk) if SENT[name] else "" for name, pk in pks.items()}
