"""Cancelling and returning, as people do it: on phones and desks, with and without JavaScript, in both languages,
impatiently, in two tabs, while Omnitron fails. Where both languages are meant, fields are found by their names.
"""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

import pytest
from django.db.models import F
from django.utils import timezone
from playwright.sync_api import Error, Page

from aftercart.cancellations.models import CancellationRequest, Submission, SubmissionLine
from aftercart.oms.errors import AnswerUnknown, NotSent
from aftercart.orders.models import Order
from tests.browser.fixtures import sign
from tests.browser.steps import choose, confirm, go_on
from tests.browser.visit import Visit, every_way
from tests.fake_omnitron import FakeOmnitron

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Open = Callable[..., Visit]


@every_way
def test_items_are_cancelled_in_three_steps(
    open_window: Open, order: Order, fake: FakeOmnitron, way: dict[str, Any]
) -> None:
    visit = open_window(**way)
    page = visit.log_in(sign(order))
    assert page.locator("html").get_attribute("lang") == way["locale"][:2]
    page.locator(f'a[href="/orders/{order.number}/ways/"]').click()
    page.locator(f'a[href="/orders/{order.number}/cancel/"]').click()
    page.locator("button[value=quote]").click()
    page.get_by_role("alert").wait_for()  # nothing was chosen
    choose(page, order, 0)
    go_on(page)
    amount = "530,52 TL" if way["locale"] == "tr-TR" else "TRY 530.52"
    assert page.locator(".bar-total strong").inner_text() == amount
    page.locator("button[value=send]").click()
    page.get_by_role("alert").wait_for()  # the tick is missing
    assert fake.posts == []
    confirm(page)
    assert page.locator(".outcome.is-sent").count() == 1
    assert [post.call for post in fake.posts] == ["cancel_items"]
    assert Submission.objects.get().refund_quote.is_binding
    visit.assert_fine()


@every_way
def test_a_part_of_a_line_is_returned_and_collected(
    open_window: Open, order: Order, fake: FakeOmnitron, way: dict[str, Any]
) -> None:
    order.items.filter(sku="mug").update(status="550", delivered_at=timezone.now())
    visit = open_window(**way)
    page = visit.log_in("/users/orders/")
    choose(page, order, 2, quantity="2")
    page.locator("button[value=quote]").click()
    page.locator("#id_shipping_company_error").wait_for()
    assert page.locator("[name$=quantity]").last.input_value() == "2"  # what was typed stays
    page.locator("[name=shipping_company]").first.check()
    go_on(page)
    page.locator("[value=loyalty]").check()
    confirm(page)
    assert page.locator(".outcome.is-requested").count() == 1
    line = SubmissionLine.objects.get()
    assert (line.cancellation_type, line.quantity, line.fully_refund_as_loyalty_money) == ("refund", 2, True)
    assert line.shipping_company is not None
    assert fake.posts == []
    visit.assert_fine()


@every_way
@pytest.mark.parametrize(
    ("error", "state", "said"),
    [
        (
            NotSent,
            "requested",
            {
                "en-GB": "Nothing is cancelled yet: our team will decide and e-mail you.",
                "tr-TR": "Henüz hiçbir ürün iptal edilmedi: ekibimiz talebinizi değerlendirip e-postayla yanıtlayacak.",
            },
        ),
        (
            AnswerUnknown,
            "checking",
            {
                "en-GB": "We are waiting for your cancellation to be confirmed",
                "tr-TR": "İptaliniz için onay bekliyoruz",
            },
        ),
    ],
    ids=["down", "lost"],
)
def test_while_omnitron_fails_no_more_is_said_than_is_known(
    open_window: Open,
    order: Order,
    fake: FakeOmnitron,
    error: Any,
    state: str,
    said: dict[str, str],
    way: dict[str, Any],
) -> None:
    fake.fail("cancel_items", error)
    visit = open_window(**way)
    page = visit.log_in("/users/orders/")
    choose(page, order, 0)
    go_on(page)
    confirm(page)
    assert said[way["locale"]] in page.locator(f".outcome.is-{state}").inner_text()
    assert CancellationRequest.objects.count() == 1
    # The order's page says it too, and leads back here.
    result = page.url
    page.goto(f"/users/orders/{order.pk}/")
    page.locator(".story a").click()
    page.wait_for_url(result)
    visit.assert_fine()


def test_an_impatient_second_click_sends_nothing(visit: Visit, order: Order, fake: FakeOmnitron) -> None:
    page = visit.log_in("/users/orders/")
    choose(page, order, 0)
    go_on(page)
    page.locator("[name=return_policy]").check()
    before = len([request for request in visit.requests if request.method == "POST"])
    page.locator("button[value=send]").dblclick(no_wait_after=True)
    page.wait_for_url("**/cancel/*-*/")
    assert len([request for request in visit.requests if request.method == "POST"]) == before + 1
    assert len(fake.posts) == 1


def test_without_javascript_a_second_click_cancels_once(
    open_window: Open, order: Order, fake: FakeOmnitron
) -> None:
    visit = open_window(java_script_enabled=False)
    page = visit.log_in("/users/orders/")
    choose(page, order, 0)
    go_on(page)
    page.locator("[name=return_policy]").check()
    page.locator("button[value=send]").dblclick(no_wait_after=True)
    page.wait_for_url("**/cancel/*-*/")
    assert len(fake.posts) == 1
    assert Submission.objects.count() == 1


