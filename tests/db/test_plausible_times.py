"""The migration that keeps times plausible, on a database that has others."""

from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from django.db import connection
from django.db.migrations.executor import MigrationExecutor

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.deep]
_MIGRATION = "plausible_times"


def migrate(*targets: tuple[str, str]) -> Any:
    return MigrationExecutor(connection).migrate(list(targets)).apps


@pytest.fixture
def keys() -> Iterator[tuple[tuple[str, str], tuple[str, str]]]:
    """Find the migration and the one before it by name; go forward again at the end."""
    graph = MigrationExecutor(connection).loader.graph
    key = next(key for key in graph.nodes if key[0] == "orders" and key[1].endswith(_MIGRATION))
    parent = next(parent.key for parent in graph.node_map[key].parents if parent.key[0] == "orders")
    yield (str(parent[0]), str(parent[1])), (str(key[0]), str(key[1]))
    migrate(*graph.leaf_nodes())


def test_times_outside_the_calendar_move_to_its_ends_and_the_others_stay(
    keys: tuple[tuple[str, str], tuple[str, str]],
) -> None:
    parent, key = keys
    models = migrate(parent)
    usual = datetime(2026, 3, 1, 10, tzinfo=UTC)
    order = models.get_model("orders", "Order").objects.create(
        number="ORD-1",
        channel_id=1,
        user_email="a@example.com",
        status="400",
        currency="TRY",
        created_date=datetime(1, 1, 2, tzinfo=UTC),
        modified_date=datetime(9999, 12, 30, tzinfo=UTC),
    )
    models.get_model("orders", "OrderItem").objects.create(
        order=order, status="550", created_date=usual, modified_date=usual, shipped_at=usual,
        delivered_at=datetime(9999, 12, 30, tzinfo=UTC),
    )  # fmt: skip

    models = migrate(key)

    first, last = datetime(1970, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)
    kept = models.get_model("orders", "Order").objects.get()
    assert (kept.created_date, kept.modified_date) == (first, last)
    item = models.get_model("orders", "OrderItem").objects.get()
    assert (item.created_date, item.shipped_at, item.delivered_at) == (usual, usual, last)
