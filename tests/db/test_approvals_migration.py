"""Lines that approvals had moved go back to what was asked, and each approval names its request."""

from collections.abc import Iterator
from typing import Any

import pytest

from tests.db.migrations import Key, find_migration, list_parents, migrate, migrated_before

pytestmark = pytest.mark.django_db(transaction=True)
_APP = "cancellations"


def _find() -> Key:
    return find_migration(_APP, "_approvals_keep_lines")


@pytest.fixture
def before() -> Iterator[Any]:
    """Go back to where approvals moved lines, and forward again at the end."""
    with migrated_before(_find()) as apps:
        yield apps


def make_rows(before: Any, *, is_quoted: bool) -> dict[str, int]:
    """Make a request of which a first approval was refused, and which a second one has taken away."""
    order = before.get_model("orders", "Order").objects.create(
        number="ORD-1", channel_id=1, user_email="a@example.com", status="400", currency="TRY"
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
    approvals = apps.get_model(_APP, "Submission").objects.filter(origin="approval").order_by("pk")
    return line.submission_id, list(approvals.values_list("approved_request", flat=True))


def test_a_moved_line_goes_back_and_both_tries_name_their_request(before: Any) -> None:
    rows = make_rows(before, is_quoted=True)

    after = migrate(_find())

    assert read(after, rows) == (rows["asked"], [rows["request"], rows["request"]])


def test_one_without_a_quote_stays_and_is_carried_all_the_same(before: Any) -> None:
    rows = make_rows(before, is_quoted=False)

    after = migrate(_find())

    assert read(after, rows) == (rows["second"], [rows["request"], rows["request"]])
    assert not after.get_model(_APP, "Submission").objects.get(pk=rows["asked"]).lines.exists()


def test_the_way_back_moves_the_line_to_the_newest_approval(before: Any) -> None:
    rows = make_rows(before, is_quoted=True)

    migrate(_find())
    back = migrate(*list_parents(_find()))

    assert back.get_model(_APP, "SubmissionLine").objects.get().submission_id == rows["second"]
