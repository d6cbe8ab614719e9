"""A shop whose documents are stored, and caches that hold for a process."""

import pytest

from tests.http.fuzz import send
from tests.http.hot_reads.steps import JSON, clear_caches, list_paths, log_in, make_scope
from tests.shop import Line, Shop


@pytest.fixture
def shop() -> Shop:
    return Shop(lines=[Line(), Line("550", quantity=2, price="40.00")])


@pytest.fixture
def key(shop: Shop) -> str:
    """The session of the shop's customer, whose documents are stored."""
    key = log_in(shop.user)
    for path in list_paths(shop.order):
        assert send(make_scope(path, key, JSON), b"").status == 200
    return key


@pytest.fixture(autouse=True)
def _no_caches() -> None:
    """Forget what holds for a process: another key or setting is another process's."""
    from aftercart.front import hot_requests

    clear_caches()
    hot_requests._check_origin.cache_clear()
