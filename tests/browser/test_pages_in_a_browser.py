"""The pages in a real Chromium, on a phone and on a desk: that they fit, and what JavaScript adds to them."""

import re
from datetime import timedelta

import pytest
from django.db import transaction
from django.utils import timezone
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from aftercart.actions.cancel.close_line import complete_line
from aftercart.cancellations.models import SubmissionLine
from aftercart.orders.models import Order
from aftercart.orders.selectors import lock_order, save_order
from aftercart.orders.timeline import OMS
from tests.browser.fixtures import list_products, make_order, sign
from tests.browser.steps import choose, confirm, go_on
from tests.browser.visit import DESK, PHONE, Visit
from tests.fake_omnitron import FakeOmnitron

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.mark.parametrize(
    ("visit", "name"),
    [((PHONE, {}), "confirmation-phone"), ((DESK, {}), "confirmation-desk")],
    indirect=["visit"],
)
def test_the_confirmation_fits_and_breaks_no_rule(visit: Visit, order: Order, name: str) -> None:
    page = visit.log_in(sign(order))
    assert page.get_by_role("heading", level=1).inner_text() == "Your order is confirmed"
    broken = "Array.from(document.images).filter(i => !i.complete || !i.naturalWidth).length"
    assert page.evaluate(broken) == 0
    visit.assert_fine()
    visit.keep_screenshot(name)


def test_only_what_matters_is_in_sight(visit: Visit, order: Order) -> None:
    page = visit.log_in(f"/orders/{order.number}/cancel/")
    first = page.locator(".choice").first
    reason, description = first.get_by_label("Reason"), first.get_by_label("Description")
    assert (reason.is_visible(), description.is_visible()) == (False, False)
    first.get_by_role("checkbox").check()
    assert (reason.is_visible(), description.is_visible()) == (True, False)
    reason.select_option("Other")
    assert description.is_visible()
    visit.assert_fine()


def test_the_stepper_goes_no_further_than_there_is(visit: Visit, order: Order) -> None:
    page = visit.log_in(f"/orders/{order.number}/cancel/")
    mug = page.locator(".choice").nth(2)
    mug.get_by_role("checkbox").check()
    number, less, more = (
        mug.get_by_label("How many?"),
        mug.get_by_label("One less"),
        mug.get_by_label("One more"),
    )
    assert (number.input_value(), less.is_enabled(), more.is_enabled()) == ("3", True, False)
    less.click()
    less.click()
    assert (number.input_value(), less.is_enabled(), more.is_enabled()) == ("1", False, True)
    more.click()
    assert number.input_value() == "2"
    visit.assert_fine()


@pytest.mark.parametrize("visit", [(PHONE, {"java_script_enabled": False})], indirect=True)
def test_without_javascript_the_number_is_typed_and_no_button_is_dead(visit: Visit, order: Order) -> None:
    page = visit.log_in(f"/orders/{order.number}/cancel/")
    mug = page.locator(".choice").nth(2)
    mug.get_by_role("checkbox").check()
    assert not mug.locator(".step-button").first.is_visible()
    mug.get_by_label("How many?").fill("2")
    assert mug.get_by_label("How many?").input_value() == "2"


def test_targets_are_large_enough_for_a_thumb(visit: Visit, order: Order) -> None:
    page = visit.log_in(sign(order))
    paths = (
        sign(order),
        "/users/orders/",
        f"/orders/{order.number}/cancel/",
        f"/orders/change-address/?order={order.pk}",
        f"/users/orders/{order.pk}/receipt/",
    )
    for path in paths:
        page.goto(path)
        small = page.evaluate(
            """targets => Array.from(document.querySelectorAll(targets))
            .filter(tag => tag.offsetParent && tag.getBoundingClientRect().height < 44)
            .map(tag => tag.textContent.trim())""",
            "button, a.button, select, summary, .option, .choice-pick, .tick, .tap, .account a",
        )
        assert small == [], path


