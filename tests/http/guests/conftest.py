"""A guest's order, and an Omnitron that knows it."""

from typing import Any

import pytest

from aftercart.accounts.document import address_document
from aftercart.oms.connect import replace_client
from aftercart.orders.models import Order
from tests.fake_omnitron import FakeOmnitron
from tests.shop import load_into, make_address, make_customer, make_order


@pytest.fixture
def fake() -> Any:
    made = FakeOmnitron()
    with replace_client(made):
        yield made


@pytest.fixture
def order(fake: FakeOmnitron) -> Order:
    """A guest's order, on its way to an address whose places we know."""
    snapshot = address_document(make_address(make_customer()))
    made = make_order(None, shipping_address=snapshot)
    load_into(fake, made)
    return made
