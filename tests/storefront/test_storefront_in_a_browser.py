"""A shop on the public client, `@akinon/next` as published, in Chromium, through the nginx sample of docs/routing.

The package's middlewares, proxy, log-in and log-out run in a real Next.js application (`shop/`, with pages of our own);
what reaches Aftercart is read from the router. In a deep run only: the first one builds the application, which takes a
processor for a minute and a half.
"""

import re
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, Route, expect

from tests.chromium import running_chromium
from tests.processes import wait_until
from tests.routers import Call
from tests.storefront.storefront import Storefront, running_storefront

pytestmark = [
    pytest.mark.deep,
    pytest.mark.skipif(
        not all(map(shutil.which, ("node", "npm", "nginx"))),
        reason="NOT RUN: the storefront in a browser needs node, npm and nginx",
    ),
    pytest.mark.timeout(1800),
]
expect.set_options(timeout=60_000)
#: What a page of the account area asks Aftercart for, beside the middlewares' look for a redirect.
PAGES = {
    "account/orders": ["/users/orders/?page=1&limit=50"],
    "users/orders/{id}": ["/users/orders/{id}/"],
    "users/orders/{id}/cancellation": ["/users/orders/cancellation_reasons/", "/users/orders/{id}/"],
    "orders/completed/{signed_number}": ["/orders/completed/{signed_number}/?format=json"],
}
OWN_PAGES = {
    "account/points": ["/account/loyalty-account-balance/", "/account/loyalty/"],
    "account/profile": ["/users/profile/"],
    "account/address": ["/address/country/", "/address/detailed/"],
    "account/coupons": [
        "/account/basket-offers/", "/account/discount-items/", "/account/expired-basket-offers/",
        "/account/future-basket-offers/", "/users/contact-us-subjects/",
    ],
}  # fmt: skip


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with running_chromium() as chromium:
        yield chromium


@pytest.fixture(scope="module", params=["own", "commerce"])
def shop(request: pytest.FixtureRequest, browser: Browser) -> Iterator[Storefront]:
    with (
        tempfile.TemporaryDirectory(prefix="aftercart-storefront-") as folder,
        running_storefront(Path(folder), request.param, browser) as running,
    ):
        yield running


@pytest.fixture
def page(shop: Storefront) -> Iterator[Page]:
    """A window; whatever is done in it, no call may be answered wrongly."""
    before = len(shop.read_calls())
    page = shop.open()
    yield page
    page.context.close()
    shop.clear_faults()
    assert [call for call in shop.read_calls(before) if is_wrong(call)] == []


def is_wrong(call: Call) -> bool:
    """Return whether no storefront should get such an answer from Aftercart: a 404, a 5xx, a redirect."""
    if call.to != "aftercart" or call.path == "/users/logout":
        return False
    if is_look(call):
        return call.status != 404
    return call.status in {301, 302, 303, 307, 308, 404} or call.status >= 500


def is_look(call: Call) -> bool:
    """Return whether the middlewares look for a redirect: they ask for a page's address as it stands."""
    return not call.path.partition("?")[0].endswith("/")


def log_in(shop: Storefront, page: Page, customer: int = 0, password: str | None = None) -> None:
    person = shop.demo["customers"][customer]
    page.goto("/users/auth")
    page.fill("[name=email]", person["email"])
    page.fill("[name=password]", password or person["password"])
    page.click("text=Enter")


def enter(shop: Storefront, page: Page, customer: int = 0) -> None:
    log_in(shop, page, customer)
    expect(page.locator(".order")).not_to_have_count(0)


def get_statuses(shop: Storefront, since: int, method: str, path: str) -> list[int]:
    return [call.status for call in shop.read_calls(since) if (call.method, call.path) == (method, path)]


def cancel(page: Page, order: dict[str, Any], item: int = 0, button: str = "direct") -> None:
    page.goto(f"/users/orders/{order['id']}/cancellation")
    page.check(f"[name=item-{order['items'][item]['id']}]")
    page.click(f"button[value={button}]")
    expect(page.locator("main [role=status]")).to_have_text("Done.")


def see_item(page: Page, order: dict[str, Any], item: int = 0) -> str:
    page.goto(f"/users/orders/{order['id']}")
    return page.locator(".item").nth(item).inner_text()


