from collections import Counter
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

from aftercart.demo.generate import generate_documents
from aftercart.demo.kinds import KINDS, NAMED, list_prepared
from aftercart.lib.money import ZERO
from aftercart.orders.intake.order import OrderIntake, read_order
from aftercart.orders.status import Status

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)
DOCUMENTS = list(generate_documents(NOW))
INTAKES = {intake.id: intake for intake in (read_order(d, channel_id=1) for d in DOCUMENTS)}


def prepared(kind: str) -> list[OrderIntake]:
    return [INTAKES[pk] for pk, _, of_kind in list_prepared() if of_kind == kind]


def test_the_same_moment_makes_the_same_documents() -> None:
    assert list(generate_documents(NOW)) == DOCUMENTS


def test_a_later_moment_moves_the_dates_and_nothing_else() -> None:
    later = list(generate_documents(NOW + timedelta(days=3)))
    keys = ("id", "number", "user_email", "amount", "status", "discount_amount")
    assert [[d[key] for key in keys] for d in later] == [[d[key] for key in keys] for d in DOCUMENTS]
    assert later[0]["created_date"] > DOCUMENTS[0]["created_date"]


def test_there_are_as_many_as_are_asked_for_but_never_fewer_than_are_prepared() -> None:
    assert len(DOCUMENTS) == 300
    assert len(list(generate_documents(NOW, count=1))) == len(list(list_prepared())) == 100


def test_ids_start_where_the_sandbox_expects_them_and_never_repeat() -> None:
    assert [d["id"] for d in DOCUMENTS] == list(range(1001, 1301))
    items = [item["id"] for d in DOCUMENTS for item in d["orderitem_set"]]
    discounts = [row["pk"] for d in DOCUMENTS for row in d["discountitem_set"]]
    assert items == list(range(20001, 20001 + len(items)))
    assert discounts == list(range(5001, 5001 + len(discounts)))
    assert len({d["number"] for d in DOCUMENTS}) == 300


def add_up(document: dict[str, Any]) -> tuple[Decimal, ...]:
    """Add the amount, the amount without discount, and the discount up from their parts."""
    items = sum((Decimal(item["price"]) * item["quantity"] for item in document["orderitem_set"]), ZERO)
    discounts = sum((Decimal(row["amount"]) for row in document["discountitem_set"]), ZERO)
    gift_box = Decimal((document["extra_field"] or {}).get("gift_box_amount", 0))
    charges = sum(
        (Decimal(document[name]) for name in ("shipping_amount", "installment_interest_amount")), ZERO
    )
    amount = items + charges + gift_box - discounts
    return amount, amount + discounts, discounts


def test_amounts_add_up() -> None:
    names = ("amount", "amount_without_discount", "discount_amount")
    stated = {document["id"]: tuple(Decimal(document[name]) for name in names) for document in DOCUMENTS}

    assert stated == {document["id"]: add_up(document) for document in DOCUMENTS}


def test_nothing_happens_in_the_future_and_nothing_is_older_than_sixty_days() -> None:
    for intake in INTAKES.values():
        assert NOW - timedelta(days=60) <= intake.columns["created_date"] <= intake.modified_date <= NOW


def test_every_status_currency_and_payment_occurs() -> None:
    assert {intake.columns["status"] for intake in INTAKES.values()} == set(Status)
    assert {intake.columns["currency"] for intake in INTAKES.values()} == {"TRY", "EUR"}
    assert {i.columns["payment_option"]["payment_type"] for i in INTAKES.values()} == {
        "credit_card",
        "funds_transfer",
        "pay_on_delivery",
    }
    assert any(Decimal(d["installment_interest_amount"]) for d in DOCUMENTS)
    assert any(d["number"].isdigit() and len(d["number"]) == 16 for d in DOCUMENTS)
    assert any(d["number"].startswith("ORD-2026-") for d in DOCUMENTS)


def test_a_guests_number_can_be_typed_into_a_form_for_digits() -> None:
    guests = [d["number"] for d in DOCUMENTS if d["user"] is None]
    assert len(guests) > 1
    assert [number for number in guests if not number.isdigit()] == []


def test_every_named_customer_has_every_kind_in_the_promised_number() -> None:
    counts = Counter((owner.email, kind) for _, owner, kind in list_prepared())
    assert counts == Counter(
        {(person.email, kind): copies for person in NAMED for kind, copies in KINDS.items()}
        | {("guest@example.com", "guest"): 1}
    )
    assert KINDS["cancellable"] == 12
    assert min(KINDS.values()) == 3


def test_a_cancellable_order_has_nothing_that_speaks_against_it() -> None:
    for intake in prepared("cancellable"):
        assert intake.columns["status"] == "400"
        assert intake.columns["payment_option"]["payment_type"] == "credit_card"
        assert intake.columns["invoice_number"] == ""
        assert [i.columns["quantity"] for i in intake.items] in ([1], [1, 1])
        assert not any(i.columns["is_final_sale"] for i in intake.items)
        assert intake.columns["created_date"] > NOW - timedelta(days=3)


def test_among_several_items_every_kind_of_refund_can_be_seen() -> None:
    for person in NAMED:
        orders = [
            INTAKES[pk] for pk, owner, kind in list_prepared() if (owner, kind) == (person, "several_items")
        ]
        assert [bool(order.discounts) for order in orders] == [True, True, True]
        assert [bool(order.columns["installment_interest_amount"]) for order in orders] == [
            False,
            True,
            False,
        ]
        assert [bool(order.columns["details"].get("has_gift_box")) for order in orders] == [
            False,
            False,
            True,
        ]


def test_the_other_kinds_are_what_they_are_called() -> None:
    for intake in prepared("several_items"):
        assert len(intake.items) >= 4
        assert 3 in [item.columns["quantity"] for item in intake.items]
    for intake in prepared("in_progress"):
        assert [i.columns["status"] for i in intake.items] == ["50", "400", "400"]
        assert intake.items[0].columns["status_before"] == "400"
    for intake in prepared("store_pickup"):
        assert intake.shipping is not None
        assert intake.shipping.columns["retail_store"]["name"].startswith("Aftercart")
    for intake in prepared("delivered"):
        assert {i.columns["delivered_at"] for i in intake.items} == {NOW - timedelta(days=3)}
    assert all(intake.columns["invoice_number"] for intake in prepared("invoiced"))
    assert {intake.columns["status"] for intake in prepared("shipped")} == {"500"}
    assert {intake.columns["status"] for intake in prepared("cancelled")} == {"100"}
    assert [intake.is_guest for intake in prepared("guest")] == [True]
