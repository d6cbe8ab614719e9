"""The withdrawal function in a real Chromium: both languages, phone and desk, with and without JavaScript."""

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

from aftercart.cancellations.models.public_statements import PublicStatement
from aftercart.cancellations.models.withdrawals import Withdrawal
from aftercart.lib.links import sign_number
from aftercart.mail.models import Email
from aftercart.oms.connect import replace_client
from aftercart.orders.models import OneTimeCode, Order
from tests.browser.fixtures import (
    EMAIL,
    list_products,
    make_address,
    make_customer,
    make_omnitron,
    make_order,
)
from tests.browser.steps import confirm_withdrawal, withdraw
from tests.browser.visit import DESK, PHONE, Visit, every_way
from tests.emails import send_code
from tests.fake_omnitron import FakeOmnitron

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]


@pytest.fixture
def order() -> Order:
    user = make_customer()
    make_address(user)
    return make_order(user, list_products("400"))


@pytest.fixture(autouse=True)
def fake(order: Order) -> Iterator[FakeOmnitron]:
    made = make_omnitron(order)
    with replace_client(made):
        yield made


@every_way
def test_a_customer_withdraws_in_two_steps(
    open_window: Callable[..., Visit], order: Order, way: dict[str, Any]
) -> None:
    visit = open_window(**way)
    page = visit.log_in(f"/users/orders/{order.pk}/")

    withdraw(page)

    headline = {"en-GB": "We have received your withdrawal", "tr-TR": "Cayma beyanınızı aldık"}
    assert page.get_by_role("heading", level=1).inner_text() == headline[way["locale"]]
    email = Email.objects.get(kind="withdrawal_receipt")
    assert (Withdrawal.objects.get().language, email.language) == (way["locale"][:2],) * 2
    assert page.locator("[data-print]:visible").count() == way["java_script_enabled"]
    visit.assert_fine()


@every_way
@pytest.mark.parametrize("is_guest", [False, True], ids=["customer", "guest"])
def test_who_states_it_without_a_log_in_proves_the_order_and_that_time_counts(
    open_window: Callable[..., Visit], order: Order, way: dict[str, Any], *, is_guest: bool
) -> None:
    if is_guest:
        Order.objects.filter(pk=order.pk).update(user=None)
    visit = open_window(**way)
    page = visit.page
    page.goto("/")
    page.locator("footer a[href='/withdraw/']").click()
    page.locator("#typed .primary").click()  # with nothing typed
    page.locator(".summary").wait_for()
    for name, value in {"name": "Ayşe Yılmaz", "number": order.number, "email": EMAIL}.items():
        page.locator(f"#id_{name}").fill(value)
    visit.assert_fine()
    page.locator("#typed .primary").click()
    page.wait_for_url("**/withdraw/*-*/")
    stated = PublicStatement.objects.get()
    assert f"{stated.submitted_at:%Y-%m-%d %H:%M:%S} UTC" in page.locator("main").inner_text()
    assert Email.objects.get().language == way["locale"][:2]
    visit.assert_fine()

    if is_guest:
        page.locator("main form button").click()
    else:
        page.locator("main a[href^='/users/login/?next=']").click()
        page.locator("#id_email").fill(EMAIL)
        page.locator("[formaction]").click()
    page.locator("#id_code").fill(send_code(OneTimeCode.objects.get().pk))
    visit.assert_fine()
    page.locator("#id_code").press("Enter")
    page.locator("[name=statement]").wait_for(state="attached")
    visit.assert_fine()
    confirm_withdrawal(page)

    assert page.url.split("/")[4] == order.number
    withdrawal = Withdrawal.objects.get()
    assert (withdrawal.submitted_at, withdrawal.language) == (stated.submitted_at, way["locale"][:2])
    assert (withdrawal.user is None) == is_guest
    assert f"{stated.submitted_at:%Y-%m-%d %H:%M:%S} UTC" in page.locator("main").inner_text()
    visit.assert_fine()


def test_every_step_fits_on_a_phone(browser: Browser, live_server: LiveServer, order: Order) -> None:
    visit = Visit(browser, live_server, PHONE)
    page = visit.log_in(f"/orders/{order.number}/withdraw/")
    visit.assert_fine()
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Confirm withdrawal").wait_for()
    visit.assert_fine()
    page.get_by_role("button", name="Change something").click()
    page.get_by_role("button", name="Continue").wait_for()
    visit.assert_fine()
    page.get_by_label("Your name").fill("")
    page.get_by_role("button", name="Continue").click()
    assert page.get_by_role("alert").inner_text().startswith("Please check this:")
    visit.assert_fine()
    assert Withdrawal.objects.count() == 0
    visit.context.close()


def test_two_tabs_end_at_the_same_receipt(browser: Browser, live_server: LiveServer, order: Order) -> None:
    visit = Visit(browser, live_server, DESK)
    first = visit.log_in(f"/orders/{order.number}/withdraw/")
    second = visit.context.new_page()
    second.goto(f"/orders/{order.number}/withdraw/")
    for tab in (first, second):
        tab.get_by_role("button", name="Continue").click()
    for tab in (first, second):
        tab.get_by_role("button", name="Confirm withdrawal").click()
        tab.wait_for_url("**/withdraw/*-*/")

    assert first.url == second.url
    assert Withdrawal.objects.count() == 1
    visit.context.close()


def test_a_guest_withdraws_behind_the_link_with_a_code(
    browser: Browser, live_server: LiveServer, order: Order
) -> None:
    Order.objects.filter(pk=order.pk).update(user=None, user_email="guest@example.com")
    visit = Visit(browser, live_server, PHONE)
    page = visit.page
    page.goto(f"/orders/guest/{sign_number(order.number, purpose='guest-view', link_version=1)}/")
    page.get_by_role("link", name="Withdraw from contract here").click()
    page.get_by_role("button", name="Send me a code").click()
    page.locator("#id_code").wait_for()
    page.locator("#id_code").fill(send_code(OneTimeCode.objects.get().pk))
    page.locator("#id_code").press("Enter")
    page.get_by_text("The receipt goes to guest@example.com").wait_for()
    page.get_by_role("button", name="Continue").click()
    page.get_by_role("button", name="Confirm withdrawal").click()
    page.wait_for_url("**/withdraw/*-*/")

    visit.assert_fine()
    assert Withdrawal.objects.get().user is None
    visit.context.close()
