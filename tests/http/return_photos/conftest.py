"""A return that waits for the team, and its customer's client."""

import pytest

from aftercart.actions.cancel.request_cancellation import request_cancellation
from tests.http.conftest import Api
from tests.shop import Line, Shop, ask, make_command


@pytest.fixture
def shop() -> Shop:
    """A delivered item, of which a return waits for the team; and one that is not returned."""
    shop = Shop([Line("550"), Line("550")])
    request_cancellation(make_command(shop.order, ask(shop.items[0], shop.refund_reason)))
    return shop


@pytest.fixture
def api(shop: Shop) -> Api:
    return Api().log_in(shop.user)
