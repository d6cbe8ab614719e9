"""The address book: what fits together, one first choice, and nothing taken away under a courier."""

from dataclasses import replace
from typing import Any

import pytest

from aftercart.accounts.drafts import AddressDraft, PhoneInvalid, read_phone
from aftercart.accounts.models import Address, City, Country, District, Township, User
from aftercart.actions.address.add_address import add_address
from aftercart.actions.address.change_address import change_address
from aftercart.actions.address.edit_address import edit_address
from aftercart.actions.address.remove_address import remove_address
from aftercart.actions.cancel.cancel_items import cancel_items
from aftercart.oms.errors import NotSent
from aftercart.orders.errors import AddressNotFound, AddressRefused, InputInvalid
from tests.shop import (
    Line,
    Shop,
    ask,
    get_items,
    make_address_command,
    make_command,
    make_company,
    make_customer,
)

pytestmark = pytest.mark.django_db(transaction=True)


def make_draft(**fields: Any) -> AddressDraft:
    """Type an address in Kadıköy."""
    country, _ = Country.objects.get_or_create(code="tr", defaults={"name": "Türkiye"})
    city, _ = City.objects.get_or_create(country=country, name="İstanbul")
    township, _ = Township.objects.get_or_create(city=city, name="Kadıköy")
    return AddressDraft(
        **{
            "title": "Home",
            "first_name": "Ayşe",
            "last_name": "Yılmaz",
            "phone_number": "0532 123 45 67",
            "country": country.pk,
            "city": city.pk,
            "township": township.pk,
            "line": "Moda Caddesi 12",
            **fields,
        }
    )


def make_elsewhere() -> tuple[Country, City, Township, District]:
    country = Country.objects.create(code="de", name="Deutschland")
    city = City.objects.create(country=country, name="Berlin")
    township = Township.objects.create(city=city, name="Mitte")
    return country, city, township, District.objects.create(township=township, name="Tiergarten")


def list_primaries(user: User) -> list[int]:
    return list(Address.objects.filter(user=user, primary=True).values_list("pk", flat=True))


def test_the_first_address_is_the_first_choice_and_another_one_only_when_told() -> None:
    user = make_customer()

    first, is_new = add_address(user, make_draft())
    second, _ = add_address(user, make_draft(title="Work"))

    assert is_new
    assert (first.email, first.phone_number) == (user.email, "05321234567")
    assert list_primaries(user) == [first.pk]
    third, _ = add_address(user, make_draft(title="Mother"), is_primary=True)
    assert list_primaries(user) == [third.pk]
    edit_address(user, second.pk, {}, is_primary=True)
    assert list_primaries(user) == [second.pk]


def test_the_first_choice_cannot_be_given_up_but_for_another_one() -> None:
    user = make_customer()
    entry, _ = add_address(user, make_draft())

    with pytest.raises(AddressRefused) as refused:
        edit_address(user, entry.pk, {"line": "Elsewhere 1"}, is_primary=False)

    assert refused.value.code == "primary_needed"
    assert list_primaries(user) == [entry.pk]
    assert Address.objects.get(pk=entry.pk).line == "Moda Caddesi 12"


def test_a_replay_gives_the_same_entry_and_one_that_differs_beside_it_is_refused() -> None:
    user = make_customer()
    entry, _ = add_address(user, make_draft())

    again, is_new = add_address(user, make_draft())

    assert (again.pk, is_new) == (entry.pk, False)
    with pytest.raises(AddressRefused) as refused:
        add_address(user, make_draft(notes="Ring twice"))
    assert refused.value.code == "duplicate_address"
    other, _ = add_address(user, make_draft(title="Work"))
    with pytest.raises(AddressRefused):
        edit_address(user, other.pk, {"title": "Home"})
    assert list(Address.objects.filter(user=user).order_by("pk").values_list("title", "notes")) == [
        ("Home", ""),
        ("Work", ""),
    ]
    assert add_address(make_customer(), make_draft())[1]  # another user's book is another book


@pytest.mark.parametrize("level", ["country", "city", "township", "district"])
def test_a_place_that_is_not_in_the_one_above_is_refused(level: str) -> None:
    user, elsewhere = make_customer(), make_elsewhere()
    place = dict(zip(("country", "city", "township", "district"), elsewhere, strict=True))[level]

    with pytest.raises(InputInvalid) as invalid:
        add_address(user, make_draft(**{level: place.pk}))

    assert list(invalid.value.fields) == ["city" if level == "country" else level]
    assert not Address.objects.exists()


def test_a_place_where_the_shop_no_longer_delivers_is_refused() -> None:
    user, draft = make_customer(), make_draft()
    Country.objects.update(is_active=False)

    with pytest.raises(InputInvalid) as invalid:
        add_address(user, draft)

    assert list(invalid.value.fields) == ["country"]


