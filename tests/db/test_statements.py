"""How many statements a direct cancellation takes, once the ids that it needs are known."""

import pytest

from aftercart.actions.cancel.cancel_items import cancel_items
from aftercart.actions.commands import Answer
from aftercart.actions.policy.keep_policy import keep_policy
from aftercart.actions.sync.sync_order import sync_order
from aftercart.cancellations.policy.selectors import get_book
from tests.shop import Line, Shop
from tests.statements import Statements, recording_statements

pytestmark = pytest.mark.django_db


def cancel(items: int) -> tuple[Answer, Statements]:
    shop = Shop(lines=[Line()] * items)
    sync_order(shop.order.pk, shop.fake)
    keep_policy(get_book())  # as any earlier cancellation has
    command = shop.command()
    with recording_statements() as statements:
        answer = cancel_items(command, shop.fake)
    return answer, statements


@pytest.mark.parametrize("items", [1, 5])
def test_a_direct_cancellation_takes_three_transactions_and_few_statements(items: int) -> None:
    answer, statements = cancel(items)
    assert answer == Answer(204)
    assert len(statements.transactions) == 3
    assert sum(statements.transactions) + statements.apart <= 19, statements.describe()


@pytest.mark.parametrize("items", [1, 5])
def test_bringing_it_up_to_date_afterwards_takes_few_statements_however_many_items(items: int) -> None:
    shop = Shop(lines=[Line()] * items)
    sync_order(shop.order.pk, shop.fake)
    cancel_items(shop.command(0), shop.fake)
    with recording_statements() as statements:
        sync_order(shop.order.pk, shop.fake)
    assert sum(statements.transactions) + statements.apart <= 20, statements.describe()
