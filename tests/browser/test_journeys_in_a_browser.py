"""A customer's and a guest's other journeys, each on phones and desks, with and without JavaScript, in both
languages. Fields and buttons are found by their names, which are the same in both.
"""

import re
from collections.abc import Callable
from typing import Any

import pytest
from django.utils import timezone
from playwright.sync_api import Page, Route

from aftercart.accounts.models import Address, City, Township, User
from aftercart.cancellations.models import AddressChange, SubmissionLine
from aftercart.loyalty.models import LoyaltyEntry
from aftercart.orders.models import OneTimeCode, Order
from tests.browser.fixtures import EMAIL, list_products, make_omnitron, make_order, sign
from tests.browser.steps import choose, confirm, go_on
from tests.browser.visit import Visit, every_way
from tests.emails import send_code
from tests.fake_omnitron import FakeOmnitron

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
Open = Callable[..., Visit]
Way = dict[str, Any]


def fill_address(page: Page, way: Way, line: str, **fields: str) -> None:
    """Type an address in Çankaya; without JavaScript the places of a city have to be asked for."""
    form = page.locator("#typed")
    for name, value in {"line": line, "phone_number": "0532 123 45 67", **fields}.items():
        form.locator(f"[name$={name}]").fill(value)
    form.locator("[name$=city]").select_option(label="Ankara")
    if not way["java_script_enabled"]:
        form.locator("[name=places]").click()
    form.locator("[name$=township]").select_option(label="Çankaya")


@pytest.fixture
def ankara(order: Order) -> City:  # noqa: ARG001 - after the order's own address
    istanbul = City.objects.get()
    city = City.objects.create(country=istanbul.country, name="Ankara")
    Township.objects.create(city=city, name="Çankaya")
    return city


@every_way
def test_a_customer_looks_around(open_window: Open, order: Order, way: Way) -> None:
    assert order.user is not None
    other = make_order(order.user, list_products("550"), number="ORD-2024-000777")
    LoyaltyEntry.objects.create(
        user=order.user, order=order, kind=LoyaltyEntry.Kind.EARNED, currency="TRY", amount=40
    )
    visit = open_window(**way)
    page = visit.page
    page.goto("/")
    page.locator("main a[href='/users/login/']").click()
    page.locator("#id_email").fill(EMAIL)
    page.locator("#id_password").fill("wrong")
    page.locator("#id_password").press("Enter")
    page.locator(".summary").wait_for()
    visit.log_in("/users/login/?next=/users/orders/")
    visit.assert_fine()

    page.locator("#id_search").fill("777")
    page.locator(".search button").click()
    page.wait_for_url("**search=777**")
    assert page.locator(".card .cover").get_attribute("href") == f"/users/orders/{other.pk}/"
    page.locator(".card .cover").click()
    page.wait_for_url(f"**/users/orders/{other.pk}/")
    visit.assert_fine()

    page.goto(f"/users/orders/{order.pk}/")
    page.locator("a[href$='/receipt/']").click()
    page.wait_for_url("**/receipt/")
    assert order.number in page.locator("main").inner_text()
    visit.assert_fine()
    page.locator("a[href='/account/points/']").click()
    page.wait_for_url("**/account/points/")
    assert "40" in page.locator("main").inner_text()
    visit.assert_fine()

    page.locator("header form button").click()
    page.wait_for_url("**/users/login/")
    visit.assert_fine()


def change_language(page: Page, language: str) -> None:
    page.locator(f"[name=language][value={language}]").click()
    page.locator(f"html[lang={language}]").wait_for(state="attached")
    page.wait_for_load_state()


@every_way
def test_the_language_is_changed_in_the_middle_of_a_cancellation_and_nothing_is_lost(
    open_window: Open, order: Order, fake: FakeOmnitron, way: Way
) -> None:
    before, after = ("en", "tr") if way["locale"] == "en-GB" else ("tr", "en")
    visit = open_window(**way)
    page = visit.log_in("/users/orders/")
    choose(page, order, 0)
    change_language(page, after)
    assert page.locator(".summary").count() == 0
    go_on(page)
    for language in (before, after):
        change_language(page, language)
        page.locator("[name=return_policy]").wait_for()
    confirm(page)
    assert page.locator("html").get_attribute("lang") == after
    assert User.objects.get(email=EMAIL).language == after
    assert [post.call for post in fake.posts] == ["cancel_items"]
    visit.assert_fine()


@every_way
def test_an_order_goes_to_an_address_that_is_added_on_the_way(
    open_window: Open, order: Order, fake: FakeOmnitron, ankara: City, way: Way
) -> None:
    visit = open_window(**way)
    page = visit.log_in(sign(order))
    page.locator("a[href^='/orders/change-address/']").click()
    page.locator("#typed .primary").click()  # with no address chosen
    page.locator(".summary").wait_for()
    page.reload()
    page.locator("main a[href^='/address/?next=']").first.click()
    page.wait_for_url("**/address/?next=**")
    fill_address(page, way, "Atatürk Bulvarı 1", title="Office")
    page.locator("#typed [name=line]").press("Enter")  # which sends it, and asks for no places
    # Not only as the `next` in the address of the form itself.
    page.wait_for_url(re.compile(r"^[^?]*/orders/change-address/\?"))
    added = Address.objects.get(title="Office")
    assert (added.city, added.township.name, added.first_name) == (ankara, "Çankaya", "Ayşe")
    visit.assert_fine()

    assert page.locator("[name=address]:checked").get_attribute("value") == str(added.pk)
    page.locator("#typed .primary").click()
    page.wait_for_url(f"**/users/orders/{order.pk}/")
    assert page.locator(".notice[role=status]").count() == 1
    assert "Atatürk Bulvarı 1" in page.locator("main").inner_text()
    assert [post.call for post in fake.posts] == ["change_address"]
    visit.assert_fine()