def test_every_complaint_is_told_at_once() -> None:
    draft = make_draft(phone_number="12", township=10**9, is_corporate=True, tax_no="1")

    with pytest.raises(InputInvalid) as invalid:
        add_address(make_customer(), draft)

    assert set(invalid.value.fields) == {"phone_number", "township", "company_name", "tax_office"}
    assert not Address.objects.exists()


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("0532 123 45 67", "05321234567"),
        ("5321234567", "05321234567"),
        ("+90 532 123 45 67", "+905321234567"),
        ("0090 532 123 45 67", "+905321234567"),
        ("+49 30 12345678", "+493012345678"),
    ],
)
def test_a_number_keeps_its_notation_and_loses_its_blanks(text: str, kept: str) -> None:
    assert read_phone(text, "tr") == kept


@pytest.mark.parametrize(
    "text", ["", "0", "12", "abc", "+90", "0532 123 45 6", "0532 123 45 67 89", "\u0660"]
)
def test_what_is_no_number_is_refused(text: str) -> None:
    with pytest.raises(PhoneInvalid):
        read_phone(text, "tr")


def test_a_full_book_takes_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("aftercart.actions.address.add_address.LARGEST_BOOK", 1)
    user = make_customer()
    add_address(user, make_draft())

    with pytest.raises(AddressRefused) as refused:
        add_address(user, make_draft(title="Work"))

    assert refused.value.code == "address_book_full"
    assert Address.objects.count() == 1


def test_an_edit_changes_what_is_named_and_nothing_else() -> None:
    user = make_customer()
    entry, _ = add_address(user, make_draft(notes="Ring twice"))

    edit_address(user, entry.pk, {"line": "Moda Caddesi 14"})

    kept = Address.objects.get(pk=entry.pk)
    assert AddressDraft.of(kept) == replace(AddressDraft.of(entry), line="Moda Caddesi 14")
    assert kept.notes == "Ring twice"
    assert kept.hash_data != entry.hash_data


def test_an_edit_may_not_tear_the_places_apart() -> None:
    user, (country, *_rest) = make_customer(), make_elsewhere()
    entry, _ = add_address(user, make_draft())

    with pytest.raises(InputInvalid) as invalid:
        edit_address(user, entry.pk, {"country": country.pk})

    assert list(invalid.value.fields) == ["city"]
    assert Address.objects.get(pk=entry.pk).country.code == "tr"


def test_when_the_first_choice_goes_the_newest_of_the_others_takes_its_place() -> None:
    user = make_customer()
    entries = [add_address(user, make_draft(title=title))[0] for title in ("a", "b", "c")]

    remove_address(user, entries[0].pk)

    assert list_primaries(user) == [entries[2].pk]
    remove_address(user, entries[2].pk)
    remove_address(user, entries[1].pk)
    assert not Address.objects.exists()


def test_a_foreign_entry_and_an_unknown_one_are_the_same() -> None:
    entry, _ = add_address(make_customer(), make_draft())
    stranger = make_customer()

    for pk in (entry.pk, 10**9, 2**63):
        with pytest.raises(AddressNotFound):
            edit_address(stranger, pk, {"line": "Mine"})
        with pytest.raises(AddressNotFound):
            remove_address(stranger, pk)
    assert Address.objects.get().line == "Moda Caddesi 12"


def assert_in_use(user: User, entry: Address) -> None:
    for action in (
        lambda: remove_address(user, entry.pk),
        lambda: edit_address(user, entry.pk, {"line": "Elsewhere 1"}),
    ):
        with pytest.raises(AddressRefused) as refused:
            action()
        assert refused.value.code == "address_in_use"
    edit_address(user, entry.pk, {"line": entry.line}, is_primary=True)  # nothing else changes
    assert Address.objects.get(pk=entry.pk).line == entry.line


def test_an_address_where_a_return_is_collected_stays_as_it_is_until_that_is_decided() -> None:
    shop = Shop(lines=(Line(status="550"),), order_fields={"status": "550"})
    company = make_company()
    entry, _ = add_address(shop.user, make_draft())
    returned = ask(get_items(shop.order)[0], shop.refund_reason, shipping_company=company.pk)
    cancel_items(make_command(shop.order, returned, pickup_address=entry.pk), shop.fake)

    assert_in_use(shop.user, entry)

    shop.order.items.get().lines.update(is_open=False)
    remove_address(shop.user, entry.pk)
    assert not Address.objects.exists()


def test_an_address_to_which_an_order_is_being_sent_stays_until_omnitron_knows() -> None:
    shop = Shop()
    entry, _ = add_address(shop.user, make_draft())
    shop.fake.fail("change_address", NotSent("down", code="unreachable"))
    assert change_address(make_address_command(shop.order, entry), shop.fake).status == 202

    assert_in_use(shop.user, entry)

    shop.order.address_changes.update(state="confirmed")
    remove_address(shop.user, entry.pk)
    assert not Address.objects.exists()
