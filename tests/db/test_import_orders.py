from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from aftercart.accounts.models import Address, City, Country, District, Township, User
from aftercart.actions.intake import read_batches
from aftercart.actions.intake.import_orders import BadLine, ImportResult, import_orders
from aftercart.demo.seed import fill_book
from aftercart.lib.json_lines import LONGEST_LINE, InputDamaged
from aftercart.orders.models import DiscountItem, Order, OrderItem, OrderRevision, TimelineEntry
from tests.import_documents import (
    LATER,
    MODIFIED,
    make_address,
    make_document,
    make_item,
    run_import,
    write_line,
)

pytestmark = pytest.mark.django_db


@pytest.mark.parametrize(
    "text", ["\\N", "None", "a\tb", "a\nb", "a\r\nb", "C:\\new", "\\", "\\.", "\x01\x7f\b\v", "\u2028ş😀"]
)
def test_texts_go_in_to_the_letter_whatever_they_hold(text: str) -> None:
    item = make_item(sku=text, product={"name": text, text: 1}, invoice_number=text)
    changes: dict[str, Any] = {
        "orderitem_set": [item],
        "discountitem_set": [{"amount": "1", "name": text, "code": text}, {"amount": "1", "name": "none"}],
        "shipping_address": make_address(line=text, first_name=text),
    }
    for date in (MODIFIED, LATER):
        assert run_import(make_document(modified_date=date, **changes))[1] == []

        order, row = Order.objects.get(), OrderItem.objects.get()
        address = order.shipping_address or {}
        assert (row.sku, row.product, row.invoice_number) == (text, {"name": text, text: 1}, text)
        assert list(order.discounts.values_list("name", "code")) == [(text, text), ("none", None)]
        assert (address["line"], address["first_name"], User.objects.get().first_name) == (text, text, text)


def test_a_new_order_goes_in_with_its_customer_its_address_and_its_story() -> None:
    items = [make_item(id=21, quantity=2, total_amount="200.00"), make_item(id=22, parent=21)]
    discounts = [{"pk": 31, "name": "Yaz", "amount": "50", "code": "YAZ", "promotion": 3}]
    document = make_document(
        id=11, orderitem_set=items, discountitem_set=discounts, campaigns=[{"pk": 3}], channel=4, erp="E"
    )
    assert run_import(document) == (ImportResult(created=1), [])
    order = Order.objects.get()
    user = User.objects.get()
    assert (order.pk, order.number, order.user, order.user_email) == (
        11,
        "ORD-2026-000001",
        user,
        "ayse.kaya@example.com",
    )
    assert (order.status, order.currency, order.amount, order.channel_id) == ("400", "TRY", Decimal(250), 4)
    assert (order.version, order.link_version, order.campaigns) == (1, 1, [{"pk": 3}])
    assert order.details == {"unknown": {"erp": "E"}}
    assert [(i.pk, i.parent_id, i.quantity, i.total_amount, i.remote_pks) for i in order.items.all()] == [
        (21, None, 2, Decimal(200), []),
        (22, 21, 1, Decimal(100), []),
    ]
    discount = order.discounts.get()
    assert (discount.pk, discount.name, discount.amount, discount.promotion) == (31, "Yaz", Decimal(50), 3)
    entry = TimelineEntry.objects.get()
    assert (entry.order, entry.event, entry.actor, entry.data) == (
        order,
        "order_imported",
        "import",
        {"status": "400"},
    )


def test_the_customer_is_made_from_the_shipping_address_and_cannot_log_in() -> None:
    run_import(make_document())
    user = User.objects.get()
    assert (user.email, user.first_name, user.last_name) == ("ayse.kaya@example.com", "Ayşe", "Kaya")
    assert str(user.phone) == "+905321234567"
    assert not user.has_usable_password()
    assert user.is_active
    assert not user.is_staff