def test_the_page_of_a_cancellation_tells_its_end_by_itself_and_moves_nothing(
    visit: Visit, order: Order, fake: FakeOmnitron
) -> None:
    page = start(visit, order)
    assert page.get_by_role("heading", level=1).inner_text() == "We have passed on your cancellation"
    line = SubmissionLine.objects.select_related("order_item").get()
    with transaction.atomic():
        locked = lock_order(pk=order.pk)
        complete_line(locked, line, OMS)
        save_order(locked)
    page.get_by_role("heading", name="Your cancellation is complete").wait_for()
    assert page.evaluate("window.shifted") < 0.02
    asked = len([request for request in visit.requests if "version=" in request.url])
    assert asked >= 1
    assert page.locator("[data-live]").count() == 1
    assert page.evaluate("live") is None  # it asks no more
    visit.assert_fine()
    assert len(fake.posts) == 1


def start(visit: Visit, order: Order) -> Page:
    page = visit.log_in("/users/orders/")
    choose(page, order, 0)
    go_on(page)
    confirm(page)
    return page


def test_a_page_that_is_brought_back_as_it_was_left_can_be_sent_again(visit: Visit, order: Order) -> None:
    page = visit.log_in(f"/orders/{order.number}/cancel/")
    buttons = page.locator(".languages button, button[value=quote]")
    page.evaluate(
        """() => {
            document.querySelector("#typed").setAttribute("aria-busy", "true");
            for (const button of document.querySelectorAll("button")) button.disabled = true;
            window.dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }));
        }"""
    )
    assert [button.is_enabled() for button in buttons.all()] == [True, True, True]
    assert page.locator("#typed").get_attribute("aria-busy") is None


def test_a_log_in_that_is_clicked_twice_is_sent_once(visit: Visit, order: Order) -> None:
    visit.page.goto(f"/orders/{order.number}/cancel/")
    sent = visit.page.evaluate(
        """() => {
            let sent = 0;
            addEventListener("submit", (event) => {
                if (!event.defaultPrevented) sent += 1;
                event.preventDefault();
            });
            for (const _ of [1, 2]) document.querySelector("main form button").click();
            return sent;
        }"""
    )
    assert sent == 1


def count_questions(visit: Visit) -> int:
    """Count what the page itself asked for; Chromium looks for an icon when it likes."""
    return sum(request.resource_type == "fetch" for request in visit.requests)


def test_nothing_is_asked_while_nobody_looks(visit: Visit, order: Order, fake: FakeOmnitron) -> None:
    page = start(visit, order)
    page.evaluate(
        """() => {
            Object.defineProperty(document, "hidden", { value: true, configurable: true });
            document.dispatchEvent(new Event("visibilitychange"));
            clearTimeout(timer);
        }"""
    )
    before = count_questions(visit)
    page.evaluate("plan()")
    page.evaluate("new Promise(done => requestIdleCallback(done))")
    assert page.evaluate("document.hidden")
    assert count_questions(visit) == before
    with page.expect_request(lambda request: "version=" in request.url):
        page.evaluate(
            """() => {
                Object.defineProperty(document, "hidden", { value: false, configurable: true });
                wait = 0;
                document.dispatchEvent(new Event("visibilitychange"));
            }"""
        )
    assert len(fake.posts) == 1


@pytest.mark.parametrize("visit", [(PHONE, {"locale": "tr-TR"}), (DESK, {})], indirect=True)
def test_without_a_connection_the_order_stays_readable_and_says_of_when_it_is(
    visit: Visit, order: Order, fake: FakeOmnitron
) -> None:
    page = start(visit, order)
    before, line = page.locator("main").inner_text(), page.locator(".offline")
    assert not line.is_visible()

    visit.context.set_offline(True)
    line.wait_for()
    assert re.search(r"\d\d:\d\d", line.inner_text())
    page.evaluate("ask()")
    assert page.evaluate("[Boolean(live), timer > 0]") == [True, True]  # it goes on asking
    assert page.locator("main").inner_text() == before
    assert page.evaluate("window.shifted") < 0.02
    visit.keep_screenshot(f"offline-{page.locator('html').get_attribute('lang')}")

    with page.expect_request(lambda request: "version=" in request.url):
        visit.context.set_offline(False)
    line.wait_for(state="hidden")
    assert len(fake.posts) == 1


