"""The address book and its places as the storefront calls them (contract section 5)."""

from typing import Any

import pytest
from pytest_django import DjangoAssertNumQueries

from aftercart.accounts.models import Address, City, Country, District, Township, User
from tests.http.conftest import Api
from tests.shop import make_address, make_customer

pytestmark = pytest.mark.django_db
PLACES = ("/address/country/", "/address/city/", "/address/township/", "/address/district/")


@pytest.fixture
def user(api: Api) -> User:
    made = make_customer()
    api.log_in(made)
    return made


def make_body(address: Address, **fields: Any) -> dict[str, Any]:
    return {
        "title": "Work",
        "first_name": "Ayşe",
        "last_name": "Yılmaz",
        "phone_number": "05321234567",
        "country": str(address.country_id),
        "city": str(address.city_id),
        "township": str(address.township_id),
        "district": "",
        "line": "Büyükdere Caddesi 100",
        "is_corporate": "false",
        "e_bill_taxpayer": None,
        **fields,
    }


def send(api: Api, method: str, path: str, body: Any = None) -> Any:
    return getattr(api.client, method)(
        path, body or {}, content_type="application/json", headers=api._headers(None)
    )


def test_nobody_sees_anything_without_a_log_in(api: Api) -> None:
    entry = make_address(make_customer())

    for method, path in (
        ("get", "/address/"),
        ("post", "/address/"),
        ("get", "/address/detailed/"),
        ("patch", f"/address/{entry.pk}/"),
        ("delete", f"/address/{entry.pk}/"),
        *(("get", path) for path in PLACES),
    ):
        answer = api.client.generic(
            method.upper(),
            path,
            "{}",
            content_type="application/json",
            headers={"accept": "application/json"},
        )
        assert answer.status_code == 401, path
        assert answer.json() == {
            "detail": "Authentication credentials were not provided.",
            "code": "not_authenticated",
        }
    assert Address.objects.get().line == entry.line


def test_the_book_is_listed_newest_first_in_pages(api: Api, user: User) -> None:
    pks = [make_address(user, title=str(n)).pk for n in range(3)]
    make_address(make_customer())

    page = api.get("/address/?limit=2").json()

    assert [row["pk"] for row in page["results"]] == [pks[2], pks[1]]
    assert (page["count"], page["previous"]) == (3, None)
    assert page["next"].endswith("/address/?limit=2&page=2")
    whole = api.get("/address/detailed/").json()
    assert [row["pk"] for row in whole["results"]] == pks[::-1]
    assert whole["next"] is None


