"""The database goes away in the middle of a write: nobody is told to try again what may have been done."""

from collections.abc import Callable
from http import HTTPStatus
from typing import Any

import pytest
from django.db import OperationalError, connection
from django.test import Client

from aftercart.actions.address.change_address import change_address
from aftercart.actions.cancel.cancel_items import cancel_items
from aftercart.actions.upkeep.recover import recover_submissions
from aftercart.actions.withdraw.withdraw_order import WithdrawalCommand, withdraw_order
from aftercart.cancellations.models import AddressChange, Submission, Withdrawal
from aftercart.lib import outages
from aftercart.oms.connect import replace_client
from aftercart.orders.errors import BeingChecked
from aftercart.orders.models import IdempotencyRecord
from tests.action_modules import get_action
from tests.http.conftest import Api
from tests.shop import Shop, get_statuses, make_address, make_address_command, make_caller

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture(autouse=True)
def _impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outages, "_PAUSES", (0.0, 0.0))


def break_connection() -> None:
    """End this thread's connection from outside, as a restart of PostgreSQL does."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_backend_pid()")
        pid = cursor.fetchone()[0]
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_terminate_backend(%s, 5000)", [pid])
    other.close()


def take_away(monkeypatch: pytest.MonkeyPatch, function: str) -> None:
    def fail(*_args: Any, **_fields: Any) -> Any:
        raise OperationalError("the connection is closed")

    module, name = function.split(".")
    monkeypatch.setattr(get_action(module), name, fail)


def test_a_connection_that_breaks_after_the_post_costs_the_customer_nothing() -> None:
    shop = Shop()
    shop.fake.before("cancel_items", break_connection)

    answer = cancel_items(shop.command(), shop.fake)

    assert (answer.status, get_statuses(shop.order)) == (204, ["50"])
    assert (Submission.objects.get().state, shop.count_posts()) == ("applied", 1)


def test_a_connection_that_breaks_after_an_address_was_told_costs_nothing_either() -> None:
    shop = Shop()
    command = make_address_command(shop.order, make_address(shop.user))
    shop.fake.before("change_address", break_connection)

    answer = change_address(command, shop.fake)

    assert (answer.status, AddressChange.objects.get().state) == (200, "confirmed")
    assert shop.count_posts("change_address") == 1


def submit(api: Api, shop: Shop) -> Any:
    item = {
        "order_item": shop.items[0].pk,
        "reason": shop.cancel_reason.pk,
        "cancellation_type": "cancel",
    }
    return api.post(f"/orders/{shop.order.number}/cancel/", {"cancel_order_items": [item]})


def test_while_the_database_is_away_after_the_post_the_word_is_that_it_is_being_checked(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    shop, api = Shop(), Api()
    api.log_in(shop.user)
    with replace_client(shop.fake), monkeypatch.context() as away:
        take_away(away, "send_submission.settle_submission")
        answer = submit(api, shop)

        assert (answer.status_code, answer.json()["code"]) == (409, "still_running")
        assert answer.headers["Retry-After"] == "2"
        assert answer.json()["detail"] == (
            "Your request is recorded. We are checking whether it went through; nothing will be done twice."
        )
        replayed = submit(api, shop)
        assert (replayed.status_code, replayed.headers["Retry-After"]) == (409, "2")
    assert (Submission.objects.get().state, shop.count_posts()) == ("sent", 1)

    Submission.objects.update(sent_at="2026-01-01T00:00Z")
    assert recover_submissions() == 1
    with replace_client(shop.fake):
        last = submit(api, shop)
    assert (last.status_code, last.headers["Idempotency-Replayed"]) == (200, "true")
    assert (IdempotencyRecord.objects.count(), shop.count_posts()) == (1, 1)


@pytest.mark.parametrize(
    ("function", "act"),
    [
        ("send_submission.settle_submission", lambda s: cancel_items(s.command(), s.fake)),
        (
            "change_address._end",
            lambda s: change_address(make_address_command(s.order, make_address(s.user)), s.fake),
        ),
    ],
)
def test_every_write_that_was_recorded_is_being_checked(
    monkeypatch: pytest.MonkeyPatch, function: str, act: Callable[[Shop], object]
) -> None:
    shop = Shop()
    take_away(monkeypatch, function)

    with pytest.raises(BeingChecked) as caught:
        act(shop)

    assert caught.value.record == IdempotencyRecord.objects.get(status_code=None).pk


def test_a_withdrawal_that_was_recorded_is_being_checked_and_its_replay_gets_the_receipt() -> None:
    shop = Shop()
    command = WithdrawalCommand(make_caller(shop.user), shop.order.number, "Ayşe", shop.user.email)
    with pytest.MonkeyPatch.context() as away:
        take_away(away, "send_submission.settle_submission")
        with pytest.raises(BeingChecked):
            withdraw_order(command, shop.fake)

    replayed = withdraw_order(command, shop.fake)

    assert (replayed.is_replay, Withdrawal.objects.count()) == (True, 1)


def test_a_page_says_so_too_and_asks_the_database_for_nothing() -> None:
    shop = Shop()
    browser = Client()
    browser.force_login(shop.user)

    def fail(*_args: Any, **_fields: Any) -> Any:
        raise BeingChecked

    with replace_client(shop.fake), pytest.MonkeyPatch.context() as patch:
        patch.setattr("aftercart.pages.views.address.act", fail)
        answer = browser.post(
            "/orders/change-address/", {"order": shop.order.pk, "address": make_address(shop.user).pk}
        )

    assert (answer.status_code, answer["Retry-After"]) == (HTTPStatus.CONFLICT, "2")
    assert "We are checking your request" in answer.content.decode()
    assert "try again" not in answer.content.decode()
