"""The address book as a page: added to and edited in place, with and without JavaScript."""

from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from pytest_django import DjangoAssertNumQueries

from aftercart.accounts.models import Address, City, Country, Township, User
from aftercart.cancellations.models import AddressChange
from tests.browser.fixtures import make_address, make_customer
from tests.shop import make_customer as make_stranger
from tests.shop import make_order

pytestmark = pytest.mark.django_db


@pytest.fixture
def user(client: Client) -> User:
    made = make_customer()
    client.force_login(made)
    return made


def type_into(address: Address, **fields: Any) -> dict[str, Any]:
    return {
        "title": "Work",
        "first_name": "Ayşe",
        "last_name": "Yılmaz",
        "phone_number": "0532 123 45 67",
        "country": address.country_id,
        "city": address.city_id,
        "township": address.township_id,
        "district": "",
        "line": "Büyükdere Caddesi 100",
        **fields,
    }


def read(response: Any) -> BeautifulSoup:
    return BeautifulSoup(response.content.decode(), "html.parser")


def test_nobody_sees_a_book_without_a_log_in(client: Client) -> None:
    entry = make_address(make_customer())

    for path in ("/address/", f"/address/{entry.pk}/"):
        answer = client.get(path)
        assert (answer.status_code, answer["Location"]) == (302, f"/users/login/?next={path}")
        assert client.post(path, {"remove": "1"}).status_code == 401
    assert Address.objects.count() == 1


def test_an_empty_book_says_so_and_takes_the_first_address(client: Client, user: User) -> None:
    places = make_address(make_stranger())
    page = read(client.get("/address/"))
    assert "Your address book is empty." in page.get_text()
    assert page.select_one("#id_first_name")["value"] == "Ayşe"  # type: ignore[index]  # one that is missing fails the test

    answer = client.post("/address/", type_into(places))

    assert (answer.status_code, answer["Location"]) == (303, "/address/")
    entry = Address.objects.get(user=user)
    assert (entry.phone_number, entry.primary, entry.email) == ("05321234567", True, user.email)
    assert "Default" in read(client.get("/address/")).get_text()


def test_an_address_added_on_the_way_leads_back_to_where_it_is_needed_and_nowhere_else(
    client: Client, user: User
) -> None:
    places = make_address(make_stranger())
    order = make_order(user)
    target = f"/orders/change-address/?order={order.pk}"
    link = read(client.get(target)).select_one("main .notice a")["href"]  # type: ignore[index]  # one that is missing fails the test
    field = read(client.get(str(link))).select_one("input[name=next]")
    assert field is not None
    assert field["value"] == target

    answer = client.post("/address/", type_into(places, next=target))
    added = user.addresses.get()
    assert answer["Location"] == f"{target}&address={added.pk}"
    chosen = read(client.get(answer["Location"])).select_one("input[name=address][checked]")
    assert chosen is not None
    assert chosen["value"] == str(added.pk)
    answer = client.post("/address/", type_into(places, title="2", next="https://evil.example/"))
    assert answer["Location"] == "/address/"


def test_an_entry_is_edited_in_its_place(client: Client, user: User) -> None:
    entry, other = make_address(user), make_address(user, "Work", line="Elsewhere 1")
    moved = client.get(f"/address/{entry.pk}/")
    assert moved["Location"] == f"/address/?edit={entry.pk}#address-{entry.pk}"
    page = read(client.get(f"/address/?edit={entry.pk}"))
    assert len(page.select("form input[name=line]")) == 1
    assert page.select_one(f"#address-{entry.pk} input[name=line]")["value"] == entry.line  # type: ignore[index]  # one that is missing fails the test

    answer = client.post(f"/address/{entry.pk}/", type_into(entry, title="Home", line="Moda Caddesi 14"))

    assert (answer.status_code, answer["Location"]) == (303, "/address/")
    assert Address.objects.get(pk=entry.pk).line == "Moda Caddesi 14"
    assert Address.objects.get(pk=other.pk).line == "Elsewhere 1"


