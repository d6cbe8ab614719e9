"""The policy's migration, on a database that has been in use: there and back."""

from collections.abc import Iterator
from typing import Any

import pytest
from django.db import DatabaseError, connection

from aftercart.cancellations.policy import selectors as policy_selectors
from tests.db.migrations import find_migration, migrate, migrated_before

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.deep]
_APP = "cancellations"


@pytest.fixture
def _versions_begin_anew() -> Iterator[None]:
    yield
    policy_selectors._read_published.cache_clear()


def make_old_rows(before: Any) -> Any:
    order = before.get_model("orders", "Order").objects.create(
        number="ORD-1", channel_id=1, user_email="a@example.com", status="400", currency="TRY"
    )
    before.get_model(_APP, "CancellationReason").objects.create(cancellation_type="cancel", subject="Old")
    return before.get_model(_APP, "Submission").objects.create(order=order, origin="direct")


@pytest.mark.usefixtures("_versions_begin_anew")
def test_what_was_there_stays_and_has_no_version_and_the_triggers_come_with_it() -> None:
    key = find_migration(_APP, "_policies")
    with migrated_before(key) as before:
        old = make_old_rows(before)

        after = migrate(key)

        submission = after.get_model(_APP, "Submission").objects.get(pk=old.pk)
        reason = after.get_model(_APP, "CancellationReason").objects.get()
        assert submission.policy_version is None
        assert (reason.remote_problem, reason.remote_checked_at) == ("", None)
        versions = after.get_model(_APP, "PolicyVersion").objects
        assert versions.count() == 0

        rule = versions.create().rules.create(number=1, topic="status")
        connection.cursor().execute(
            "UPDATE cancellations_policyversion"
            " SET state = 'published', effective_from = now(), published_at = now()"
        )
        with pytest.raises(DatabaseError, match="published"):
            rule.delete()

        connection.cursor().execute("TRUNCATE cancellations_policyversion CASCADE")
