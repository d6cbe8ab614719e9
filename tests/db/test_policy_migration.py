"""The policy's migration, on a database that has been in use: there and back."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DatabaseError, connection
from django.db.migrations.executor import MigrationExecutor

from aftercart.cancellations import policy_selectors

pytestmark = pytest.mark.django_db(transaction=True)
_APP = "cancellations"


def find_migration(executor: MigrationExecutor) -> tuple[str, str]:
    """Find the migration by what it does: numbers change when branches meet."""
    return next(
        (key[0], key[1])
        for key in executor.loader.graph.nodes
        if key[0] == _APP and key[1].endswith("_policies")
    )


def migrate(*targets: tuple[str, str]) -> Any:
    """Migrate to these, and give the models as they were then."""
    executor = MigrationExecutor(connection)
    return executor.migrate(list(targets)).apps


@pytest.fixture
def before() -> Iterator[Any]:
    """Go back to where there was no policy, and forward again at the end."""
    executor = MigrationExecutor(connection)
    leaves = executor.loader.graph.leaf_nodes()
    key = find_migration(executor)
    parents = [parent.key for parent in executor.loader.graph.node_map[key].parents if parent.key[0] == _APP]
    yield migrate(*parents)
    migrate(*leaves)
    policy_selectors._read_published.cache_clear()  # the numbers of versions begin anew


def test_what_was_there_stays_and_has_no_version(before: Any) -> None:
    order = before.get_model("orders", "Order").objects.create(
        number="ORD-1", channel_id=1, user_email="a@example.com", status="400", currency="TRY"
    )
    old = before.get_model(_APP, "Submission").objects.create(order=order, origin="direct")
    before.get_model(_APP, "CancellationReason").objects.create(cancellation_type="cancel", subject="Old")

    after = migrate(find_migration(MigrationExecutor(connection)))

    submission = after.get_model(_APP, "Submission").objects.get(pk=old.pk)
    reason = after.get_model(_APP, "CancellationReason").objects.get()
    assert submission.policy_version is None
    assert (reason.remote_problem, reason.remote_checked_at) == ("", None)
    assert after.get_model(_APP, "PolicyVersion").objects.count() == 0


def test_the_triggers_come_with_it(before: Any) -> None:  # noqa: ARG001 - it goes back first
    after = migrate(find_migration(MigrationExecutor(connection)))
    versions = after.get_model(_APP, "PolicyVersion").objects
    version = versions.create()
    rule = version.rules.create(number=1, topic="status")
    connection.cursor().execute(
        "UPDATE cancellations_policyversion SET state = 'published', effective_from = now(), published_at = now()"
    )

    with pytest.raises(DatabaseError, match="published"):
        rule.delete()

    connection.cursor().execute("TRUNCATE cancellations_policyversion CASCADE")
