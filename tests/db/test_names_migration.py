"""Requests that an earlier version had sent to Omnitron keep the name that they were sent under."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.db.migrations import Key, find_migration, migrate, migrated_before

pytestmark = pytest.mark.django_db(transaction=True)
_APP = "cancellations"


def _find() -> Key:
    return find_migration(_APP, "_names_at_omnitron")


@pytest.fixture
def before() -> Iterator[Any]:
    """Go back to where requests were named by their id, and forward again at the end."""
    with migrated_before(_find()) as apps:
        yield apps


@pytest.mark.parametrize(
    ("sent", "is_kept"),
    [
        ({}, False),
        ({"deliveries": 1}, True),
        ({"making_id": "7"}, True),
        ({"delivered_at": "2026-11-01T00:00Z"}, True),
    ],
)
def test_a_request_keeps_its_old_name_if_omnitron_may_know_it(
    before: Any, sent: dict[str, Any], is_kept: bool
) -> None:
    order = before.get_model("orders", "Order").objects.create(
        number="ORD-1", channel_id=1, user_email="a@example.com", status="400", currency="TRY"
    )
    item = before.get_model("orders", "OrderItem").objects.create(
        order=order, status="400", sku="S", quantity=1, price_currency="TRY"
    )
    reason = before.get_model(_APP, "CancellationReason").objects.create(
        cancellation_type="cancel", subject="R"
    )
    submission = before.get_model(_APP, "Submission").objects.create(order=order, origin="direct")
    line = before.get_model(_APP, "SubmissionLine").objects.create(
        submission=submission, order_item=item, reason=reason, cancellation_type="cancel", quantity=1
    )
    request = before.get_model(_APP, "CancellationRequest").objects.create(line=line, **sent)

    after = migrate(_find())

    kept = after.get_model(_APP, "CancellationRequest").objects.get(pk=request.pk)
    assert kept.remote_name == (str(request.pk) if is_kept else "")
