"""A customer's window: a page of Chromium that remembers what was wrong with it."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final, TypeVar

import pytest
from playwright.sync_api import Browser, Page, Request
from pytest_django.live_server_helper import LiveServer

from tests.browser.fixtures import EMAIL, PASSWORD

PHONE: Final = {"width": 360, "height": 740}
DESK: Final = {"width": 1280, "height": 900}
#: Every way in which a journey is tried: a size, with and without JavaScript, in both languages.
WAYS: Final = [
    pytest.param(
        {"size": size, "java_script_enabled": is_scripted, "locale": locale},
        id=f"{name}-{'js' if is_scripted else 'nojs'}-{locale[:2]}",
    )
    for name, size in (("phone", PHONE), ("desk", DESK))
    for is_scripted in (True, False)
    for locale in ("en-GB", "tr-TR")
]
_Test = TypeVar("_Test", bound=Callable[..., None])
#: Screenshots are kept only when asked for: a test run must not change what is in git.
SCREENS: Final = Path(os.environ["KEEP_SCREENS"]) if os.environ.get("KEEP_SCREENS") else None
_LARGEST_SCREENSHOT: Final = 300_000
#: Chromium reports answers of ours that it is meant to show, as errors of the page.
_ANSWERS: Final = tuple(f"status of {code}" for code in (400, 401, 403, 404, 409, 429, 503))
#: Collects what moves without the customer having done anything, from the first moment on.
_WATCH_SHIFTS: Final = """
window.shifted = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) if (!entry.hadRecentInput) window.shifted += entry.value;
}).observe({ type: "layout-shift", buffered: true });
"""


def every_way(test: _Test) -> _Test:
    """Try a test in every way; a quick run takes one, another for the next test."""
    in_all_ways: _Test = pytest.mark.parametrize("way", WAYS)(test)
    return pytest.mark.rotating("way")(in_all_ways)  # type: ignore[no-any-return]  # a marker's call is untyped


class Visit:
    """One customer's browser window; what its console complains about is collected."""

    def __init__(
        self, browser: Browser, server: LiveServer, size: dict[str, int] = PHONE, **options: Any
    ) -> None:
        self.server = server
        self.context = browser.new_context(
            viewport=size,  # type: ignore[arg-type]  # a plain dict has no literal keys
            base_url=server.url,
            **{"locale": "en-GB", "color_scheme": "light", "reduced_motion": "reduce", **options},
        )
        self.context.add_init_script(_WATCH_SHIFTS)
        self.complaints: list[str] = []
        self.foreign: list[str] = []
        self.requests: list[Request] = []
        self.page = self.open_tab()

    def open_tab(self) -> Page:
        page = self.context.new_page()
        page.on("console", lambda message: self._note(message.type, message.text))
        page.on("pageerror", lambda error: self.complaints.append(str(error)))
        page.on("request", self._note_request)
        return page

    def _note(self, kind: str, text: str) -> None:
        if kind in {"error", "warning"} and not any(answer in text for answer in _ANSWERS):
            self.complaints.append(text)

    def _note_request(self, request: Request) -> None:
        self.requests.append(request)
        if not request.url.startswith((self.server.url, "data:")):
            self.foreign.append(request.url)

    def log_in(self, path: str, email: str = EMAIL) -> Page:
        self.page.goto(path)
        self.page.locator("#id_email").fill(email)
        self.page.locator("#id_password").fill(PASSWORD)
        self.page.locator("main form .primary").click()
        self.page.wait_for_url(lambda url: "/users/login/" not in url)
        return self.page

    def assert_fine(self, page: Page | None = None) -> None:
        width = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
        page = page or self.page
        page.wait_for_load_state()
        assert page.locator("html").evaluate(f"() => {width}") == 0, "the page scrolls sideways"
        assert self.complaints == []
        assert self.foreign == []

    def keep_screenshot(self, name: str) -> None:
        if SCREENS is None:
            return
        SCREENS.mkdir(parents=True, exist_ok=True)
        path = SCREENS / f"{name}.png"
        # On a picture of the whole page the bar would stand in the middle.
        put = (
            "position => document.querySelectorAll('.bar').forEach(bar => { bar.style.position = position; })"
        )
        self.page.evaluate(put, "static")
        self.page.screenshot(path=path, full_page=True)
        self.page.evaluate(put, "")
        assert path.stat().st_size < _LARGEST_SCREENSHOT
