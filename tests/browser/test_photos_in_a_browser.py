"""Photos of a damaged item, from a phone: chosen, sent, looked at, with and without JavaScript, in both languages."""

from typing import Any

import pytest
from playwright.sync_api import Browser, FilePayload
from pytest_django.live_server_helper import LiveServer

from aftercart.cancellations.models import ReturnPhoto
from aftercart.orders.models import Order
from tests.browser.states import STATES, Tour
from tests.browser.steps import add_photos
from tests.browser.visit import Visit, every_way
from tests.fake_omnitron import FakeOmnitron
from tests.photos import make_phone_photo, make_photo
from tests.processes import wait_until

pytestmark = [
    pytest.mark.browser,
    pytest.mark.django_db(transaction=True),
]


@every_way
def test_photos_of_a_damaged_item_are_added_to_its_return(
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
    page = visit.page

    add_photos(page, make_phone_photo(), make_photo((3000, 2000)))
    assert page.url.endswith("#photos")
    pictures = page.locator("#photos img")
    assert pictures.count() == 2
    pictures.last.scroll_into_view_if_needed()
    wait_until(lambda: bool(pictures.last.evaluate("image => image.naturalWidth")))
    assert sorted(ReturnPhoto.objects.values_list("width", "height")) == [(60, 80), (1600, 1067)]

    add_photos(page, b"no photo", make_phone_photo(), make_photo(shade=9))
    assert "photo-0.jpg" in page.locator(".notice.error").inner_text()
    assert pictures.count() == 3
    visit.assert_fine()
    visit.context.close()


def test_a_large_photo_is_made_small_before_it_is_sent(
    browser: Browser,
    live_server: LiveServer,
    order: Order,
    fake: FakeOmnitron,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    visit = Visit(browser, live_server)
    visit.log_in("/users/orders/")
    STATES["returned"](Tour(visit, order, fake, monkeypatch))
    field = visit.page.locator("#photos [type=file]")
    field.set_input_files(
        [
            FilePayload(name="large.png", mimeType="image/png", buffer=make_photo((3000, 2000), "PNG")),
            FilePayload(name="none.txt", mimeType="text/plain", buffer=b"no photo"),
        ]
    )
    wait_until(lambda: field.evaluate("field => field.files[0].type") == "image/jpeg")
    names_and_widths = field.evaluate(
        """(field) => {
            const look = (file) => createImageBitmap(file).then((image) => image.width, () => 0);
            return Promise.all([...field.files].map(async (file) => [file.name, await look(file)]));
        }"""
    )

    assert names_and_widths == [["large.png", 1600], ["none.txt", 0]]
    visit.context.close()
