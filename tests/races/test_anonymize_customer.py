"""A customer whose account is deleted while they cancel: the lock on their orders, shown by taking it away."""

import pytest

from aftercart.actions.account.anonymize_customer import anonymize_customer
from aftercart.actions.cancel.request_cancellation import request_cancellation
from tests.races.together import interrupted, without_lock
from tests.shop import Shop

pytestmark = pytest.mark.django_db(transaction=True)

#: After the order was locked, and before anything of it is written.
CANCELLING = "cancel_items.make_idempotency_record"


def test_an_account_is_not_deleted_beside_a_cancellation_that_has_begun() -> None:
    shop = Shop()

    with interrupted(CANCELLING, lambda: anonymize_customer(shop.user)) as deletion:
        request_cancellation(shop.command())

    assert (deletion.had_to_wait, deletion.outcome) == (True, "invalid")
    shop.user.refresh_from_db()
    assert shop.user.is_active


def test_without_the_lock_it_would_be() -> None:
    shop = Shop()

    with (
        without_lock("anonymize_customer.anonymize_customer"),
        interrupted(CANCELLING, lambda: anonymize_customer(shop.user)) as deletion,
    ):
        request_cancellation(shop.command())

    assert not deletion.had_to_wait
    shop.user.refresh_from_db()
    assert not shop.user.is_active
