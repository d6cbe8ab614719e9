"""The pages in a real Chromium, on a phone and on a desk. Screenshots go to docs/screens/."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page
from pytest_django.live_server_helper import LiveServer

from aftercart.omnitron.connect import replace_client
from aftercart.omnitron.fake import FakeOmnitron
from aftercart.orders.models import Order
from tests.browser.scene import (
    EMAIL,
    PASSWORD,
    list_products,
    make_address,
    make_companies,
    make_customer,
    make_omnitron,
    make_order,
    make_reasons,
    sign,
)

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SCREENS = Path(__file__).parents[2] / "docs" / "screens"
PHONE, DESK = {"width": 360, "height": 740}, {"width": 1280, "height": 900}
LARGEST_SCREENSHOT = 200_000


class Visit:
    """One customer's browser window; what its console complains about is collected."""

    def __init__(self, browser: Browser, server: LiveServer, size: dict[str, int], **options: Any) -> None:
        self.context = browser.new_context(
            viewport=size,  # type: ignore[arg-type]
            base_url=server.url,
            **{"locale": "en-GB", "color_scheme": "light", "reduced_motion": "reduce", **options},
        )
        self.page: Page = self.context.new_page()
        self.complaints: list[str] = []
        self.foreign: list[str] = []
        self.page.on("console", lambda message: self._note(message.type, message.text))
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self._check_origin(request.url, server.url))

    def _note(self, kind: str, text: str) -> None:
        # Chromium reports our own 400 as an error of the page; it is an answer.
        if kind in {"error", "warning"} and "status of 400" not in text:
            self.complaints.append(text)

    def _check_origin(self, url: str, origin: str) -> None:
        if not url.startswith((origin, "data:")):
            self.foreign.append(url)

    def log_in(self, path: str) -> Page:
        self.page.goto(path)
        self.page.get_by_label("E-mail address").fill(EMAIL)
        self.page.get_by_label("Password").fill(PASSWORD)
        self.page.get_by_role("button", name="Log in").click()
        self.page.wait_for_url(lambda url: "/users/login/" not in url)
        return self.page

    def assert_fine(self) -> None:
        width = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        assert self.page.evaluate(width) == 0, "the page scrolls sideways"
        assert self.complaints == []
        assert self.foreign == []

    def keep_screenshot(self, name: str) -> None:
        SCREENS.mkdir(parents=True, exist_ok=True)
        path = SCREENS / f"{name}.png"
        self.page.screenshot(path=path, full_page=True)
        assert path.stat().st_size < LARGEST_SCREENSHOT


@pytest.fixture
def order(live_server: LiveServer) -> Order:  # noqa: ARG001 - it brings the database
    user = make_customer()
    make_address(user, primary=True)
    make_address(user, "Work", line="Büyükdere Caddesi 201, Kat 7")
    make_reasons()
    make_companies()
    # A day that stays, so that the screenshots do.
    placed = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)
    return make_order(user, list_products("400", "400", "450"), created_date=placed)


@pytest.fixture
def fake(order: Order) -> Iterator[FakeOmnitron]:
    fake = make_omnitron(order)
    with replace_client(fake):
        yield fake


