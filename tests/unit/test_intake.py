from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import phonenumbers
import pytest

from aftercart.actions.intake import resolve_customers
from aftercart.orders.document import NO_ADDRESS
from aftercart.orders.intake.merge import merge_discount, merge_item, merge_order
from aftercart.orders.intake.order import OrderIntake, find_number, read_order
from aftercart.orders.intake.values import DocumentInvalid, decode_document
from aftercart.orders.models import DiscountItem, Order, OrderItem
from tests.import_documents import CREATED, MODIFIED, make_address, make_document, make_item, write_line


def read(**changes: Any) -> OrderIntake:
    return read_order(decode_document(write_line(make_document(**changes))), channel_id=7)


def refuse(**changes: Any) -> str:
    with pytest.raises(DocumentInvalid) as caught:
        read(**changes)
    return str(caught.value)


def item_of(**changes: Any) -> dict[str, Any]:
    return read(orderitem_set=[make_item(**changes)]).items[0].columns


def test_the_smallest_order_is_read_whole() -> None:
    intake = read()
    moment = datetime(2026, 3, 2, 10, tzinfo=UTC)
    assert (intake.number, intake.id, intake.email, intake.is_guest) == (
        "ORD-2026-000001",
        None,
        "ayse.kaya@example.com",
        False,
    )
    assert intake.columns == {
        "channel_id": 7,
        "user_email": "ayse.kaya@example.com",
        "status": "400",
        "status_before": "",
        "currency": "TRY",
        "amount": Decimal("100.0000"),
        "amount_without_discount": Decimal("100.0000"),
        "discount_amount": Decimal(0),
        "shipping_amount": Decimal(0),
        "shipping_tax_rate": None,
        "installment_interest_amount": Decimal(0),
        "refund_amount": Decimal(0),
        "discount_refund_amount": Decimal(0),
        "shipping_refund_amount": Decimal(0),
        "payment_option": {},
        "invoice_number": "",
        "campaigns": [],
        "details": {},
        "created_date": datetime(2026, 3, 1, 10, tzinfo=UTC),
        "modified_date": moment,
    }
    assert intake.items[0].columns["total_amount"] == Decimal("100.0000")
    assert intake.items[0].columns["modified_date"] == moment


@pytest.mark.parametrize(
    "status", ["400", 400, "approved", "Approved", {"value": "400", "label": "Onaylandı"}]
)
def test_a_status_may_be_number_name_or_labelled(status: Any) -> None:
    assert read(status=status).columns["status"] == "400"


@pytest.mark.parametrize("currency", ["try", "TRY", {"value": "try", "label": "TL"}])
def test_a_currency_is_kept_in_upper_case(currency: Any) -> None:
    assert read(currency=currency).columns["currency"] == "TRY"


def test_amounts_never_pass_through_a_float() -> None:
    line = write_line(make_document(amount=0)).replace(b'"amount": 0', b'"amount": 99999999999.1234')
    intake = read_order(decode_document(line), channel_id=1)
    assert intake.columns["amount"] == Decimal("99999999999.1234")


def test_a_missing_modified_date_is_the_created_one() -> None:
    intake = read(modified_date=None)
    assert intake.modified_date == datetime(2026, 3, 1, 10, tzinfo=UTC)


def test_only_an_explicit_null_makes_a_guest() -> None:
    document = make_document(user=None)
    assert read_order(document, channel_id=1).is_guest
    del document["user"]
    assert not read_order(document, channel_id=1).is_guest


def test_unknown_fields_are_kept_apart_and_known_ones_go_into_details() -> None:
    intake = read(
        tracking_url="https://t.example.com/1", erp_code="X1", extra_field={"a": 1}, is_cancellable=True
    )
    assert intake.columns["details"] == {
        "tracking_url": "https://t.example.com/1",
        "extra_field": {"a": 1},
        "unknown": {"erp_code": "X1"},
    }