def test_what_is_wrong_is_told_field_by_field_and_what_was_typed_stays(client: Client, user: User) -> None:
    entry = make_address(user)
    body = type_into(entry, phone_number="12", township="", is_corporate="on")

    for path in ("/address/", f"/address/{entry.pk}/"):
        answer = client.post(path, body)
        page = read(answer)
        assert answer.status_code == 400
        assert [link.get_text() for link in page.select(".summary a")] == [
            "Phone number: Please enter a valid phone number.",
            "Township: Please choose a township of this city.",
            "Company: This field is required for a company.",
            "Tax office: This field is required for a company.",
            "Tax number: This field is required for a company.",
        ]
        for link in page.select(".summary a"):
            assert page.select_one(str(link["href"])) is not None
        assert [field["value"] for field in page.select("#id_line")] == ["Büyükdere Caddesi 100"]
    assert list(Address.objects.values_list("line", flat=True)) == [entry.line]


def test_a_choice_brings_the_places_inside_it_and_no_complaint(client: Client, user: User) -> None:
    entry = make_address(user)
    country = Country.objects.create(code="de", name="Deutschland")
    city = City.objects.create(country=country, name="Berlin")
    Township.objects.create(city=city, name="Mitte")
    body = type_into(entry, country=country.pk, city="", township="", places="1")

    page = read(client.post("/address/", body))
    assert [option.get_text() for option in page.select("#id_city option")] == ["Please choose", "Berlin"]
    page = read(client.post("/address/", {**body, "city": city.pk}))
    assert [option.get_text() for option in page.select("#id_township option")] == ["Please choose", "Mitte"]
    assert not page.select(".summary, .wrong")
    assert [field["value"] for field in page.select("#id_line")] == ["Büyükdere Caddesi 100"]
    assert Address.objects.count() == 1


@pytest.mark.parametrize("typed", ["x", "-1", "9" * 30, "\x00", "\u0661"])
def test_a_place_that_makes_no_sense_is_no_fault_of_ours(client: Client, user: User, typed: str) -> None:
    entry = make_address(user)

    for extra in ({}, {"places": "1"}):
        answer = client.post(
            "/address/", type_into(entry, country=typed, city=typed, township=typed, **extra)
        )
        assert answer.status_code == (200 if extra else 400)
    assert client.get(f"/address/?edit={typed}").status_code == 200
    assert Address.objects.count() == 1


def test_entries_are_preferred_and_removed_by_a_button(client: Client, user: User) -> None:
    first, second = make_address(user, primary=True), make_address(user, "Work")

    client.post(f"/address/{second.pk}/", {"prefer": "1"})
    assert Address.objects.get(primary=True).pk == second.pk
    client.post(f"/address/{second.pk}/", {"remove": "1"})

    assert [(entry.pk, entry.primary) for entry in Address.objects.all()] == [(first.pk, True)]


def test_an_entry_in_use_stays_and_says_why(client: Client, user: User) -> None:
    entry = make_address(user)
    AddressChange.objects.create(order=make_order(user), user=user, address={"pk": entry.pk})

    answer = client.post(f"/address/{entry.pk}/", {"remove": "1"}, follow=True)

    assert "a delivery uses this address" in read(answer).get_text()
    assert Address.objects.get() == entry


def test_a_foreign_entry_is_404_and_stays_as_it_is(client: Client, user: User) -> None:  # noqa: ARG001 - a fixture that only has to be there
    foreign = make_address(make_stranger())

    for body in ({"remove": "1"}, {"prefer": "1"}, type_into(foreign)):
        assert client.post(f"/address/{foreign.pk}/", body).status_code == 404
    page = read(client.get(f"/address/?edit={foreign.pk}"))
    assert foreign.line not in page.get_text()
    assert Address.objects.get().line == foreign.line


def test_a_longer_book_costs_no_more_queries(
    client: Client, user: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for n in range(12):
        make_address(user, str(n))

    with django_assert_num_queries(5):  # session with its user, addresses, countries, cities, points
        assert client.get("/address/").status_code == 200