def test_a_customer_is_matched_by_email_in_any_case_and_left_as_they_are() -> None:
    user = User.objects.create_user("ayse.kaya@example.com", "secret-123", first_name="A.")
    run_import(make_document(), make_document("2", user_email="AYSE.KAYA@EXAMPLE.COM"))
    assert set(Order.objects.values_list("user", flat=True)) == {user.pk}
    user.refresh_from_db()
    assert user.first_name == "A."
    assert user.check_password("secret-123")


def test_a_guests_order_has_neither_account_nor_address_book() -> None:
    run_import(make_document(user=None))
    order = Order.objects.get()
    assert order.user is None
    assert order.shipping_address is not None
    assert order.shipping_address["pk"] is None
    assert order.shipping_address["city"]["name"] == "İstanbul"
    assert not User.objects.exists()
    assert not Address.objects.exists()


def test_an_import_adds_nothing_to_a_customers_address_book() -> None:
    """An order may go to anybody; only the customer says what their book holds."""
    run_import(make_document("1"), make_document("2", billing_address=make_address(line="Elsewhere 1")))

    assert not Address.objects.exists()
    snapshots = [order.shipping_address or {} for order in Order.objects.all()]
    assert [snapshot["pk"] for snapshot in snapshots] == [None, None]


def test_an_address_that_the_customer_has_in_the_book_is_named_by_its_entry() -> None:
    run_import(make_document("1"))
    order = Order.objects.get()
    assert order.user is not None
    fill_book(order.user)
    entry = Address.objects.get()

    run_import(make_document("2"))

    snapshot = Order.objects.get(number="2").shipping_address or {}
    assert (snapshot["pk"], snapshot["primary"], snapshot["line"]) == (entry.pk, True, "Moda Caddesi 14")


def test_a_snapshot_speaks_of_our_places_whatever_pks_the_shop_has() -> None:
    run_import(make_document())
    country, city = Country.objects.get(), City.objects.get()
    township, district = Township.objects.get(), District.objects.get()
    snapshot: Any = Order.objects.get().shipping_address
    assert snapshot["country"] == {
        "pk": country.pk,
        "name": "Türkiye",
        "is_active": True,
        "code": "tr",
        "translations": None,
    }
    assert (snapshot["city"]["pk"], snapshot["township"]["pk"]) == (city.pk, township.pk)
    assert snapshot["district"]["pk"] == district.pk
    assert snapshot["primary"] is False


def test_places_are_matched_by_name_and_never_made_twice() -> None:
    country = Country.objects.create(code="tr", name="Turkey")
    city = City.objects.create(country=country, name="İstanbul")
    run_import(
        make_document("1"),
        make_document("2", shipping_address=make_address(country="TR", city="İstanbul", township="Kadıköy")),
        make_document("3", shipping_address=make_address(township="Beşiktaş", district=None)),
    )
    assert list(City.objects.all()) == [city]
    assert set(Township.objects.values_list("name", "city")) == {
        ("Kadıköy", city.pk),
        ("Beşiktaş", city.pk),
    }
    assert District.objects.count() == 1


def test_a_pick_up_keeps_its_store_and_leaves_the_address_book_alone() -> None:
    run_import(make_document(shipping_address=make_address(retail_store={"pk": 3, "name": "Nişantaşı"})))
    order = Order.objects.get()
    assert order.is_store_pickup
    assert not Address.objects.exists()


def test_an_address_without_a_township_is_kept_with_the_order_only() -> None:
    result, _ = run_import(make_document(shipping_address={"city": "Berlin", "country": {"code": "DE"}}))
    snapshot: Any = Order.objects.get().shipping_address
    assert result.created == 1
    assert (snapshot["country"]["code"], snapshot["city"]["name"], snapshot["township"]) == (
        "de",
        "Berlin",
        None,
    )
    assert not Address.objects.exists()


