"""The pickup of a return, moved and cancelled, with and without JavaScript, in both languages and sizes."""

from datetime import timedelta
from typing import Any

import pytest
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

from aftercart.cancellations.models import SubmissionLine
from aftercart.lib.clock import get_shop_now
from aftercart.orders.models import Order
from tests.browser.states import STATES, Tour
from tests.browser.visit import Visit, every_way
from tests.fake_omnitron import FakeOmnitron

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]


@every_way
def test_a_pickup_is_chosen_and_cancelled(
    browser: Browser,
    live_server: LiveServer,
    order: Order,
    fake: FakeOmnitron,
    monkeypatch: pytest.MonkeyPatch,
    way: dict[str, Any],
) -> None:
    visit = Visit(browser, live_server, **way)
    visit.log_in("/users/orders/")
    STATES["returned"](Tour(visit, order, fake, monkeypatch))
    page, day = visit.page, (get_shop_now() + timedelta(days=3)).date().isoformat()
    link = page.locator("a[href$='/pickup/']")

    link.click()
    page.locator("[name=pickup_date]").fill(day)
    page.locator("[name=pickup_slot]").select_option("09:00-12:00")
    page.locator("button[value=change]").click()
    page.locator("a[href$='.ics']").wait_for()
    visit.assert_fine()
    hours = {"start": "09:00", "end": "12:00"}
    assert SubmissionLine.objects.get().pickup_date == {"date": day, "hour_range": hours}
    assert "09:00–12:00" in page.locator(".pass").inner_text()

    link.click()
    page.locator("button[value=cancel]").click()
    page.locator("a[href$='.ics']").wait_for(state="detached")
    visit.assert_fine()
    line = SubmissionLine.objects.get()
    assert (line.pickup_date, line.is_pickup_cancelled) == (None, True)
    assert "09:00–12:00" not in page.locator(".pass").inner_text()
    visit.context.close()