def test_an_item_without_a_quantity_is_one_piece_and_an_empty_discount_none() -> None:
    item = make_item()
    del item["quantity"]
    intake = read(orderitem_set=[item], discountitem_set=[{}])  # as the vendor's examples are
    assert ([line.columns["quantity"] for line in intake.items], intake.discounts) == ([1], [])


def test_a_card_number_is_masked_in_an_unknown_field_too() -> None:
    assert read(my_card="4546711234567894").columns["details"]["unknown"] == {"my_card": "454671******7894"}


def test_an_extra_field_that_is_no_object_is_kept_as_it_is() -> None:
    assert read(extra_field="note").columns["details"]["extra_field"] == "note"


def test_an_address_that_is_blank_in_all_its_parts_is_none() -> None:
    intake = read(shipping_address=dict(NO_ADDRESS), billing_address={**NO_ADDRESS, "line": "Street 1"})
    assert (intake.shipping, intake.billing is None) == (None, False)


def test_what_nobody_knows_of_a_discount_is_kept_with_the_order() -> None:
    intake = read(discountitem_set=[{"pk": 9, "name": "Yaz", "amount": "5", "rule": 3}])
    assert intake.columns["details"]["extra_field"] == {"discountitem_set": [{"rule": 3}]}
    assert (intake.discounts[0].id, intake.discounts[0].columns["amount"]) == (9, Decimal(5))
    assert intake.columns["discount_amount"] == Decimal(5)
    assert intake.columns["amount_without_discount"] == Decimal(100)


def test_a_card_number_is_masked_wherever_the_card_holds_it() -> None:
    card = {"pk": 1, "number": "4546711234567894", "old": ["4546 7112 3456 7894", 4546711234567894]}
    assert read(card=card, bin_number=454671).columns["details"] == {
        "card": {"pk": 1, "number": "454671******7894", "old": ["454671******7894"] * 2},
        "bin_number": 454671,
    }


@pytest.mark.parametrize(
    ("value", "expected"),
    [
        (None, {}),
        (3, {"pk": 3}),
        ("Havale", {"name": "Havale"}),
        (
            {"pk": 1, "payment_type": {"value": "credit_card", "label": "Kart"}},
            {"pk": 1, "payment_type": "credit_card"},
        ),
    ],
)
def test_a_payment_option_is_an_object_whatever_it_was(value: Any, expected: Any) -> None:
    assert read(payment_option=value).columns["payment_option"] == expected


@pytest.mark.parametrize(
    ("changes", "channel"),
    [({}, 7), ({"channel_id": "3"}, 3), ({"channel": 4}, 4), ({"channel": {"pk": 5, "name": "Web"}}, 5)],
)
def test_the_channel_is_the_documents_or_the_settings(changes: Any, channel: int) -> None:
    assert read(**changes).columns["channel_id"] == channel


def test_an_item_may_name_its_product_by_pk_or_sku_alone() -> None:
    assert item_of(product=8)["product"] == {"pk": 8}
    columns = item_of(product=None, sku="S-9")
    assert (columns["product"], columns["sku"]) == ({"sku": "S-9"}, "S-9")


def test_cancelled_items_are_cancelled_whole() -> None:
    assert item_of(status="canceled", quantity=3)["cancelled_quantity"] == 3
    assert item_of(status="600", quantity=2)["cancelled_quantity"] == 2
    assert item_of(status="400", quantity=2)["cancelled_quantity"] == 0


def test_an_item_that_waits_remembers_what_the_order_is() -> None:
    columns = item_of(status="50")
    assert (columns["status"], columns["status_before"]) == ("50", "400")


def test_an_order_that_waits_remembers_the_least_of_its_items() -> None:
    items = [make_item(status="450"), make_item(status="400"), make_item(status="100")]
    assert read(status="50", orderitem_set=items).columns["status_before"] == "400"