@every_way
def test_the_back_button_cancels_nothing_twice(
    open_window: Open, order: Order, fake: FakeOmnitron, way: dict[str, Any]
) -> None:
    visit = open_window(**way)
    page = visit.log_in("/users/orders/")
    choose(page, order, 0)
    go_on(page)
    confirm(page)
    if way["java_script_enabled"]:
        page.go_back()
    else:  # the browser itself asks whether to send the form again
        with pytest.raises(Error, match="ERR_CACHE_MISS"):
            page.go_back()
        page = visit.open_tab()
        page.goto(f"/orders/{order.number}/cancel/")
    assert page.locator(".choice").count() == 2
    assert page.locator(".faded").count() == 1
    page.reload()
    assert len(fake.posts) == 1
    assert Submission.objects.count() == 1


@every_way
def test_of_two_tabs_one_cancels_and_the_other_is_told(
    open_window: Open, order: Order, fake: FakeOmnitron, way: dict[str, Any]
) -> None:
    visit = open_window(**way)
    one = visit.log_in("/users/orders/")
    two = visit.open_tab()
    for page in (one, two):
        choose(page, order, 0)
        go_on(page)
    confirm(one)
    two.locator("[name=return_policy]").check()
    two.locator("button[value=send]").click()
    shown = {"en-GB": "Order cancellation already in progress.", "tr-TR": "Siparişin iptali zaten sürüyor."}
    two.locator(".summary").get_by_text(shown[way["locale"]]).wait_for()
    assert two.locator(".choice").count() == 2  # what is left can still be chosen
    assert len(fake.posts) == 1
    assert Submission.objects.count() == 1
    visit.assert_fine(two)


def test_amounts_that_changed_meanwhile_are_shown_before_anything_is_sent(
    visit: Visit, order: Order, fake: FakeOmnitron
) -> None:
    page = visit.log_in("/users/orders/")
    choose(page, order, 0)
    go_on(page)
    Order.objects.update(discount_amount=0, amount=Decimal("2887.30"), version=F("version") + 1)
    page.locator("[name=return_policy]").check()
    page.locator("button[value=send]").click()
    page.get_by_role("alert").wait_for()
    assert page.locator(".changes ins").all_inner_texts() == ["TRY 549.90", "TRY 549.90"]
    assert page.evaluate("document.activeElement.getAttribute('role')") == "alert"
    assert fake.posts == []
    confirm(page)
    assert Submission.objects.get().refund_quote.total_amount == Decimal("549.90")
    visit.assert_fine()


def test_an_account_is_asked_for_only_while_it_is_chosen(
    visit: Visit, order: Order, fake: FakeOmnitron
) -> None:
    Order.objects.update(payment_option={"payment_type": "funds_transfer", "name": "Bank transfer"})
    page = visit.log_in("/users/orders/")
    choose(page, order, 0)
    go_on(page)
    assert page.get_by_label("IBAN").is_visible()
    page.locator("[value=loyalty]").check()
    assert not page.get_by_label("IBAN").is_visible()
    page.locator("[value=iban]").check()
    page.get_by_label("IBAN").fill("TR33 0006 1005 1978 6457 8413 26")
    page.get_by_label("Account holder").fill("Ayşe Yılmaz")
    confirm(page)
    assert "Account ending in 1326" in page.locator("main").inner_text()
    assert len(fake.posts) == 1
    visit.assert_fine()


def test_the_cancellation_is_reached_and_sent_with_the_keyboard_alone(
    visit: Visit, order: Order, fake: FakeOmnitron
) -> None:
    page = visit.log_in(sign(order))
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.textContent.trim()") == "Skip to content"
    page.keyboard.press("Enter")
    for label, address in (("Cancel or return", "ways"), ("Choose items", "cancel")):
        press_until(page, f"document.activeElement.textContent.trim() === '{label}'")
        page.keyboard.press("Enter")
        page.wait_for_url(f"**/{address}/")
    press_until(page, "(document.activeElement.name || '').endsWith('is_chosen')")
    page.keyboard.press("Space")
    press_until(page, "(document.activeElement.name || '').endsWith('reason')")
    page.keyboard.press("ArrowDown")
    press_until(page, "document.activeElement.value === 'quote'")
    assert_in_sight(page)
    page.keyboard.press("Enter")
    page.locator("[name=return_policy]").wait_for()
    press_until(page, "document.activeElement.name === 'return_policy'")
    assert_in_sight(page)
    page.keyboard.press("Space")
    press_until(page, "document.activeElement.value === 'send'")
    page.keyboard.press("Enter")
    page.wait_for_url("**/cancel/*-*/")
    assert [post.call for post in fake.posts] == ["cancel_items"]
    visit.assert_fine()


def press_until(page: Page, condition: str) -> None:
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate(condition):
            return
    raise AssertionError(f"the Tab key does not lead to {condition!r}")


def assert_in_sight(page: Page) -> None:
    """What has the focus is not covered by the bar at the bottom (WCAG 2.4.11)."""
    is_seen = """() => {
        const tag = document.activeElement, box = tag.getBoundingClientRect();
        const seen = document.elementFromPoint(box.left + box.width / 2, box.top + box.height / 2);
        return tag.contains(seen) || seen.contains(tag) && !seen.closest(".bar");
    }"""
    assert page.evaluate(is_seen)
