"""A customer with an order, and an Omnitron that knows it."""

from collections.abc import Iterator

import pytest
from django.test import Client

from aftercart.cancellations.models import CancellationReason
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
from tests.fake_omnitron import FakeOmnitron


@pytest.fixture
def reasons(client: Client) -> list[CancellationReason]:  # noqa: ARG001 - after the database
    return make_reasons()


@pytest.fixture
def order(client: Client) -> Order:
    user = make_customer()
    make_address(user, primary=True)
    make_companies()
    client.force_login(user)
    return make_order(user, list_products("400", "400", "450"))


@pytest.fixture
def fake(order: Order) -> Iterator[FakeOmnitron]:
    fake = make_omnitron(order)
    with replace_client(fake):
        yield fake