def test_a_visitor_is_asked_to_log_in_and_comes_back(shop: Storefront, page: Page) -> None:
    page.goto("/account/orders")
    page.wait_for_selector("[name=email]")

    assert (
        get_statuses(shop, 0, "GET", "/users/orders/?page=1&limit=50")[:4] == [401] * 4
    )  # its own three retries
    assert page.url == f"{shop.url}/users/auth?callbackUrl=/account/orders"
    log_in(shop, page, password="wrong")
    expect(page.locator("main [role=alert]")).to_contain_text("Unable to log in with provided credentials.")
    enter(shop, page)
    assert page.url == f"{shop.url}/account/orders"
    names = {cookie["name"] for cookie in page.context.cookies()}
    assert {"sessionid", "osessionid", "csrftoken"} <= names


def test_every_page_comes_up_with_one_call_for_each_thing(shop: Storefront, page: Page) -> None:
    enter(shop, page)
    order = shop.get_order(0, "several_items")

    for address, paths in (PAGES | (OWN_PAGES if shop.identity == "own" else {})).items():
        expected = sorted((path.format(**order), 200) for path in paths)
        assert (address, list_calls_of(shop, page, address.format(**order), len(paths))) == (
            address,
            expected,
        )


def list_calls_of(shop: Storefront, page: Page, address: str, count: int) -> list[tuple[str, int]]:
    """Visit a page, and list what Aftercart was asked for: `count` calls, or more if they come at once."""
    before = len(shop.read_calls())
    page.goto(f"/{address}")
    wait_until(lambda: len(list_answered(shop, before)) >= count)
    page.wait_for_load_state("networkidle")
    expect(page.locator("main [role=alert]")).to_have_count(0)
    return list_answered(shop, before)


def list_answered(shop: Storefront, since: int) -> list[tuple[str, int]]:
    """List what Aftercart was asked for, without the middlewares' looks for redirects."""
    calls = [call for call in shop.read_calls(since) if call.to == "aftercart" and not is_look(call)]
    return sorted((call.path, call.status) for call in calls)


def test_labels_are_in_the_language_of_the_storefront(shop: Storefront, page: Page) -> None:
    enter(shop, page)
    page.goto("/tr/account/orders")

    expect(page.locator(".order").first).to_contain_text("Onaylandı")


def test_an_item_is_cancelled_directly(shop: Storefront, page: Page) -> None:
    enter(shop, page)
    order, before = shop.get_order(0, "several_items"), len(shop.read_calls())

    cancel(page, order)

    assert get_statuses(shop, before, "POST", f"/orders/{order['number']}/cancel/") == [204]
    assert shop.list_sent(order["number"]) == [True]
    assert "Cancellation waiting" in see_item(page, order)


def test_a_return_gets_its_code(shop: Storefront, page: Page) -> None:
    enter(shop, page)
    order, before = shop.get_order(0, "delivered"), len(shop.read_calls())

    cancel(page, order)

    assert get_statuses(shop, before, "POST", f"/orders/{order['number']}/cancel/") == [204]

    def see_code() -> bool:
        """Load the page anew: it has the code from when the worker has read the order."""
        see_item(page, order)
        return page.locator(".code").count() == 1

    wait_until(see_code)
    expect(page.locator(".code")).to_have_text(re.compile(r"ER\d+"))


def test_requests_are_recorded(shop: Storefront, page: Page) -> None:
    enter(shop, page)
    order, before = shop.get_order(0, "several_items"), len(shop.read_calls())

    cancel(page, order, item=2, button="request")

    assert get_statuses(shop, before, "POST", "/users/orders/bulk_cancellation_requests/") == [201]
    see_item(page, order, item=2)
    expect(page.locator(".item").nth(2).locator("em")).to_have_count(
        1
    )  # the request, while the item is as before


def test_omnitron_may_be_slow(shop: Storefront, page: Page) -> None:
    enter(shop, page, 1)
    order, before = shop.get_order(1, "several_items"), len(shop.read_calls())
    shop.set_fault("latency", call="order_cancel", seconds=3)

    cancel(page, order)

    assert get_statuses(shop, before, "POST", f"/orders/{order['number']}/cancel/") == [204]
    assert shop.list_sent(order["number"]) == [True]


