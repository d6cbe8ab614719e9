"""Every page in every state: WCAG 2.2 AA by axe, small, steady, with one style sheet and nothing from elsewhere."""

import copy
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page
from pytest_django import Settings
from pytest_django.live_server_helper import LiveServer

from aftercart.orders.models import Order
from tests.browser.states import STATES, Tour
from tests.browser.visit import DESK, PHONE, Visit
from tests.fake_omnitron import FakeOmnitron

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
    pytest.mark.timeout(1200),  # a walk through all states, not one page
]
BERRY = Path(__file__).parents[2] / "docs" / "brands" / "berry"
LARGEST_PAGE = 60_000
LARGEST_SHIFT = 0.02
_RULES = {
    "runOnly": ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
    "resultTypes": ["violations"],  # else all that is right is written down, node by node, and handed over
}
_WEIGH = """() => {
    const all = [...performance.getEntriesByType("navigation"), ...performance.getEntriesByType("resource")];
    const texts = all.filter(entry => !/\\.(svg|png|jpe?g|webp)$/.test(entry.name));
    return {
        bytes: texts.reduce((sum, entry) => sum + entry.encodedBodySize, 0),
        styles: all.filter(entry => /\\.css(\\?|$)/.test(entry.name)).length,
        scripts: all.filter(entry => /\\.js(\\?|$)/.test(entry.name)).length,
    };
}"""
WALKS = [
    pytest.param({"size": PHONE}, id="phone-light"),
    pytest.param({"size": PHONE, "color_scheme": "dark", "locale": "tr-TR"}, id="phone-dark-turkish"),
    pytest.param({"size": DESK}, id="desk-light"),
    pytest.param({"size": DESK, "color_scheme": "dark", "locale": "tr-TR"}, id="desk-dark-turkish"),
]


def list_violations(page: Page) -> list[str]:
    """List what axe finds: the rule, and where."""
    found: list[dict[str, Any]] = Axe().run(page, options=_RULES).response["violations"]
    return [f"{rule['id']}: {[node['target'] for node in rule['nodes']]}" for rule in found]


def judge(visit: Visit) -> list[str]:
    """List all that is wrong with the page in sight; what its console has said is told once."""
    page = visit.page
    page.wait_for_load_state("networkidle")
    problems = [f"console: {text}" for text in visit.complaints] + [
        f"foreign: {url}" for url in visit.foreign
    ]
    visit.complaints.clear()
    if (headings := page.locator("main h1").count()) != 1:
        problems.append(f"headings: {headings}")
    if sideways := page.evaluate("document.documentElement.scrollWidth - innerWidth"):
        problems.append(f"scrolls sideways: {sideways}")
    weight = page.evaluate(_WEIGH)
    if weight["bytes"] > LARGEST_PAGE or (weight["styles"], weight["scripts"]) != (1, 1):
        problems.append(f"weight: {weight}")
    if (shifted := page.evaluate("window.shifted")) >= LARGEST_SHIFT:
        problems.append(f"shift: {shifted}")
    return problems + list_violations(page)


@pytest.mark.rotating("way")
@pytest.mark.parametrize("way", WALKS)
def test_every_state_is_accessible_small_and_steady(
    browser: Browser,
    live_server: LiveServer,
    order: Order,
    fake: FakeOmnitron,
    monkeypatch: pytest.MonkeyPatch,
    way: dict[str, Any],
) -> None:
    visit = Visit(browser, live_server, **way)
    visit.log_in("/users/orders/")
    tour = Tour(visit, order, fake, monkeypatch)
    wrong: dict[str, list[str]] = {}
    name = f"{'phone' if way['size'] is PHONE else 'desk'}-{way.get('color_scheme', 'light')}"
    for state, reach in STATES.items():
        reach(tour)
        problems = judge(visit)
        if problems:
            wrong[state] = problems
        visit.keep_screenshot(f"{state}-{name}")
    visit.context.close()
    assert wrong == {}


def test_axe_finds_what_is_wrong(visit: Visit, order: Order) -> None:
    page = visit.log_in(f"/users/orders/{order.pk}/")
    page.evaluate(
        "document.querySelector('main').insertAdjacentHTML('beforeend', '<input><img src=\"/x.svg\">')"
    )
    assert sorted(line.split(":")[0] for line in list_violations(page)) == ["image-alt", "label"]


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_a_shop_can_look_like_itself(
    browser: Browser, live_server: LiveServer, order: Order, settings: Settings, scheme: str
) -> None:
    """The example of docs/branding.md: a theme, a sign, still one style sheet, and still nothing wrong."""
    templates = copy.deepcopy(settings.TEMPLATES)
    templates[0]["DIRS"] = [BERRY / "templates"]
    settings.TEMPLATES, settings.BRAND, settings.SHOP_NAME = templates, BERRY, "Berry"
    visit = Visit(browser, live_server, DESK, color_scheme=scheme)
    page = visit.log_in(f"/users/orders/{order.pk}/")
    assert page.locator(".brand").inner_text().split() == ["❦", "Berry"]
    colour = page.locator(".actions .primary").evaluate("tag => getComputedStyle(tag).backgroundColor")
    assert colour == {"light": "rgb(157, 28, 79)", "dark": "rgb(255, 156, 192)"}[scheme]
    assert judge(visit) == []
    if scheme == "light":
        visit.keep_screenshot("brand-berry")
    visit.context.close()