@pytest.mark.parametrize(
    ("status", "extra", "shipped", "delivered"),
    [
        ("400", {}, None, None),
        ("500", {}, MODIFIED, None),
        ("550", {}, MODIFIED, MODIFIED),
        ("550", {"delivered_date": CREATED}, CREATED, CREATED),
        ("500", {"shipped_date": CREATED}, CREATED, None),
        ("600", {"shipped_date": CREATED, "delivered_date": MODIFIED}, CREATED, MODIFIED),
    ],
)
def test_shipping_and_delivery_are_dated_by_the_document_or_by_its_modification(
    status: str, extra: Any, shipped: str | None, delivered: str | None
) -> None:
    for columns in (
        item_of(status=status, extra_field=extra),
        read(status=status, extra_field=extra).items[0].columns,
    ):
        assert columns["shipped_at"] == (shipped and datetime.fromisoformat(shipped))
        assert columns["delivered_at"] == (delivered and datetime.fromisoformat(delivered))


def test_a_parent_of_another_order_is_only_noted() -> None:
    items = [make_item(id=1), make_item(id=2, parent=1), make_item(id=3, parent=99)]
    read_items = read(orderitem_set=items).items
    assert [item.parent_id for item in read_items] == [None, 1, None]
    assert read_items[2].columns["details"] == {"parent": 99}


def test_places_are_read_from_objects_and_from_plain_names() -> None:
    plain = make_address(country="Türkiye", city="İstanbul", township="Kadıköy", district=None)
    places = read(shipping_address=plain).shipping
    assert places is not None
    assert (places.places.country, places.places.city, places.places.township, places.places.district) == (
        "tr",
        "İstanbul",
        "Kadıköy",
        None,
    )


def test_a_shop_to_pick_up_from_does_not_go_into_the_address_book() -> None:
    pickup = read(shipping_address=make_address(retail_store={"pk": 1})).shipping
    incomplete = read(shipping_address=make_address(township=None)).shipping
    home = read().shipping
    assert pickup is not None
    assert incomplete is not None
    assert home is not None
    assert (pickup.is_for_the_book, incomplete.is_for_the_book, home.is_for_the_book) == (False, False, True)


@pytest.mark.parametrize(
    ("document", "number"),
    [({"number": "A"}, "A"), ({"number": 12}, "12"), ({"number": True}, None), ({}, None), ([], None)],
)
def test_a_broken_document_still_tells_its_number_if_it_can(document: Any, number: str | None) -> None:
    assert find_number(document) == number


def test_what_is_merged_changes_the_copy_that_is_written_and_not_what_was_read() -> None:
    intake = read(discountitem_set=[{"name": "Yaz", "amount": "1"}])
    order, item, discount = (
        Order(status="600"),
        OrderItem(status="600"),
        DiscountItem(cancel_amount=Decimal(1)),
    )
    for row in (order, item):
        row.refund_amount = Decimal(7)
    order.discount_refund_amount = order.shipping_refund_amount = Decimal(0)
    copy = intake.copy()

    merge_order(order, copy, has_open_lines=False)
    merge_item(item, copy.items[0], None)
    merge_discount(discount, copy.discounts[0])
    copy.id = copy.items[0].id = copy.discounts[0].id = 5

    assert (copy.columns["refund_amount"], copy.items[0].columns["refund_amount"]) == (7, 7)
    assert copy.discounts[0].columns["cancel_amount"] == 1
    assert intake == read(discountitem_set=[{"name": "Yaz", "amount": "1"}])


@pytest.mark.parametrize(
    "text", ["+905321234567", "0532 123 45 67", "5321234567", "+90 561 011 22 33", "05610112233"]
)
@pytest.mark.parametrize(
    "spoil", [str, lambda text: text[:-1], lambda text: text + "0", lambda text: f"x{text}"]
)
@pytest.mark.parametrize("country", ["tr", "de", ""])
def test_a_turkish_mobile_number_is_what_the_library_says_it_is(text: str, spoil: Any, country: str) -> None:
    try:
        phone = phonenumbers.parse(spoil(text), country.upper())
    except phonenumbers.NumberParseException:
        expected = ""
    else:
        is_valid = phonenumbers.is_valid_number(phone)
        expected = phonenumbers.format_number(phone, phonenumbers.PhoneNumberFormat.E164) if is_valid else ""

    assert resolve_customers._find_phone(spoil(text), country) == expected