def test_an_order_without_addresses_goes_in() -> None:
    run_import(make_document(shipping_address=None))
    order = Order.objects.get()
    assert (order.shipping_address, order.billing_address) == (None, None)


def test_the_same_file_again_changes_nothing() -> None:
    documents = [make_document(str(n), id=100 + n) for n in range(3)]
    run_import(*documents)
    before = list(Order.objects.order_by("pk").values())
    assert run_import(*documents) == (ImportResult(unchanged=3), [])
    assert list(Order.objects.order_by("pk").values()) == before
    assert TimelineEntry.objects.count() == 3


def test_ids_are_the_shops_and_the_next_ones_come_after_them() -> None:
    run_import(make_document("0", discountitem_set=[{"amount": 1}]))  # sequences remember earlier tests
    order, item = Order.objects.get().pk + 100, OrderItem.objects.get().pk + 200
    discount = DiscountItem.objects.get().pk + 300
    run_import(
        make_document(
            "1",
            id=order,
            orderitem_set=[make_item(id=item)],
            discountitem_set=[{"pk": discount, "amount": 1}],
        ),
        make_document("2", discountitem_set=[{"amount": 1}]),
    )
    run_import(make_document("3"))
    assert list(Order.objects.order_by("pk").values_list("number", "pk"))[1:] == [
        ("1", order),
        ("2", order + 1),
        ("3", order + 2),
    ]
    assert list(OrderItem.objects.values_list("pk", flat=True))[1:] == [item, item + 1, item + 2]
    assert list(DiscountItem.objects.values_list("pk", flat=True))[1:] == [discount, discount + 1]


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"id": 11}, "id: 11 belongs to the order first"),
        (
            {"id": 12, "orderitem_set": [make_item(id=21)]},
            "orderitem_set[].id: 21 belongs to the order first",
        ),
        (
            {"id": 12, "discountitem_set": [{"pk": 31, "amount": 1}]},
            "discountitem_set[].pk: 31 belongs to the order first",
        ),
    ],
)
@pytest.mark.parametrize("batch_size", [1, 500])
def test_an_id_of_another_order_is_refused(changes: Any, reason: str, batch_size: int) -> None:
    first = make_document(
        "first", id=11, orderitem_set=[make_item(id=21)], discountitem_set=[{"pk": 31, "amount": 1}]
    )
    result, bad = run_import(
        first, make_document("second", **changes), make_document("third"), batch_size=batch_size
    )
    assert result == ImportResult(created=2, bad=1)
    assert bad == [BadLine(2, reason, "second")]


def test_an_order_that_comes_back_under_another_id_is_refused() -> None:
    run_import(make_document(id=11))
    result, bad = run_import(make_document(id=12, modified_date=LATER))
    assert result == ImportResult(bad=1)
    assert bad[0].reason == "id: the order ORD-2026-000001 has the id 11 here, not 12"


def test_a_bad_line_is_reported_with_its_number_and_the_good_ones_go_in() -> None:
    result, bad = run_import(
        make_document("1"),
        b"not json",
        b"",
        b"   ",
        make_document("2", status="lost"),
        [1, 2],
        b"x" * (LONGEST_LINE + 1),
        make_document("3"),
    )
    assert result == ImportResult(created=2, bad=4)
    assert [(line.line, line.number) for line in bad] == [(2, None), (5, "2"), (6, None), (7, None)]
    assert [line.reason for line in bad[1:]] == [
        "status: not a status",
        "not a JSON object",
        f"longer than {LONGEST_LINE} bytes",
    ]
    assert set(Order.objects.values_list("number", flat=True)) == {"1", "3"}


def test_an_order_twice_in_a_file_is_taken_line_by_line() -> None:
    older, newer = (
        make_document("1", orderitem_set=[make_item(price=price)], modified_date=modified)
        for price, modified in (("1", MODIFIED), ("2", LATER))
    )
    assert run_import(older, newer, older, newer)[0] == ImportResult(
        created=1, updated=1, unchanged=1, kept=1
    )
    assert Order.objects.get().amount == Decimal(2)