def test_a_longer_book_costs_no_more_queries(
    api: Api, user: User, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for n in range(25):
        make_address(user, title=str(n))

    with django_assert_num_queries(3):  # session with its user, count, addresses with their places
        assert len(api.get("/address/detailed/").json()["results"]) == 25


def test_an_address_is_added_as_the_storefronts_form_sends_it(api: Api, user: User) -> None:
    known = make_address(user)

    answer = api.post("/address/", make_body(known, type="personal", country_code="+90", tax_no=12))

    assert answer.status_code == 201
    entry = Address.objects.get(pk=answer.json()["pk"])
    assert (entry.user, entry.phone_number, entry.tax_no, entry.district) == (user, "05321234567", "12", None)
    assert answer.json()["primary"] is True
    assert answer.json()["is_corporate"] is False
    assert answer.json()["city"]["name"] == "İstanbul"
    assert api.post("/address/", make_body(known, tax_no=12)).status_code == 200
    assert Address.objects.count() == 2


@pytest.mark.parametrize(
    "body",
    [
        [],
        "text",
        None,
        {"city": {}},
        {"city": [1]},
        {"country": 2**63, "city": 2**70},
        {"line": "\x00", "title": "\ud800", "phone_number": {}},
        {"title": "x" * 129, "line": "x" * 513, "postcode": "x" * 21, "notes": "x" * 1001},
        {"is_corporate": "perhaps", "e_bill_taxpayer": [], "primary": {}},
        {"is_corporate": {}, "identity_number": "x" * 33},
    ],
)
def test_nothing_that_is_sent_makes_us_fail(api: Api, user: User, body: Any) -> None:
    entry = make_address(user)
    whole = make_body(entry, **body) if isinstance(body, dict) else body

    assert api.post("/address/", whole).status_code == 400
    if body:
        assert send(api, "patch", f"/address/{entry.pk}/", body).status_code == 400
    assert Address.objects.count() == 1
    assert Address.objects.get().line == entry.line


def test_an_entry_is_changed_in_parts_preferred_and_removed(api: Api, user: User) -> None:
    first, second = make_address(user), make_address(user, title="Work")

    changed = send(
        api, "patch", f"/address/{first.pk}/", {"line": "Elsewhere 1", "user": 7, "type": "personal"}
    )
    preferred = send(api, "patch", f"/address/{second.pk}/", {"primary": True})

    assert (changed.status_code, changed.json()["line"]) == (200, "Elsewhere 1")
    assert (preferred.status_code, preferred.json()["primary"]) == (200, True)
    assert Address.objects.get(pk=first.pk).user == user
    gone = send(api, "delete", f"/address/{first.pk}/")
    assert (gone.status_code, gone.content) == (204, b"")
    assert list(Address.objects.values_list("pk", flat=True)) == [second.pk]


def test_a_foreign_entry_is_not_found_in_every_way(api: Api, user: User) -> None:  # noqa: ARG001 - a fixture that only has to be there
    foreign = make_address(make_customer())

    for method in ("patch", "delete"):
        answers = [
            send(api, method, f"/address/{pk}/", {"line": "Mine"}) for pk in (foreign.pk, 10**9, 10**30)
        ]
        assert [answer.status_code for answer in answers] == [404] * 3
        assert len({answer.content for answer in answers}) == 1
    assert send(api, "put", f"/address/{foreign.pk}/", {}).status_code == 405
    assert Address.objects.get().line == foreign.line


def test_places_lie_in_each_other_and_only_active_ones_are_offered(api: Api, user: User) -> None:
    entry = make_address(user)
    country, city, township = entry.country, entry.city, entry.township
    district = District.objects.create(township=township, name="Moda")
    first = City.objects.create(country=country, name="Zonguldak", priority=1)
    City.objects.create(country=country, name="Ankara", is_active=False)
    other = Country.objects.create(code="de", name="Deutschland")
    City.objects.create(country=other, name="Berlin")
    Township.objects.create(city=first, name="Ereğli")
    Country.objects.create(code="at", name="Österreich", is_active=False)

    def names(path: str) -> list[str]:
        answer = api.get(path)
        assert answer.status_code == 200, answer.content
        return [row["name"] for row in answer.json()["results"]]

    assert names("/address/country/") == ["Deutschland", "TR"]
    assert names(f"/address/city/?country={country.pk}") == ["Zonguldak", "İstanbul"]
    assert names(f"/address/township/?city={city.pk}") == ["Kadıköy"]
    assert names(f"/address/district/?township={township.pk}") == ["Moda"]
    assert names("/address/city/?country=999999") == []
    assert names("/address/city/?retailstore__isnull=false") == []
    assert api.get(f"/address/district/?township={township.pk}").json()["results"] == [
        {
            "pk": district.pk,
            "name": "Moda",
            "is_active": True,
            "postcode": "",
            "city": city.pk,
            "township": township.pk,
        }
    ]


@pytest.mark.parametrize("query", ["x", "1.5", "-1", "0", "9" * 30, "%00", "1,2"])
def test_a_filter_that_makes_no_sense_is_told(api: Api, user: User, query: str) -> None:  # noqa: ARG001 - a fixture that only has to be there
    answer = api.get(f"/address/city/?country={query}")

    assert answer.status_code == 400
    assert set(answer.json()) == {"country", "code"}


def test_all_townships_of_a_city_come_on_one_page(api: Api, user: User) -> None:
    city = make_address(user).city
    Township.objects.bulk_create(Township(city=city, name=f"Township {n:03}") for n in range(150))

    page = api.get(f"/address/township/?city={city.pk}").json()

    assert (page["count"], len(page["results"]), page["next"]) == (151, 151, None)
