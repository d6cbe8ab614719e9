"""An order of sixty items with long names, in a dozen currencies, read at 400 %: nothing is cut off or out of reach."""

from collections.abc import Callable

import pytest

from aftercart.orders.models import Order
from tests.browser.fixtures import Product, make_omnitron, make_order
from tests.browser.test_quality_in_a_browser import list_violations
from tests.browser.visit import Visit
from tests.fake_omnitron import FakeOmnitron

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

#: What a window of 1280 by 1024 shows at 400 %, as WCAG 2.2 (1.4.10) has it.
ZOOMED = {"width": 320, "height": 256}
CURRENCIES = ("TRY", "EUR", "USD", "GBP", "CHF", "SEK", "PLN", "HUF", "JPY", "KWD", "AED", "IDR")
#: Eighty letters: words, one word without a place to break it, and some that are written from right to left.
NAMES = (
    "Hand-woven linen shirt with a round neck, long sleeves and mother-of-pearl butto",
    "Donaudampfschifffahrtselektrizitätenhauptbetriebswerkbauunterbeamtengesellschaft",
    "قميص كتان منسوج يدويا بياقة مستديرة وأكمام طويلة وأزرار من الصدف الطبيعي اللامعة",
)
#: What stands out of the window or out of its own box, where text is cut off or lies on other text; of a bar, that it
#: covers half of the window, and how far down the button in it is.
_FIND_CUT = """() => [...document.querySelectorAll("main *")].filter((tag) => {
  if (!tag.checkVisibility() || tag.closest("svg, .unseen, .bar") || tag.querySelector(".bar")) return false;
  const box = tag.getBoundingClientRect();
  return box.left < 0 || box.right > innerWidth || (tag.clientWidth && tag.scrollWidth > tag.clientWidth);
}).map((tag) => `${tag.tagName}.${tag.className}: ${tag.textContent.trim().slice(0, 60)}`)"""
_MEASURE = """tag => [tag.offsetHeight / innerHeight, tag.scrollWidth - tag.clientWidth,
  getComputedStyle(tag).position, tag.getBoundingClientRect().bottom + scrollY]"""
#: How far down a page its button may be, in pixels: a dozen windows, where the names alone take eight.
_LOWEST = 3_500


@pytest.fixture
def large(order: Order, request: pytest.FixtureRequest) -> Order:
    """The same customer's order of sixty items, each worth a fortune."""
    assert order.user is not None
    products = [
        Product(NAMES[place % len(NAMES)], "shirt", 3, "1234567.89", "400", "Sage", "M")
        for place in range(60)
    ]
    return make_order(order.user, products, number="ORD-2024-000060", currency=request.param)


@pytest.mark.rotating("large")
@pytest.mark.parametrize("large", CURRENCIES, indirect=True)
def test_a_large_order_is_read_and_cancelled_at_400_percent(
    open_window: Callable[..., Visit], large: Order, fake: FakeOmnitron
) -> None:
    fake.backoffice = make_omnitron(large).backoffice
    visit = open_window(size=ZOOMED, locale="tr-TR")
    page = visit.log_in("/users/orders/")
    wrong: dict[str, list[str]] = {}

    def judge(name: str) -> None:
        visit.assert_fine()
        if found := page.evaluate(_FIND_CUT) + list_violations(page):
            wrong[name] = found
        for bar in page.locator(".bar").all():
            share, cut, position, bottom = bar.evaluate(_MEASURE)
            assert (position == "static" or share < 0.5, cut, bottom < _LOWEST) == (True, 0, True), name

    judge("orders")
    for name, path in {
        "order": f"/users/orders/{large.pk}/",
        "receipt": f"/users/orders/{large.pk}/receipt/",
        "withdraw": f"/orders/{large.number}/withdraw/",
        "choose": f"/orders/{large.number}/cancel/",
    }.items():
        page.goto(path)
        judge(name)
    page.locator("[name=whole]").check()
    page.locator("select[name^=reason]").first.select_option(index=1)
    page.locator("button[value=quote]").click()
    page.locator("[name=return_policy]").wait_for()
    judge("refund")
    page.locator("summary").last.click()
    assert page.locator(".item:visible").count() == 60
    assert page.evaluate(_FIND_CUT) == []
    assert wrong == {}
