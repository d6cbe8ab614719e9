"""The address book and a guest's way to their order, in a real Chromium, with and without JavaScript."""

from typing import Any

import pytest
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

from aftercart.accounts.models import Address, City, Township
from aftercart.omnitron.connect import replace_client
from aftercart.orders.models import GuestCode, Order
from tests.browser.scene import (
    list_products,
    make_address,
    make_customer,
    make_omnitron,
    make_order,
    make_reasons,
)
from tests.browser.visit import DESK, PHONE, Visit
from tests.letters import send_code

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
SIZES = pytest.mark.parametrize(
    ("size", "name", "options"),
    [
        pytest.param(PHONE, "phone", {}, id="phone"),
        pytest.param(DESK, "desk", {"java_script_enabled": False}, id="desk without JavaScript"),
    ],
)


@SIZES
def test_an_address_is_added_and_edited_in_place(
    browser: Browser, live_server: LiveServer, size: dict[str, int], name: str, options: dict[str, Any]
) -> None:
    user = make_customer()
    entry = make_address(user, primary=True)
    city = City.objects.create(country=entry.country, name="Ankara")
    Township.objects.create(city=city, name="Çankaya")
    visit = Visit(browser, live_server, size, **options)
    page = visit.log_in("/address/")
    if options.get("java_script_enabled", True):
        visit.keep_screenshot(f"addresses-{name}")
        visit.assert_fine()

    form = page.locator("form", has=page.get_by_role("button", name="Add", exact=True))
    form.get_by_label("Name of this address").fill("Work")
    form.get_by_label("Phone number").fill("0532 123 45 67")
    form.get_by_label("Street, house, flat").fill("Atatürk Bulvarı 1")
    form.get_by_label("City").select_option("Ankara")
    if not options.get("java_script_enabled", True):
        form.get_by_role("button", name="Show the places of this choice").click()
    form.get_by_label("Township").select_option("Çankaya")
    form.get_by_role("button", name="Add", exact=True).click()
    page.get_by_text("The address has been added.").wait_for()
    added = Address.objects.get(title="Work")
    assert (added.township.name, added.first_name) == ("Çankaya", "Ayşe")

    page.get_by_role("link", name="Edit Work").click()
    page.get_by_label("Street, house, flat").fill("Atatürk Bulvarı 2")
    page.get_by_role("button", name="Save").click()
    page.get_by_text("The address has been changed.").wait_for()
    assert Address.objects.get(title="Work").line == "Atatürk Bulvarı 2"


@SIZES
def test_a_guest_finds_the_order_and_cancels_with_a_code(
    browser: Browser, live_server: LiveServer, size: dict[str, int], name: str, options: dict[str, Any]
) -> None:
    user = make_customer()
    make_address(user)
    order = make_order(user, list_products("400", "400"))
    Order.objects.filter(pk=order.pk).update(user=None, user_email="guest@example.com")
    make_reasons()
    visit = Visit(browser, live_server, size, **options)
    page = visit.page
    page.goto("/")
    page.get_by_role("link", name="Ordered without an account?").click()
    page.get_by_label("Order number").fill(order.number)
    page.get_by_label("E-mail address").fill("guest@example.com")
    page.get_by_role("button", name="Send me a code").click()
    page.get_by_text("If there is such an order").wait_for()
    if name == "phone":
        visit.keep_screenshot("guest-code-phone")
        visit.assert_fine()
    code = send_code(GuestCode.objects.get().pk)

    page.get_by_label("Code", exact=True).fill(code)
    page.get_by_role("button", name="Go on").click()
    page.get_by_role("link", name="Cancel items").click()
    page.locator(".choice-pick").first.click()
    page.get_by_label("Reason").first.select_option("Changed my mind")
    page.get_by_role("button", name="Continue").click()
    assert page.get_by_label("As loyalty points").count() == 0  # a guest has no ledger
    page.get_by_label("I have read the terms").check()
    with replace_client(make_omnitron(order)):
        page.get_by_role("button", name="Cancel these items").click()
        page.wait_for_url("**/cancel/*-*/")
    page.get_by_role("heading", level=1, name="Your cancellation").wait_for()
    assert page.get_by_role("link", name="My orders").count() == 0

    assert [item.status for item in order.items.order_by("pk")] == ["50", "400"]
    if options.get("java_script_enabled", True):
        visit.assert_fine()
