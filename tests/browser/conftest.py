"""A real browser against a real server."""

import os
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest
from playwright.sync_api import Browser
from pytest_django.live_server_helper import LiveServer

from aftercart.oms.connect import replace_client
from aftercart.orders.models import Order
from tests.browser.fixtures import (
    list_products,
    make_address,
    make_companies,
    make_customer,
    make_omnitron,
    make_order,
    make_reasons,
)
from tests.browser.visit import PHONE, Visit
from tests.chromium import running_chromium
from tests.fake_omnitron import FakeOmnitron


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    """Start Chromium once a module; skip, and say so, where there is none.

    No longer than that: while Playwright's loop runs, Django keeps other connections for this thread than
    without it, and a forked child, in which no loop runs, would take up those from before.
    """
    with running_chromium() as chromium:
        # Playwright's own loop runs in this thread; Django takes that for asynchronous code.
        os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"
        yield chromium
        del os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"]


@pytest.fixture
def order(live_server: LiveServer) -> Order:  # noqa: ARG001 - it brings the database
    """An order of three items, none of which has left."""
    user = make_customer()
    make_address(user, primary=True)
    make_address(user, "Work", line="Büyükdere Caddesi 201, Kat 7")
    make_reasons()
    make_companies()
    # A day that stays, so that the screenshots do.
    placed = datetime(2026, 1, 15, 9, 30, tzinfo=UTC)
    return make_order(user, list_products("400", "400", "450"), created_date=placed)


@pytest.fixture
def fake(order: Order) -> Iterator[FakeOmnitron]:
    """An Omnitron that knows the order."""
    fake = make_omnitron(order)
    with replace_client(fake):
        yield fake


@pytest.fixture
def visit(browser: Browser, live_server: LiveServer, request: pytest.FixtureRequest) -> Iterator[Visit]:
    """Visit as `request.param` says: a size, and options of the browser's context."""
    size, options = getattr(request, "param", (PHONE, {}))
    visit = Visit(browser, live_server, size, **options)
    yield visit
    visit.context.close()


@pytest.fixture
def open_window(browser: Browser, live_server: LiveServer) -> Iterator[Callable[..., Visit]]:
    """Open windows of one's own making; each is closed in the end."""
    opened: list[Visit] = []

    def open_one(**way: Any) -> Visit:
        visit = Visit(browser, live_server, **way)
        opened.append(visit)
        return visit

    yield open_one
    for visit in opened:
        visit.context.close()