def test_omnitron_may_be_down(shop: Storefront, page: Page) -> None:
    enter(shop, page, 1)
    order, before = shop.get_order(1, "cancellable"), len(shop.read_calls())
    shop.set_fault("drop_before", times=-1)

    cancel(page, order)

    assert get_statuses(shop, before, "POST", f"/orders/{order['number']}/cancel/") == [200]
    see_item(page, order)
    expect(page.locator(".item").first.locator("em")).to_have_count(1)


def test_an_answer_lost_by_omnitron_is_found_out(shop: Storefront, page: Page) -> None:
    enter(shop, page, 2)
    order, before = shop.get_order(2, "several_items"), len(shop.read_calls())
    shop.set_fault("drop_after", call="order_cancel")

    cancel(page, order)

    assert get_statuses(shop, before, "POST", f"/orders/{order['number']}/cancel/") == [200]
    wait_until(lambda: "Confirmed" in see_item(page, order))
    assert shop.list_sent(order["number"]) == [True]


def test_an_answer_lost_on_its_way_to_the_browser_is_given_again(shop: Storefront, page: Page) -> None:
    enter(shop, page, 2)
    order, before, left = shop.get_order(2, "cancellable"), len(shop.read_calls()), [1, 2]

    def lose(route: Route) -> None:
        if left:
            left.pop()
            route.fetch()
            route.abort()
        else:
            route.continue_()

    page.route("**/api/client/orders/**", lose)

    cancel(page, order)

    assert get_statuses(shop, before, "POST", f"/orders/{order['number']}/cancel/") == [204] * 3
    assert shop.list_sent(order["number"]) == [True]


def test_a_guest_finds_the_order_after_a_typing_error(shop: Storefront, page: Page) -> None:
    guest, before = shop.demo["guest"], len(shop.read_calls())
    page.goto("/anonymous-tracking")
    page.fill("[name=number]", guest["number"])
    page.fill("[name=email]", "gest@example.com")
    page.click("text=Find")
    expect(page.locator("main [role=alert]")).to_contain_text("There is no order with this number")
    page.fill("[name=email]", guest["email"])
    page.click("text=Find")

    expect(page.locator(".order")).to_contain_text(guest["number"])
    assert get_statuses(shop, before, "POST", "/users/orders/anonymous/") == [400] * 4 + [200]


def test_addresses_are_kept(shop: Storefront, page: Page) -> None:
    enter(shop, page)
    page.goto("/account/address")
    rows = page.locator(".address")
    expect(rows).to_have_count(3)
    if shop.identity == "commerce":
        return  # the shop's own, which Aftercart only reads
    for name, value in (
        ("title", "Yazlık"), ("first_name", "Ayşe"), ("last_name", "Yılmaz"), ("phone_number", "05321234567"),
        ("line", "Liman Sokak 1"), ("postcode", "48400"),
    ):  # fmt: skip
        page.fill(f"[name={name}]", value)
    page.select_option("[name=country]", label="Türkiye")
    for name in ("city", "township", "district"):
        expect(page.locator(f"[name={name}] option")).not_to_have_count(1)
        page.select_option(f"[name={name}]", index=1)

    page.get_by_role("button", name="Add", exact=True).click()
    expect(rows).to_have_count(4)
    added = rows.filter(has_text="Yazlık")
    added.get_by_text("Edit").click()
    expect(added).to_contain_text("Liman Sokak 1, Flat 2")
    added.get_by_text("Make first").click()
    expect(added).to_contain_text("(first)")
    added.get_by_text("Remove").click()
    expect(rows).to_have_count(3)


def test_a_log_out_ends_the_session(shop: Storefront, page: Page) -> None:
    enter(shop, page)
    key = next(cookie["value"] for cookie in page.context.cookies() if cookie["name"] == "osessionid")
    assert shop.ask_orders(key) == 200

    # The client's route reads this header, which a proxy before the storefront sets: docs/storefront.md.
    page.route(
        "**/api/logout", lambda route: route.continue_(headers={**route.request.headers, "osessionid": key})
    )
    page.click("text=Log out")
    page.wait_for_selector("[name=email]")

    assert not {"sessionid", "osessionid"} & {cookie["name"] for cookie in page.context.cookies()}
    wait_until(lambda: shop.ask_orders(key) == 401)
