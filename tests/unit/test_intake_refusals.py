"""Documents that are wrong: refused by the field, or taken with a doubt."""

from typing import Any

import pytest

from aftercart.orders.intake.values import DocumentInvalid, decode_document
from tests.import_documents import make_address, make_item
from tests.unit.test_intake import read, refuse


def test_everything_that_is_wrong_with_a_document_is_said_at_once() -> None:
    with pytest.raises(DocumentInvalid) as caught:
        read(
            status="nope",
            created_date="yesterday",
            shipping_address=make_address(line="x" * 513, country={"code": "tur"}),
            orderitem_set=[make_item(price="x", quantity=0), make_item(), make_item(product=None)],
            discountitem_set=[{"amount": "y"}],
        )

    assert str(caught.value).split("; ") == [
        "created_date: not an ISO 8601 date and time",
        "shipping_address.line: longer than 512 characters",
        "shipping_address.country.code: not a country's two letters",
        "status: not a status",
        "orderitem_set[0].quantity: must be between 1 and 100000",
        "orderitem_set[0].price: not an amount",
        "orderitem_set[2].product: is required",
        "discountitem_set[0].amount: not an amount",
    ]


@pytest.mark.parametrize(
    ("changes", "doubts"),
    [
        ({"amount": "100.00"}, []),
        ({"amount": "129.90", "shipping_amount": "29.90"}, []),
        ({"amount": "100.00", "shipping_amount": "29.90"}, []),
        ({"amount": "90", "discount_amount": "10"}, []),
        ({"amount": "115", "extra_field": {"gift_box_amount": "15"}}, []),
        (
            {
                "amount": "120",
                "extra_field": {"is_tax_included": False},
                "orderitem_set": [make_item(tax_rate=20)],
            },
            [],
        ),
        ({"amount": "115"}, ["amount: 115.00 is not lines 100.00 = 100.00"]),
        (
            {"amount": "70", "discount_amount": "10", "shipping_amount": "5"},
            ["amount: 70.00 is not lines 100.00 + shipping 5.00 - discount 10.00 = 95.00"],
        ),
    ],
)
def test_amounts_that_do_not_add_up_are_a_doubt_and_keep_nothing_out(changes: Any, doubts: list[str]) -> None:
    assert read(**changes).doubts == doubts


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"number": None}, "number: is required"),
        ({"number": "  "}, "number: is required"),
        ({"number": "A/1"}, "number: contains a slash or an invisible character"),
        ({"number": ".."}, "number: contains a slash or an invisible character"),
        ({"number": "x" * 65}, "number: longer than 64 characters"),
        ({"number": ["1"]}, "number: must be text"),
        ({"user_email": None}, "user_email: is required"),
        ({"user_email": "nobody"}, "user_email: not an e-mail address"),
        ({"status": None}, "status: is required"),
        ({"status": "401"}, "status: not a status"),
        ({"status": True}, "status: not a status"),
        ({"status": {"label": "x"}}, "status: not a status"),
        ({"currency": None}, "currency: is required"),
        ({"currency": "lira"}, "currency: not a currency's three letters"),
        ({"amount": None}, "amount: is required"),
        ({"amount": "12,50"}, "amount: not an amount"),
        ({"amount": "1_000"}, "amount: not an amount"),
        ({"amount": "NaN"}, "amount: not an amount"),
        ({"amount": True}, "amount: not an amount"),
        ({"amount": "1.23456"}, "amount: more than four decimals"),
        ({"amount": "-1"}, "amount: must not be negative"),
        ({"amount": "1000000000000"}, "amount: too large"),
        ({"created_date": None}, "created_date: is required"),
        ({"created_date": "2026-03-01T10:00:00"}, "created_date: has no time zone"),
        ({"created_date": "2026-03-01"}, "created_date: has no time zone"),
        ({"created_date": "yesterday"}, "created_date: not an ISO 8601 date and time"),
        ({"created_date": "0001-01-01T00:00:00+14:00"}, "created_date: not between 1970 and 2100"),
        ({"created_date": "1969-12-31T23:59:59Z"}, "created_date: not between 1970 and 2100"),
        ({"modified_date": "9999-12-31T23:59:59Z"}, "modified_date: not between 1970 and 2100"),
        ({"modified_date": "2100-01-01T00:00:00.000001Z"}, "modified_date: not between 1970 and 2100"),
        ({"created_date": 1767225600}, "created_date: not an ISO 8601 date and time"),
        ({"modified_date": "2026-03-01T10:00:00"}, "modified_date: has no time zone"),
        ({"orderitem_set": []}, "orderitem_set: needs at least one item"),
        ({"orderitem_set": None}, "orderitem_set: needs at least one item"),
        ({"orderitem_set": {}}, "orderitem_set: must be a list"),
        ({"orderitem_set": [1]}, "orderitem_set[0]: must be an object"),
        ({"orderitem_set": [make_item()] * 1001}, "orderitem_set: has more than 1000 items"),
        ({"orderitem_set": [make_item(id=1)] * 2}, "orderitem_set[].id: given twice"),
        ({"discountitem_set": [{"name": "x"}]}, "discountitem_set[0].amount: is required"),
        ({"discountitem_set": [{"pk": 1, "amount": 1}] * 2}, "discountitem_set[].pk: given twice"),
        ({"id": 0}, "id: must be between 1 and 9007199254740991"),
        ({"id": 2**63}, "id: must be between 1 and 9007199254740991"),
        ({"id": "x"}, "id: not a whole number"),
        ({"campaigns": "x"}, "campaigns: must be a list"),
        ({"channel_id": "x"}, "channel_id: not a whole number"),
        ({"channel": {"pk": 2**31}}, "channel: must be between 1 and 2147483647"),
        ({"invoice_number": "x" * 65}, "invoice_number: longer than 64 characters"),
        ({"shipping_address": "x"}, "shipping_address: must be an object"),
        (
            {"shipping_address": make_address(line="x" * 513)},
            "shipping_address.line: longer than 512 characters",
        ),
        (
            {"billing_address": make_address(city={"name": "x" * 101})},
            "billing_address.city.name: longer than 100 characters",
        ),
        (
            {"shipping_address": make_address(country={"code": "tur"})},
            "shipping_address.country.code: not a country's two letters",
        ),
        (
            {"shipping_address": make_address(country="Atlantis")},
            "shipping_address.country.code: is required for 'Atlantis'",
        ),
        ({"extra_field": {"note": "a\0b"}}, "extra_field.note: contains a NUL character"),
        ({"extra_field": {"a\0b": 1}}, "extra_field.ab: contains a NUL character"),
    ],
)
def test_a_document_that_makes_no_sense_is_refused_by_the_field(changes: Any, reason: str) -> None:
    assert refuse(**changes) == reason


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"quantity": 0}, "quantity: must be between 1 and 100000"),
        ({"quantity": 100_001}, "quantity: must be between 1 and 100000"),
        (
            {"extra_field": {"delivered_date": "9999-12-31T00:00:00Z"}},
            "extra_field.delivered_date: not between 1970 and 2100",
        ),
        ({"quantity": 1.5}, "quantity: not a whole number"),
        ({"price": None}, "price: is required"),
        ({"price": {}}, "price: not an amount"),
        ({"product": None}, "product: is required"),
        ({"product": {}}, "product: is required"),
        ({"product": "a shirt"}, "product: not a whole number"),
        ({"product": {"sku": "x" * 129}}, "product.sku: longer than 128 characters"),
        ({"status": "lost"}, "status: not a status"),
        ({"cancelled_quantity": 2}, "cancelled_quantity: must be between 0 and 1"),
        ({"extra_field": {"delivered_date": "2026-03-01"}}, "extra_field.delivered_date: has no time zone"),
        ({"extra_field": {"is_final_sale": "perhaps"}}, "extra_field.is_final_sale: neither true nor false"),
    ],
)
def test_an_item_that_makes_no_sense_is_refused_by_its_place(changes: Any, reason: str) -> None:
    assert refuse(orderitem_set=[make_item(), make_item(**changes)]) == f"orderitem_set[1].{reason}"


