"""What e-mails say of a refund: its amount, the points in it, where it goes, and whether it has gone."""

from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest

from aftercart.actions.cancel.cancel_items import cancel_items
from aftercart.actions.sync.sync_order import sync_order
from aftercart.loyalty.models import LoyaltyEntry
from aftercart.mail.models import Email
from tests.shop import Line, Shop

pytestmark = pytest.mark.django_db

IBAN = "TR330006100519786457841326"
TRANSFER = {"payment_type": "funds_transfer", "name": "Bank transfer"}


def complete(shop: Shop, amount: str | None) -> None:
    [record] = shop.fake.backoffice.items.values()
    shop.fake.decide_items("approve", record.remote.pk)
    record.remote = replace(record.remote, refund_amount=None if amount is None else Decimal(amount))
    shop.fake.backoffice.refresh(record.remote.order_pk)
    sync_order(shop.order.pk, shop.fake)


def read_facts(kind: str) -> dict[str, Any]:
    facts = dict(Email.objects.get(kind=kind).facts)
    del facts["what"], facts["items"], facts["currency"]
    return facts


@pytest.mark.parametrize(
    ("reported", "is_refunded", "refund"),
    [(None, False, "100.0000"), ("0", False, "100.0000"), ("100", True, "100.0000"), ("80", True, "80.0000")],
)
def test_refunded_is_said_only_once_omnitron_has_reported_it(
    reported: str | None, refund: str, *, is_refunded: bool
) -> None:
    shop = Shop([Line(price="100.00")])
    cancel_items(shop.command(), shop.fake)

    complete(shop, reported)

    facts = read_facts("cancellation_completed")
    assert facts["is_refunded"] is is_refunded
    assert Decimal(facts["refund"]) == Decimal(refund)
    assert (facts["to"], facts["method"]) == ("payment_method", "Card")


def test_an_account_is_told_by_its_end_and_the_points_beside_it() -> None:
    shop = Shop([Line(price="100.00")], order_fields={"payment_option": TRANSFER})
    LoyaltyEntry.objects.create(
        user=shop.user, currency="TRY", kind="spent", amount=-40, order=shop.order, reference="import:1"
    )
    command = shop.command()
    asks = tuple(replace(ask, iban=IBAN, holder_name="Ayşe Yılmaz") for ask in command.items)
    cancel_items(replace(command, items=asks), shop.fake)
    complete(shop, "100")

    for kind in ("cancellation_sent", "cancellation_completed"):
        facts = read_facts(kind)
        assert (facts["to"], facts["account_end"], Decimal(facts["points"])) == ("iban", "1326", Decimal(40))
        assert IBAN not in str(facts)


def test_points_are_told_as_where_it_goes() -> None:
    shop = Shop([Line(price="100.00")])
    cancel_items(replace(shop.command(), fully_refund_as_loyalty_money=True), shop.fake)
    complete(shop, None)

    facts = read_facts("cancellation_completed")
    assert (facts["to"], facts["is_refunded"], Decimal(facts["refund"])) == ("loyalty", True, Decimal(100))


def test_of_what_nobody_paid_no_amount_is_told() -> None:
    shop = Shop([Line(status="300")], order_fields={"payment_option": TRANSFER, "status": "300"})
    cancel_items(shop.command(), shop.fake)
    complete(shop, "0")

    assert read_facts("cancellation_sent") == {"is_paid": False}
    assert read_facts("cancellation_completed") == {"is_paid": False, "is_refunded": True}
