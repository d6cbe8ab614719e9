"""Debian's Chromium, driven by Playwright."""

import shutil
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from playwright.sync_api import Browser, sync_playwright

#: First the one without windows, menus and profiles: it draws the same pages in half of the processor's time.
_NAMES = (
    "chromium-headless-shell", "chromium", "chromium-browser", "google-chrome", "google-chrome-stable",
)  # fmt: skip
_ARGUMENTS = (
    "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update",
    "--disable-sync", "--no-first-run", "--disable-quic",
    # One process draws the pages of all windows: to begin another for each takes an eighth of all.
    "--process-per-site", "--renderer-process-limit=1",
)  # fmt: skip


@contextmanager
def running_chromium() -> Iterator[Browser]:
    """Run Chromium for a while; skip, and say so, where there is none."""
    program = next((path for name in _NAMES if (path := shutil.which(name))), None)
    if program is None:
        pytest.skip("NO BROWSER: none of " + ", ".join(_NAMES) + " is installed, so no page was looked at")
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=program, args=list(_ARGUMENTS))
        yield chromium
        chromium.close()
