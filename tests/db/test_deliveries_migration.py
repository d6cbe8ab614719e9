"""What ten columns said of a request's way to Omnitron, its delivery and its notice say; and back again."""

from datetime import UTC, datetime
from typing import Any

import pytest

from tests.db.migrations import find_migration, list_parents, migrate, migrated_before

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.deep]
_APP = "cancellations"
_AT = datetime(2026, 11, 1, 9, 30, tzinfo=UTC)
_BY = {"decided_by_id": 1}

#: What a request was, and its delivery's round, end of the name, state, tries, pending name's end and ids, with the
#: state and tries of its notice; `*` in a name stands for the uuid.
CASES: dict[str, tuple[dict[str, Any], tuple[Any, ...] | None, tuple[str, int] | None]] = {
    "new": ({}, (0, "*", "created", 0, "", []), None),
    "being checked": ({"status": "verifying"}, None, None),
    "put off": ({"delivery_attempts": 2, "delivery_error": "timeout"}, (0, "*", "created", 2, "", []), None),
    "sent": (
        {"delivery_attempts": 1, "pending_create_id": "n", "pending_create_at": _AT},
        (0, "*", "sent", 1, "n", []),
        None,
    ),
    "sent by an old name": (
        {"delivery_attempts": 1, "pending_create_id": "7", "remote_name": "7"},
        (0, "7", "sent", 1, "7", []),
        None,
    ),
    "known": (
        {"delivered_at": _AT, "delivery_attempts": 1, "remote_pks": [7]},
        (0, "*", "known", 1, "", [7]),
        None,
    ),
    "undeliverable": (
        {"is_undeliverable": True, "delivery_error": "no"},
        (0, "*", "failed", 0, "", []),
        None,
    ),
    "second round": ({"requeue_count": 1, "remote_pks": [8]}, (1, "*r1", "created", 0, "", [8]), None),
    "approved": ({"status": "approved", **_BY}, (0, "*", "created", 0, "", []), None),
    "approval under way": (
        {"status": "approved", "requeue_count": 1, "approval": "sent", **_BY},
        (0, "*", "withdrawn", 0, "", []),
        None,
    ),
    "approval being checked": (
        {"status": "verifying", "requeue_count": 2, "approval": "unknown", **_BY},
        (1, "*r1", "withdrawn", 0, "", []),
        None,
    ),
    "approval applied": (
        {"status": "confirmed", "requeue_count": 1, "remote_pks": [9], **_BY},
        (0, "*", "withdrawn", 0, "", [9]),
        None,
    ),
    "rejected before it was sent": (
        {"status": "rejected", "delivery_attempts": 3, **_BY},
        (0, "*", "created", 3, "", []),
        ("due", 3),
    ),
    "rejection reported": (
        {"status": "rejected", "rejection_sent_at": _AT, **_BY},
        (0, "*", "withdrawn", 0, "", []),
        ("known", 0),
    ),
    "known rejection": (
        {"status": "rejected", "rejection_sent_at": _AT, "delivered_at": _AT, "remote_pks": [5], **_BY},
        (0, "*", "known", 0, "", [5]),
        ("known", 0),
    ),
    "taken back": ({"status": "rejected", "cause": "taken_back"}, None, ("due", 0)),
    "rejected there": (
        {"status": "rejected", "delivered_at": _AT, "remote_pks": [6]},
        (0, "*", "known", 0, "", [6]),
        None,
    ),
}


def make_requests(apps: Any) -> dict[str, int]:
    """Make a request for each case."""
    user = apps.get_model("accounts", "User").objects.create(pk=1, email="staff@example.com")
    order = apps.get_model("orders", "Order").objects.create(
        number="ORD-1", channel_id=1, user_email="a@example.com", status="400", currency="TRY"
    )
    reason = apps.get_model(_APP, "CancellationReason").objects.create(
        cancellation_type="cancel", subject="R"
    )
    submissions = apps.get_model(_APP, "Submission").objects
    pks = {}
    for name, (columns, _delivery, _notice) in CASES.items():
        item = apps.get_model("orders", "OrderItem").objects.create(
            order=order, status="400", sku=name, quantity=1, price_currency="TRY"
        )
        line = apps.get_model(_APP, "SubmissionLine").objects.create(
            submission=submissions.create(order=order, origin="direct"),
            order_item=item,
            reason=reason,
            cancellation_type="cancel",
            quantity=1,
        )
        fields = {key: value for key, value in columns.items() if key != "approval"}
        if "decided_by_id" in fields:
            fields["decided_by_id"] = user.pk
        request = apps.get_model(_APP, "CancellationRequest").objects.create(line=line, **fields)
        pks[name] = request.pk
        if "approval" in columns:
            submissions.create(
                order=order, origin="approval", approved_request=request, state=columns["approval"]
            )
    return pks


def describe_delivery(delivery: Any) -> tuple[Any, ...]:
    name = delivery.name.replace(delivery.request.uuid.hex, "*")
    return (
        delivery.round, name, delivery.state, delivery.attempts, delivery.pending_name, delivery.remote_pks,
    )  # fmt: skip


def test_every_request_keeps_what_was_known_of_its_way_to_omnitron() -> None:
    key = find_migration(_APP, "_deliveries_are_rows")
    columns = ("remote_pks", "pending_create_id", "pending_create_at", "is_undeliverable", "requeue_count")
    with migrated_before(key) as before:  # there and back takes seconds: all cases go together
        pks = make_requests(before)
        old = {
            row["pk"]: row
            for row in before.get_model(_APP, "CancellationRequest").objects.values("pk", *columns)
        }

        after = migrate(find_migration(_APP, "_requests_without_deliveries"))

        deliveries = after.get_model(_APP, "Delivery").objects.select_related("request")
        found = {row.latest_of_id: describe_delivery(row) for row in deliveries}
        notices = {
            row.request_id: (row.state, row.attempts)
            for row in after.get_model(_APP, "DecisionNotice").objects.all()
        }
        known = deliveries.filter(state="known").values_list("known_at", flat=True)
        assert {name: found.get(pk) for name, pk in pks.items()} == {
            name: delivery for name, (_columns, delivery, _notice) in CASES.items()
        }
        assert {name: notices.get(pk) for name, pk in pks.items()} == {
            name: notice for name, (_columns, _delivery, notice) in CASES.items()
        }
        assert set(known) == {_AT}
        assert deliveries.get(latest_of=pks["sent"]).sent_at == _AT
        assert deliveries.get(latest_of=pks["put off"]).error == "timeout"

        deliveries.filter(latest_of=pks["new"]).update(remote_pks=[4], state="known", known_at=_AT)
        back = migrate(*list_parents(key)).get_model(_APP, "CancellationRequest").objects
        assert {row["pk"]: row for row in back.exclude(pk=pks["new"]).values("pk", *columns)} == {
            pk: row for pk, row in old.items() if pk != pks["new"]
        }
        assert back.values_list("remote_pks", "delivered_at").get(pk=pks["new"]) == ([4], _AT)