@pytest.fixture
def visit(browser: Browser, live_server: LiveServer, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """Visit as `request.param` says: a size, and options of the browser's context."""
    size, options = getattr(request, "param", (PHONE, {}))
    visit = Visit(browser, live_server, size, **options)
    yield visit
    visit.context.close()


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


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("size", [PHONE, DESK], ids=["phone", "desk"])
def test_every_page_fits(
    browser: Browser, live_server: LiveServer, order: Order, size: dict[str, int], scheme: str
) -> None:
    visit = Visit(browser, live_server, size, color_scheme=scheme)
    page = visit.log_in("/users/login/")
    paths = [
        "/",
        "/users/orders/",
        "/users/orders/?search=nothing",
        f"/users/orders/{order.pk}/",
        f"/orders/{order.number}/cancel/",
        f"/orders/change-address/?order={order.pk}",
        "/users/logout/",
    ]
    for path in paths:
        page.goto(path)
        visit.assert_fine()
        assert page.locator("main h1").count() == 1
    visit.context.close()


def test_the_cancellation_is_reached_and_sent_with_the_keyboard_alone(
    visit: Visit, order: Order, fake: FakeOmnitron
) -> None:
    page = visit.log_in(sign(order))
    focused = "document.activeElement.textContent.trim()"
    page.keyboard.press("Tab")
    assert page.evaluate(focused) == "Skip to content"
    page.keyboard.press("Enter")
    press_until(page, "Cancel items")
    page.keyboard.press("Enter")
    page.wait_for_url("**/cancel/")
    press_until_named(page, "is_chosen")
    page.keyboard.press("Space")
    press_until_named(page, "reason")
    page.keyboard.press("ArrowDown")
    press_until(page, "Send")
    page.keyboard.press("Enter")
    page.wait_for_url("**/users/orders/*/")
    assert "Your cancellation has been sent" in page.get_by_role("status").inner_text()
    assert [post.call for post in fake.posts] == ["cancel_items"]
    visit.assert_fine()


def press_until(page: Page, text: str) -> None:
    for _ in range(40):
        page.keyboard.press("Tab")
        if page.evaluate("document.activeElement.textContent.trim()") == text:
            return
    raise AssertionError(f"the Tab key does not lead to {text!r}")


def press_until_named(page: Page, name: str) -> None:
    for _ in range(40):
        page.keyboard.press("Tab")
        if str(page.evaluate("document.activeElement.name || ''")).endswith(name):
            return
    raise AssertionError(f"the Tab key does not lead to {name!r}")


def test_only_what_matters_is_in_sight(visit: Visit, order: Order) -> None:
    page = visit.log_in(f"/orders/{order.number}/cancel/")
    first = page.locator(".choice").first
    reason, description = first.get_by_label("Reason"), first.get_by_label("Description")
    assert (reason.is_visible(), description.is_visible()) == (False, False)
    first.get_by_role("checkbox").check()
    assert (reason.is_visible(), description.is_visible()) == (True, False)
    reason.select_option("Other")
    assert description.is_visible()
    visit.keep_screenshot("cancel-phone")
    visit.assert_fine()


@pytest.mark.parametrize("visit", [(PHONE, {"java_script_enabled": False})], indirect=True)
def test_a_cancellation_needs_no_javascript(visit: Visit, order: Order, fake: FakeOmnitron) -> None:
    page = visit.log_in(f"/orders/{order.number}/cancel/")
    page.get_by_role("button", name="Send").click()
    assert "Please choose at least one item." in page.get_by_role("alert").inner_text()
    first = page.locator(".choice").first
    first.get_by_role("checkbox").check()
    first.get_by_label("Reason").select_option("Changed my mind")
    page.get_by_role("button", name="Send").click()
    assert "Your cancellation has been sent" in page.get_by_role("status").inner_text()
    assert len(fake.posts) == 1


def test_an_impatient_second_click_sends_nothing(visit: Visit, order: Order, fake: FakeOmnitron) -> None:
    page = visit.log_in(f"/orders/{order.number}/cancel/")
    first = page.locator(".choice").first
    first.get_by_role("checkbox").check()
    first.get_by_label("Reason").select_option("Changed my mind")
    sent: list[str] = []
    page.on("request", lambda request: sent.append(request.method) if request.method == "POST" else None)
    page.get_by_role("button", name="Send").dblclick(no_wait_after=True)
    page.wait_for_url("**/users/orders/*/")
    assert sent == ["POST"]
    assert len(fake.posts) == 1


def test_targets_are_large_enough_for_a_thumb(visit: Visit, order: Order) -> None:
    page = visit.log_in(sign(order))
    for path in (sign(order), f"/orders/{order.number}/cancel/", f"/orders/change-address/?order={order.pk}"):
        page.goto(path)
        small = page.evaluate(
            """targets => Array.from(document.querySelectorAll(targets))
            .filter(tag => tag.offsetParent && tag.getBoundingClientRect().height < 44)
            .map(tag => tag.textContent.trim())""",
            "button, a.button, select, .option, .choice-pick, .tick",
        )
        assert small == []
