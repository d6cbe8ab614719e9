"""Lines that approvals had moved go back to what was asked, and each approval names its request."""

from typing import Any

import pytest

from tests.db.migrations import find_migration, list_parents, migrate, migrated_before

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.slow, pytest.mark.deep]
_APP = "cancellations"


def make_rows(before: Any, *, is_quoted: bool) -> dict[str, int]:
    """Make a request of which a first approval was refused, and which a second one has taken away."""
    order = before.get_model("orders", "Order").objects.create(
        number=f"ORD-{is_quoted}", channel_id=1, user_email="a@example.com", status="400", currency="TRY"
    )
    item = before.get_model("orders", "OrderItem").objects.create(
        order=order, status="400", sku="S", quantity=1, price_currency="TRY"
    )
    reason = before.get_model(_APP, "CancellationReason").objects.create(
        cancellation_type="cancel", subject="R"
    )
    submissions = before.get_model(_APP, "Submission").objects
    asked = submissions.create(order=order, origin="direct", state="refused", cause="has_invoice")
    first = submissions.create(order=order, origin="approval", state="refused")
    second = submissions.create(order=order, origin="approval", state="applied")
    line = before.get_model(_APP, "SubmissionLine").objects.create(
        submission=second, order_item=item, reason=reason, cancellation_type="cancel", quantity=1
    )
    if is_quoted:
        quote = before.get_model(_APP, "RefundQuote").objects.create(
            submission=asked, order_version=1, way="review", destination="source"
        )
        before.get_model(_APP, "RefundQuoteLine").objects.create(quote=quote, line=line)
    request = before.get_model(_APP, "CancellationRequest").objects.create(
        line=line, status="confirmed", delivery_round=2
    )
    rows = {"asked": asked, "first": first, "second": second, "line": line, "request": request}
    return {name: row.pk for name, row in rows.items()}


def read(apps: Any, rows: dict[str, int]) -> tuple[int, list[int | None]]:
    """Read where the line is, and which request each approval names."""
    line = apps.get_model(_APP, "SubmissionLine").objects.get(pk=rows["line"])
    approvals = apps.get_model(_APP, "Submission").objects.filter(pk__in=[rows["first"], rows["second"]])
    return line.submission_id, list(approvals.order_by("pk").values_list("approved_request", flat=True))


def test_moved_lines_go_back_both_tries_name_their_request_and_the_way_back_moves_the_line_again() -> None:
    key = find_migration(_APP, "_approvals_keep_lines")
    with migrated_before(key) as before:  # there and back takes seconds: both cases go together
        quoted, unquoted = make_rows(before, is_quoted=True), make_rows(before, is_quoted=False)

        after = migrate(key)

        assert read(after, quoted) == (quoted["asked"], [quoted["request"]] * 2)
        assert read(after, unquoted) == (
            unquoted["second"],
            [unquoted["request"]] * 2,
        )  # carried all the same
        assert not after.get_model(_APP, "Submission").objects.get(pk=unquoted["asked"]).lines.exists()

        lines = migrate(*list_parents(key)).get_model(_APP, "SubmissionLine").objects

        for rows in (quoted, unquoted):  # to the newest approval
            assert lines.get(pk=rows["line"]).submission_id == rows["second"]
