"""A database that is busy or ends a session: 503 that may be repeated, never a 500, and nothing written."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

import pytest
from django.db import OperationalError, connection
from django.db.backends.base.base import BaseDatabaseWrapper
from django.test import Client

from aftercart.cancellations.models import Submission
from aftercart.oms.connect import replace_client
from aftercart.orders.models import IdempotencyRecord, OrderItem, TimelineEntry
from tests.http.cancelling.form import Form
from tests.processes import wait_until
from tests.shop import Shop

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def another_connection() -> Iterator[BaseDatabaseWrapper]:
    other = connection.copy()
    try:
        yield other
    finally:
        other.close()
        connection.close()  # with what was set on it


@contextmanager
def held(shop: Shop) -> Iterator[None]:
    """Have somebody else hold an order's row, and wait for such rows for a moment only."""
    with another_connection() as holder:
        holder.set_autocommit(False)
        with holder.cursor() as cursor:
            cursor.execute("SELECT FROM orders_order WHERE id = %s FOR NO KEY UPDATE", [shop.order.pk])
        with connection.cursor() as cursor:
            cursor.execute("SET lock_timeout = '100ms'")
        yield
        holder.rollback()


def cancel(shop: Shop, client: Client) -> Any:
    entry = {
        "order_item": shop.items[0].pk,
        "reason": shop.cancel_reason.pk,
        "cancellation_type": "cancel",
    }
    with replace_client(shop.fake):
        return client.post(
            f"/orders/{shop.order.number}/cancel/", {"cancel_order_items": [entry]}, "application/json"
        )


def enter(shop: Shop) -> Client:
    client = Client(raise_request_exception=False)
    client.force_login(shop.user)
    return client


def assert_unavailable(answer: Any) -> None:
    assert answer.status_code == 503
    assert answer.headers["Retry-After"] == "2"
    assert answer.json() == {
        "detail": "We are briefly unavailable. Please try again in a moment.",
        "code": "unavailable",
    }


def assert_nothing_happened(shop: Shop) -> None:
    assert (Submission.objects.count(), IdempotencyRecord.objects.count()) == (0, 0)
    assert (TimelineEntry.objects.count(), shop.fake.calls) == (0, [])
    assert list(OrderItem.objects.values_list("status", "reserved_quantity")) == [("400", 0)]


def test_an_order_that_somebody_holds_is_503_and_nothing_is_written_or_sent() -> None:
    shop = Shop()
    client = enter(shop)

    with held(shop):
        assert_unavailable(cancel(shop, client))
        assert_nothing_happened(shop)

    assert cancel(shop, client).status_code == 204


def test_a_page_says_so_in_the_shops_own_look() -> None:
    shop = Shop()
    client = enter(shop)

    form = Form(client, shop.order).choose(0, shop.cancel_reason)
    fields = form.look()
    with held(shop):
        answer = form.confirm(fields)

    assert (answer.status_code, answer.headers["Retry-After"]) == (503, "2")
    assert "We are briefly unavailable. Please try again in a moment." in answer.content.decode()
    assert_nothing_happened(shop)


def test_a_session_that_the_database_ended_is_503_and_nothing_is_written_or_sent() -> None:
    """As of a process that was frozen in a transaction, and wakes."""
    shop = Shop()
    client = enter(shop)
    with another_connection() as other, connection.cursor() as cursor:
        cursor.execute("SET idle_in_transaction_session_timeout = '100ms'")
        cursor.execute("SELECT pg_backend_pid()")
        [backend] = cursor.fetchone()

        def be_frozen(_point: str) -> None:
            wait_until(lambda: not is_connected(other, backend))

        with mock.patch("aftercart.actions.cancel.cancel_items.failpoint", be_frozen):
            assert_unavailable(cancel(shop, client))
        connection.close()
        assert_nothing_happened(shop)

    assert cancel(shop, client).status_code == 204


def is_connected(other: BaseDatabaseWrapper, backend: int) -> bool:
    with other.cursor() as cursor:
        cursor.execute("SELECT FROM pg_stat_activity WHERE pid = %s", [backend])
        return bool(cursor.fetchall())


def test_an_outage_that_no_view_meets_with_is_503_as_well() -> None:
    shop = Shop()
    client = enter(shop)
    place = "aftercart.accounts.middleware.TwinSessionMiddleware.process_request"

    with mock.patch(place, side_effect=OperationalError("the connection is lost")):
        assert_unavailable(client.get("/users/orders/", headers={"Accept": "application/json"}))
        page = client.get("/users/orders/", headers={"Accept": "text/html"})

    assert (page.status_code, page.headers["Retry-After"]) == (503, "2")
    assert "We are briefly unavailable. Please try again in a moment." in page.content.decode()