@pytest.mark.usefixtures("ankara")
@pytest.mark.parametrize("status", [503, 200])
def test_places_come_by_the_button_where_the_script_gets_another_answer(
    open_window: Open, status: int
) -> None:
    visit = open_window()
    page = visit.log_in("/address/")

    def answer(route: Route) -> None:
        if route.request.resource_type == "fetch":
            route.fulfill(status=status, body="<p>Not this form</p>", content_type="text/html")
        else:
            route.continue_()

    page.route("**/address/**", answer)
    for name, label in {"city": "Ankara", "township": "Çankaya"}.items():
        with page.expect_navigation():
            page.locator(f"#typed [name$={name}]").select_option(label=label)
    visit.assert_fine()


def test_what_was_chosen_stays_chosen_when_the_places_inside_it_arrive(
    open_window: Open, ankara: City
) -> None:
    page = open_window().log_in("/address/")
    page.locator("#typed [name$=city]").select_option(label="Ankara")
    page.locator("#typed [name$=township]").select_option(label="Çankaya")
    page.locator(f"#typed [name$=city] option[value='{ankara.pk}'][selected]").wait_for(state="attached")
    chosen = [page.locator(f"#typed [name$={name}] :checked").text_content() for name in ("city", "township")]
    assert chosen == ["Ankara", "Çankaya"]


@every_way
def test_an_address_is_edited_in_place_preferred_and_removed(
    open_window: Open, ankara: City, way: Way
) -> None:
    work = Address.objects.get(title="Work")
    visit = open_window(**way)
    page = visit.log_in("/address/")
    page.locator(f"a[href^='/address/?edit={work.pk}']").click()
    fill_address(page, way, "Atatürk Bulvarı 2")
    page.locator("#typed .primary").click()
    page.locator(".notice[role=status]").wait_for()
    work.refresh_from_db()
    assert (work.line, work.city) == ("Atatürk Bulvarı 2", ankara)
    visit.assert_fine()

    page.locator(f"#address-{work.pk} [name=prefer]").click()
    page.locator(f"#address-{work.pk} .badge").wait_for()
    home = Address.objects.exclude(pk=work.pk).get()
    ask, question = f"a[href^='/address/?remove={home.pk}']", page.locator(f"#address-{home.pk} .notice")
    page.locator(ask).click()
    question.wait_for()
    visit.assert_fine()
    question.locator("a").click()  # keep it
    question.wait_for(state="detached")
    assert Address.objects.count() == 2
    page.locator(ask).click()
    question.locator("[name=remove]").click()
    page.locator(f"#address-{home.pk}").wait_for(state="detached")
    assert Address.objects.get().primary
    visit.assert_fine()


@every_way
def test_a_guest_finds_the_order_moves_it_and_returns_an_item(
    open_window: Open, order: Order, fake: FakeOmnitron, ankara: City, way: Way
) -> None:
    Order.objects.update(user=None, user_email="guest@example.com")
    visit = open_window(**way)
    page = visit.page
    page.goto("/")
    page.locator("main a[href='/orders/guest/']").click()
    page.locator("#id_number").fill(order.number)
    page.locator("#id_email").fill("guest@example.com")
    page.locator("#id_email").press("Enter")
    page.locator("#id_code").wait_for()
    page.locator("#id_code").fill(send_code(OneTimeCode.objects.get().pk))
    page.locator("#id_code").press("Enter")
    page.wait_for_url(f"**/users/orders/{order.pk}/")
    visit.assert_fine()

    page.locator("a[href^='/orders/change-address/']").click()
    fill_address(page, way, "Atatürk Bulvarı 3")
    page.locator("#typed .primary").click()
    page.wait_for_url(f"**/users/orders/{order.pk}/")
    change = AddressChange.objects.get()
    assert (change.state, change.address["city"]["pk"]) == ("confirmed", ankara.pk)
    visit.assert_fine()

    order.items.update(status="550", delivered_at=timezone.now())
    Order.objects.update(status="550")
    fake.backoffice = make_omnitron(order).backoffice
    choose(page, order, 0)
    fill_address(page, way, "Atatürk Bulvarı 4")
    page.locator("[name=shipping_company]").first.check()
    go_on(page)
    assert page.locator("[value=loyalty]").count() == 0  # a guest has no ledger
    confirm(page)
    assert page.locator(".outcome").count() == 1
    line = SubmissionLine.objects.get()
    assert line.pickup_address is not None
    assert line.pickup_address["line"] == "Atatürk Bulvarı 4"
    assert page.locator("a[href='/users/orders/']").count() == 0
    assert re.search(r"/cancel/[0-9a-f-]{36}/$", page.url)
    visit.assert_fine()