def test_an_item_that_is_too_dear_makes_its_order_too_dear() -> None:
    dear = make_item(quantity=100_000, price="999999999")
    assert refuse(orderitem_set=[make_item(), dear]) == (
        "amount: too large; orderitem_set[1].total_amount: too large"
    )


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        (b"[]", "not a JSON object"),
        (b"null", "not a JSON object"),
        (b"{", "not JSON: Input data was truncated"),
        (b'{"a": "\xff"}', "not JSON: "),
        (b'{"a": "\\ud800"}', "not JSON: "),
        (b'{"a": NaN}', "not JSON: "),
        (b'{"a": 1e999999}', "a: a number too long to keep"),
        (b'{"a": ' + b"9" * 301 + b"}", "a: a number too long to keep"),
        (b'{"a": ' + b"9" * 5000 + b"}", ""),
        (b'{"a": 0.' + b"1" * 301 + b"}", "a: a number too long to keep"),
        (b'{"a":' + b"[" * 60 + b"]" * 60 + b"}", "a.0.0.0"),
        (b'{"a":' + b"[" * 100_000 + b"]" * 100_000 + b"}", "nested too deeply"),
    ],
)
def test_what_postgresql_cannot_hold_is_refused(line: bytes, reason: str) -> None:
    with pytest.raises(DocumentInvalid) as caught:
        decode_document(line)
    assert str(caught.value).startswith(reason)
