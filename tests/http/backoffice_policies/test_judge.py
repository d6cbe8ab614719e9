"""The policy tried on an order and overridden, what was judged by it, and reasons without a counterpart."""

from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from aftercart.cancellations.models import CancellationReason, CancellationRequest, Submission
from aftercart.cancellations.policy.selectors import get_default_book
from aftercart.orders.models import Order, OrderItem
from aftercart.orders.policy.topics import Topic
from tests.http.backoffice_policies.world import (
    POLICIES,
    REASONS,
    count_everything,
    make_draft,
    make_published,
    read,
)
from tests.http.backoffice_world import ORDERS, log_in, make_order, make_staff

pytestmark = pytest.mark.django_db


def make_returnable(**fields: Any) -> Order:
    order = make_order("550")
    OrderItem.objects.filter(order=order).update(
        delivered_at=timezone.now() - timedelta(days=20), **{"is_final_sale": True, **fields}
    )
    return order


def test_trying_tells_the_verdict_the_rule_and_why_the_others_did_not_decide(root: Client) -> None:
    order = make_returnable()
    book = get_default_book()
    before = count_everything()

    page = read(root, f"{POLICIES}try/?number={order.number}")

    final_sale = book.by_topic[Topic.FINAL_SALE][0].number
    window = book.by_topic[Topic.RETURN_WINDOW][0].number
    assert f"This item is a final sale and can't be returned. (final_sale; rule {final_sale})" in page
    assert f"The time for returning this item is over. (return_window_closed; rule {window})" in page
    assert "Does not apply here: type." in page
    assert "Judged by the default of the settings" in page
    assert count_everything() == before


def test_trying_takes_units_a_time_and_a_draft(root: Client) -> None:
    order = make_returnable(is_final_sale=False)
    item = order.items.get()
    version = make_draft()
    version.rules.filter(topic="return_window").update(window_length=30)

    late = read(root, f"{POLICIES}try/?number={order.number}")
    draft = read(root, f"{POLICIES}try/?number={order.number}&version={version.pk}&units-{item.pk}=1")
    later = read(root, f"{POLICIES}try/?number={order.number}&version={version.pk}&at=2036-01-01T10:00")
    none = read(root, f"{POLICIES}try/?number={order.number}&units-{item.pk}=0")
    address = read(root, f"{POLICIES}try/?number={order.number}&kind=address_change")

    assert "return_window_closed" in late
    assert "return_window_closed" not in draft
    assert "partial_line" in draft
    assert "return_window_closed" in later
    assert "Rules looked at" not in none
    assert "It is too late to change this order's address. (status_not_allowed" in address


@pytest.mark.parametrize(
    "query",
    [
        "number=NOPE",
        "number=",
        "number={n}&version=999999",
        "number={n}&version=x",
        "number={n}&version=99999999999999999999999",
        "number={n}&kind=steal",
        "number={n}&at=never",
        "number={n}&units-{i}=many",
        "number={n}&units-{i}=-4",
        "number={n}&units-{i}=99999999999999999999",
        "number=%00",
    ],
)
def test_nonsense_is_told_and_never_an_error_of_ours(root: Client, query: str) -> None:
    order = make_returnable()
    text = query.format(n=order.number, i=order.items.get().pk)

    assert root.get(f"{POLICIES}try/?{text}").status_code == 200


def test_staff_override_the_policy_and_the_order_tells_it() -> None:
    order = make_returnable()
    item = order.items.get()
    reason = CancellationReason.objects.create(cancellation_type="refund", subject="Too small")
    staff = make_staff("override_policyversion", "view_order", "view_cancellationrequest")
    browser = log_in(staff)
    assert "/override/" in read(browser, f"{ORDERS}{order.pk}/change/")

    answer = browser.post(
        f"{ORDERS}{order.pk}/override/",
        {"order_item": item.pk, "reason": reason.pk, "quantity": "1", "why": "A good customer."},
    )

    request = CancellationRequest.objects.get()
    assert answer["Location"] == f"/backoffice/cancellations/cancellationrequest/{request.pk}/change/"
    page = read(browser, answer["Location"])
    assert "Requested by staff, against the policy" in page
    page = read(browser, f"{ORDERS}{order.pk}/change/")
    assert "The policy was overridden by staff" in page
    assert "A good customer." in page
    assert staff.email in page


@pytest.mark.parametrize(
    "typed", [{"why": ""}, {"order_item": "999999"}, {"reason": "x"}, {"quantity": "0"}, {"quantity": "3"}]
)
def test_an_override_that_makes_no_sense_is_told_and_changes_nothing(
    root: Client, typed: dict[str, str]
) -> None:
    order = make_returnable()
    reason = CancellationReason.objects.create(cancellation_type="refund", subject="Too small")
    body = {"order_item": order.items.get().pk, "reason": reason.pk, "quantity": "", "why": "Goodwill."}
    before = count_everything()

    assert root.post(f"{ORDERS}{order.pk}/override/", {**body, **typed}).status_code == 200

    assert count_everything() == before
    assert root.get(f"{ORDERS}999999/override/").status_code == 404


def test_a_submission_shows_the_version_it_was_judged_by(root: Client) -> None:
    version, order = make_published(), make_order()
    submission = Submission.objects.create(order=order, origin="direct", policy_version=version)

    page = read(root, f"/backoffice/cancellations/submission/{submission.pk}/change/")

    assert f"policy version #{version.pk}" in page
    assert f"{POLICIES}{version.pk}/change/" in page


def test_reasons_without_a_partner_are_shown_filtered_and_counted(root: Client) -> None:
    for subject, problem, pk in (("Fine", "", 1), ("Alone", "unknown", None), ("Off", "inactive", 2)):
        CancellationReason.objects.create(
            cancellation_type="cancel", subject=subject, remote_problem=problem, remote_pk=pk
        )

    page = read(root, f"{REASONS}?partner=none")

    assert ("Alone" in page, "Off" in page, ">Fine<" in page) == (True, True, False)
    assert "No reason of this subject there" in page
    assert "Reasons without a counterpart" in read(root, "/backoffice/")
    root.post(f"{REASONS}sync/")
    assert [job.task_name for job in ProcrastinateJob.objects.all()] == ["aftercart.sync_reasons"]