def test_damaged_input_is_reported_after_what_came_before_it() -> None:
    def lines() -> Any:
        yield write_line(make_document("1"))
        raise InputDamaged("too short")

    bad: list[BadLine] = []
    assert import_orders(lines(), report_bad=bad.append) == ImportResult(created=1, bad=1)
    assert bad == [
        BadLine(2, "the input is damaged from here on, nothing more of it was read: too short", None)
    ]


def test_progress_counts_every_line_once() -> None:
    counts: list[int] = []
    lines = [write_line(make_document(str(n))) for n in range(5)] + [b"", b"bad"]
    import_orders(lines, report_bad=lambda _: None, progress=counts.append, batch_size=2)
    assert counts == [2, 2, 2, 1]


def test_numbers_in_what_is_passed_on_keep_their_digits() -> None:
    run_import(write_line(make_document()).replace(b'"user": 5', b'"rate": 0.10000000000000000001'))
    with connection.cursor() as cursor:
        cursor.execute("SELECT details #>> '{unknown,rate}' FROM orders_order")
        assert cursor.fetchone() == ("0.10000000000000000001",)


def test_a_batch_costs_the_same_statements_whatever_its_size() -> None:
    def count(prefix: str, size: int) -> int:
        documents = [
            make_document(f"{prefix}{n}", user_email=f"{prefix}{n}@example.com") for n in range(size)
        ]
        with CaptureQueriesContext(connection) as queries:
            run_import(*documents)
        return len(queries)

    run_import(make_document())  # makes the places
    assert count("a", 3) == count("b", 60)


def test_dates_are_kept_in_utc() -> None:
    run_import(make_document(created_date="2026-03-01T13:00:00+03:00"))
    assert Order.objects.get().created_date == datetime(2026, 3, 1, 10, tzinfo=UTC)


def test_only_the_rows_that_make_an_order_leave_its_revision_as_it_is() -> None:
    def read_revision(number: str) -> int:
        return OrderRevision.objects.get(order__number=number).revision

    document = make_document("1", discountitem_set=[{"pk": 1, "amount": "1.00"}])
    run_import(make_document("0"))
    run_import(document)
    made = read_revision("1")
    run_import({**document, "modified_date": LATER})
    updated = read_revision("1")
    OrderItem.objects.create(order=Order.objects.get(number="1"), status="400", price_currency="TRY")

    assert made == read_revision("0")  # which has no discount
    assert made < updated < read_revision("1")


def test_a_line_that_was_imported_is_not_read_again(monkeypatch: pytest.MonkeyPatch) -> None:
    lines = [write_line(make_document(number)) for number in "12"]
    run_import(*lines)
    monkeypatch.setattr(read_batches, "read_order", None)  # which would raise

    assert run_import(*lines) == (ImportResult(unchanged=2), [])
    with pytest.raises(TypeError):
        run_import(lines[0] + b" ")


def test_what_is_doubtful_is_said_each_time() -> None:
    line = write_line(make_document(amount="1.00"))

    first, again = run_import(line), run_import(line)

    assert (first[0], again[0]) == (
        ImportResult(created=1, doubtful=1),
        ImportResult(unchanged=1, doubtful=1),
    )
    assert first[1] == again[1] != []


def test_a_line_that_something_newer_has_overtaken_is_not_taken_for_what_we_have() -> None:
    line = write_line(make_document())
    run_import(line)
    run_import(make_document(modified_date=LATER))
    assert run_import(line)[0] == ImportResult(kept=1)


def test_of_two_lines_of_one_order_the_later_finds_the_earlier() -> None:
    line, newer = write_line(make_document()), write_line(make_document(modified_date=LATER))
    run_import(line)

    assert run_import(newer, line, newer)[0] == ImportResult(updated=1, kept=1, unchanged=1)
