"""The policy's migration, on a database that has been in use: there and back."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DatabaseError, connection

from aftercart.cancellations import policy_selectors
from tests.db.migrations import Key, find_migration, migrate, migrated_before

pytestmark = pytest.mark.django_db(transaction=True)
_APP = "cancellations"


def _find() -> Key:
    return find_migration(_APP, "_policies")


@pytest.fixture
def before() -> Iterator[Any]:
    """Go back to where there was no policy, and forward again at the end."""
    with migrated_before(_find()) as apps:
        yield apps
    policy_selectors._read_published.cache_clear()  # the numbers of versions begin anew


def test_what_was_there_stays_and_has_no_version(before: Any) -> None:
    order = before.get_model("orders", "Order").objects.create(
        number="ORD-1", channel_id=1, user_email="a@example.com", status="400", currency="TRY"
    )
    old = before.get_model(_APP, "Submission").objects.create(order=order, origin="direct")
    before.get_model(_APP, "CancellationReason").objects.create(cancellation_type="cancel", subject="Old")

    after = migrate(_find())

    submission = after.get_model(_APP, "Submission").objects.get(pk=old.pk)
    reason = after.get_model(_APP, "CancellationReason").objects.get()
    assert submission.policy_version is None
    assert (reason.remote_problem, reason.remote_checked_at) == ("", None)
    assert after.get_model(_APP, "PolicyVersion").objects.count() == 0


def test_the_triggers_come_with_it(before: Any) -> None:  # noqa: ARG001 - it goes back first
    after = migrate(_find())
    versions = after.get_model(_APP, "PolicyVersion").objects
    version = versions.create()
    rule = version.rules.create(number=1, topic="status")
    connection.cursor().execute(
        "UPDATE cancellations_policyversion SET state = 'published', effective_from = now(), published_at = now()"
    )

    with pytest.raises(DatabaseError, match="published"):
        rule.delete()

    connection.cursor().execute("TRUNCATE cancellations_policyversion CASCADE")
