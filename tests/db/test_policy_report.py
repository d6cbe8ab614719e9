"""`aftercart policy` and `aftercart reasons`: what they print, for people and for programs."""

import json
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import pytest
from django.utils import timezone
from rich.console import Console

from aftercart import policy_report
from aftercart.accounts.models import User
from aftercart.actions.policy.draft_policy import draft_policy
from aftercart.actions.sync.sync_reasons import sync_reasons
from aftercart.cancellations.models import PolicyRule
from aftercart.cancellations.policy.selectors import get_default_book
from aftercart.orders.errors import OrderNotFound
from aftercart.orders.policy.topics import Topic
from tests.fake_omnitron import FakeOmnitron
from tests.shop import Line, Shop, make_order, make_reason

pytestmark = pytest.mark.django_db


def capture(printing: Any, *args: Any) -> str:
    stream = StringIO()
    printing(*args, Console(file=stream, width=160))
    return stream.getvalue()


def explain(shop: Shop, kind: Any = None, at: datetime | None = None, version: int | None = None) -> Any:
    return policy_report.explain_number(shop.order.number, kind, at or timezone.now(), version)


def test_the_policy_is_shown_in_the_order_in_which_it_decides() -> None:
    book = get_default_book()

    text = capture(policy_report.print_policy, book)
    shown = json.loads(policy_report.write_policy(book))

    assert "the default policy of the settings" in text
    assert text.index("statuses=200") < text.index("everything")
    assert "14 days from delivery" in text
    assert shown["version"] is None
    assert [c["number"] for c in shown["clauses"]] == [c.number for c in book.clauses]


def test_an_order_is_explained_item_by_item() -> None:
    late = timezone.now() - timedelta(days=15)
    shop = Shop([Line(status="550", delivered_at=late), Line(), Line(status="100")])
    first, second, third = shop.items

    text = capture(policy_report.print_explanation, explain(shop))
    shown = json.loads(policy_report.write_explanation(explain(shop)))

    assert [item["verdict"] for item in shown["items"]] == ["refuse", "review", "refuse"]
    assert [item["order_item"] for item in shown["items"]] == [first.pk, second.pk, third.pk]
    number = get_default_book().by_topic[Topic.RETURN_WINDOW][0].number
    assert {"code": "return_window_closed", "clause": number}.items() <= shown["items"][0]["findings"][
        0
    ].items()
    assert shown["items"][2]["findings"][0]["clause"] is None
    assert f"refuse return_window_closed (clause {number}): The time for returning" in text
    assert "refuse already_cancelled (always): Order already cancelled!" in text
    assert "does not apply: type" in text


def test_the_kind_and_the_time_can_be_told() -> None:
    delivered = timezone.now() - timedelta(days=1)
    shop = Shop([Line(status="550", delivered_at=delivered)])

    now, later = explain(shop, "refund"), explain(shop, "refund", timezone.now() + timedelta(days=14))

    assert [item.effect for item in (*now.items, *later.items)] == ["allow", "refuse"]
    assert explain(shop, "cancel").items[0].findings[0].code == "status_not_allowed"


def test_an_address_is_explained_too() -> None:
    shop = Shop([Line(status="500")])

    shown = json.loads(policy_report.write_explanation(explain(shop, "address_change")))
    text = capture(policy_report.print_explanation, explain(shop, "address_change"))

    assert shown["address"]["verdict"] == "refuse"
    assert shown["address"]["findings"][0]["code"] == "status_not_allowed"
    assert "another address: refuse: It is too late" in text


def test_a_draft_can_be_asked_what_it_would_say() -> None:
    shop = Shop([Line(invoice_number="INV-1")])
    pk = draft_policy(User.objects.create_user("staff@example.com"), get_default_book())
    PolicyRule.objects.filter(version=pk, topic="invoice").update(effect="refuse")

    assert explain(shop).items[0].effect == "review"
    assert explain(shop, version=pk).items[0].effect == "refuse"


def test_what_is_not_there_is_told() -> None:
    with pytest.raises(OrderNotFound):
        policy_report.explain_number("NOPE", None, timezone.now(), None)
    with pytest.raises(policy_report.VersionUnknown):
        policy_report.get_version_book(999_999, timezone.now())


def test_a_time_is_utc_unless_it_says_otherwise() -> None:
    assert policy_report.read_time("2026-11-25T12:00") == datetime(2026, 11, 25, 12, tzinfo=UTC)
    assert policy_report.read_time("2026-11-25T12:00+03:00") == datetime(2026, 11, 25, 9, tzinfo=UTC)
    with pytest.raises(ValueError, match="Invalid"):
        policy_report.read_time("soon")


def test_explaining_asks_the_database_the_same_for_every_size(django_assert_num_queries: Any) -> None:
    shop = Shop([Line()] * 2)
    big = make_order(shop.user, *[Line()] * 20)
    explain(shop)

    # The order, the version in force, the items, the open lines.
    for number in (shop.order.number, big.number):
        with django_assert_num_queries(4):
            policy_report.explain_number(number, None, timezone.now(), None)


def test_a_comparison_of_reasons_is_told() -> None:
    lone = make_reason()
    lone.remote_pk, lone.subject = None, "It [bold]rained"
    lone.save()
    report = sync_reasons(FakeOmnitron())

    text = capture(policy_report.print_report, report)
    shown = json.loads(policy_report.write_report(report))

    assert f"ours #{lone.pk} (cancel) It [bold]rained: unknown" in text
    assert "theirs #1 (cancel) Changed my mind: none of ours" in text
    assert shown["problems"] == [
        {"id": lone.pk, "cancellation_type": "cancel", "subject": "It [bold]rained", "problem": "unknown"}
    ]
    assert len(shown["unused"]) == 10
