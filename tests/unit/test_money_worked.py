"""The cases of docs/money.md, worked by hand there and executed here."""

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import fields
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from aftercart.orders.facts import RequestedUnits
from aftercart.orders.quotes import PaidItem, PaidOrder, Points, RefundTerms, ShippingRefund, compute_total
from tests.unit.test_quotes import Till

_PAGE = Path(__file__).parents[2] / "docs" / "money.md"
_CASE = re.compile(r"\*\*(\d+)\. (.+?)\*\*[^`]*```toml\n(.*?)```", re.DOTALL)
CASES = [
    pytest.param(tomllib.loads(body), id=f"{number}-{title}")
    for number, title, body in _CASE.findall(_PAGE.read_text("utf-8"))
]
_LINE_FIELDS = {
    "refunds": "refund_amount",
    "discounts": "discount_share",
    "interests": "interest_share",
    "fees": "fee_amount",
}
_WHOLE_FIELDS = {
    "shipping": "shipping_refund",
    "gift_box": "gift_box_refund",
    "returned": "points_returned",
    "credited": "points_credited",
    "clawed_back": "points_clawed_back",
    "total": "total",
}


def read_amount(case: Mapping[str, Any], name: str) -> Decimal:
    return Decimal(case.get(name, "0"))


def read_order(case: Mapping[str, Any]) -> PaidOrder:
    items = tuple(
        PaidItem(
            order_item=number,
            quantity=line["quantity"],
            unit_amount=Decimal(line["price"]),
            discount_amount=read_amount(line, "item_discount"),
            tax_rate=read_amount(line, "tax_rate"),
            is_tax_included=line.get("is_tax_included", True),
        )
        for number, line in enumerate(case["lines"], start=1)
    )
    return PaidOrder(
        currency=case["currency"],
        items=items,
        discount_amount=read_amount(case, "discount"),
        shipping_amount=read_amount(case, "shipping"),
        interest_amount=read_amount(case, "interest"),
        gift_box_amount=read_amount(case, "gift_box"),
        points=Points(read_amount(case, "points_spent"), read_amount(case, "points_earned")),
    )


def read_terms(values: Mapping[str, Any]) -> RefundTerms:
    kinds: dict[str, Any] = {
        "fee_percent": Decimal,
        "fee_amount": Decimal,
        "shipping_refund": ShippingRefund,
    }
    assert set(kinds) == {field.name for field in fields(RefundTerms)}
    return RefundTerms(**{name: kinds[name](value) for name, value in values.items()})


def amounts(texts: Sequence[str]) -> list[Decimal]:
    return [Decimal(text) for text in texts]


@pytest.mark.parametrize("case", CASES)
def test_the_worked_case_comes_out_as_by_hand(case: Mapping[str, Any]) -> None:
    order = read_order(case)
    till = Till(
        order, read_terms(case.get("terms", {})), is_all_as_points=case.get("is_all_as_points", False)
    )
    for step in case["cancel"]:
        assert set(step) <= {"units", "tax", *_LINE_FIELDS, *_WHOLE_FIELDS}

        quote = till.give_back(
            [RequestedUnits(int(pk), "cancel", count) for pk, count in step["units"].items()]
        )

        for name, attribute in _LINE_FIELDS.items():
            expected = step.get(name, ["0"] * len(quote.lines))
            assert [getattr(line, attribute) for line in quote.lines] == amounts(expected), name
        for name, attribute in _WHOLE_FIELDS.items():
            assert getattr(quote, attribute) == read_amount(step, name), name
        if "tax" in step:
            assert [line.tax_included for line in quote.lines] == amounts(step["tax"])
    if "terms" not in case and all(item.gone_quantity == item.quantity for item in till.order.items):
        assert till.sum("total") == compute_total(order)


def test_the_cases_are_numbered_and_at_least_twenty() -> None:
    numbers = [int(number) for number, _title, _body in _CASE.findall(_PAGE.read_text("utf-8"))]

    assert numbers == list(range(1, len(numbers) + 1))
    assert len(numbers) >= 20
    assert _PAGE.read_text("utf-8").count("```toml") == len(numbers)