def test_what_is_sent_without_a_connection_is_kept_and_sent_by_another_press(
    visit: Visit, order: Order, fake: FakeOmnitron
) -> None:
    page = visit.log_in("/users/orders/")
    choose(page, order, 0)
    visit.context.set_offline(True)
    page.locator("button[value=quote]").click()
    page.get_by_text("nothing was sent").wait_for()
    assert page.locator("button[value=quote]").is_enabled()
    visit.context.set_offline(False)
    page.locator(".offline").wait_for(state="hidden")

    go_on(page)
    confirm(page)

    assert len(fake.posts) == 1
    visit.assert_fine()


@pytest.mark.parametrize("media", ["light", "dark"])
def test_the_receipt_prints_as_paper(
    browser: Browser, live_server: LiveServer, order: Order, media: str
) -> None:
    visit = Visit(browser, live_server, DESK, color_scheme=media)
    page = visit.log_in(f"/users/orders/{order.pk}/receipt/")
    page.emulate_media(media="print")
    hidden = "selector => [...document.querySelectorAll(selector)].every(tag => !tag.offsetParent)"
    assert page.evaluate(hidden, ".top, .foot, .buttons, .eyebrow")
    colours = "tag => [getComputedStyle(tag).color, getComputedStyle(document.body).backgroundColor]"
    assert page.locator("h1").evaluate(colours) == ["rgb(0, 0, 0)", "rgb(255, 255, 255)"]
    assert page.pdf(prefer_css_page_size=True).count(b"/Type /Page\n") <= 1
    visit.context.close()


@pytest.mark.parametrize("visit", [(PHONE, {"reduced_motion": "reduce"})], indirect=True)
def test_nothing_moves_for_those_who_want_it_so(visit: Visit, order: Order) -> None:
    page = visit.log_in(f"/users/orders/{order.pk}/")
    assert page.evaluate("document.getAnimations().length") == 0


@pytest.mark.parametrize("visit", [(PHONE, {"reduced_motion": "no-preference"})], indirect=True)
def test_the_living_line_breathes_for_the_others(visit: Visit, order: Order) -> None:
    page = visit.log_in(f"/users/orders/{order.pk}/")
    assert page.evaluate("document.getAnimations().map(a => a.animationName)") == ["breathe"]


def test_the_list_is_searched_and_narrowed(visit: Visit, order: Order) -> None:
    assert order.user is not None
    placed = timezone.now() - timedelta(days=400)
    make_order(order.user, list_products("550", "550"), number="ORD-2024-000777", created_date=placed)
    page = visit.log_in("/users/orders/")
    assert page.locator(".card").count() == 2
    numbers = page.locator(".card .cover")
    page.get_by_label("Order number").fill("777")
    page.get_by_role("button", name="Search").click()
    page.wait_for_url("**search=777**")
    assert [text.split()[-1] for text in numbers.all_text_contents()] == ["ORD-2024-000777"]
    page.get_by_label("Order number").fill("")
    page.locator("summary").click()
    page.get_by_label("From").fill("2026-01-01")
    page.get_by_role("button", name="Search").click()
    page.wait_for_url("**since=2026-01-01**")
    assert [text.split()[-1] for text in numbers.all_text_contents()] == ["ORD-2024-001234"]
    page.get_by_label("From").fill("2036-01-01")
    page.get_by_role("button", name="Search").click()
    page.get_by_text("No orders match your search.").wait_for()
    visit.assert_fine()


def test_the_language_changes_and_stays(visit: Visit, order: Order) -> None:
    page = visit.log_in(f"/users/orders/{order.pk}/")
    page.get_by_role("button", name="Türkçe").click()
    page.locator("html[lang=tr]").wait_for()
    assert page.url.endswith(f"/users/orders/{order.pk}/")
    page.goto("/users/orders/")
    assert page.locator("html").get_attribute("lang") == "tr"
    page.get_by_role("button", name="English").click()
    page.locator("html[lang=en]").wait_for()
    visit.assert_fine()
