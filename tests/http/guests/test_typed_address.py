"""A guest types an address: where a return is collected, and where an order goes."""

from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.test import Client

from aftercart.accounts.models import City, Township
from aftercart.cancellations.models import AddressChange, Submission, SubmissionLine
from aftercart.orders.models import Order
from tests.emails import prove
from tests.fake_omnitron import FakeOmnitron
from tests.http.guests.steps import choose, confirm, look
from tests.shop import Line, get_items, get_statuses, load_into, make_company, make_order, make_reason

pytestmark = pytest.mark.django_db


def type_address(order: Order, prefix: str = "", **fields: Any) -> dict[str, Any]:
    snapshot: dict[str, Any] = order.shipping_address or {}
    typed = {
        "title": "Mother",
        "first_name": "Fatma",
        "last_name": "Kaya",
        "phone_number": "0532 123 45 67",
        "country": snapshot["country"]["pk"],
        "city": snapshot["city"]["pk"],
        "township": snapshot["township"]["pk"],
        "line": "Bağdat Caddesi 1",
        **fields,
    }
    return {f"{prefix}{name}": value for name, value in typed.items()}


def test_a_guest_types_where_a_return_is_collected(client: Client, order: Order, fake: FakeOmnitron) -> None:
    back = make_order(None, Line(status="550"), status="550", shipping_address=order.shipping_address)
    load_into(fake, back)
    company, reason = make_company(), make_reason("refund")
    prove(client, back)
    item = get_items(back)[0].pk
    page = client.get(f"/orders/{back.number}/cancel/")
    assert 'name="pickup-line"' in page.content.decode()

    wrong = choose(
        item, reason.pk, "refund", **type_address(back, "pickup-", township=""), shipping_company=company.pk
    )
    answer = client.post(f"/orders/{back.number}/cancel/", wrong)
    assert answer.status_code == 400
    assert [
        (link["href"], link.get_text())
        for link in BeautifulSoup(answer.content, "html.parser").select(".summary a")
    ] == [("#id_pickup-township", "Township: Please choose a township of this city.")]
    assert not Submission.objects.exists()
    right = choose(item, reason.pk, "refund", **type_address(back, "pickup-"), shipping_company=company.pk)
    second = look(client, back, right)
    assert {name: second[name] for name in second if name.startswith("pickup-")} == {
        name: str(value) for name, value in type_address(back, "pickup-").items()
    }
    assert not Submission.objects.exists()
    assert confirm(client, back, second).status_code == 303

    pickup = SubmissionLine.objects.get().pickup_address or {}
    assert (pickup["line"], pickup["phone_number"], pickup["city"]["name"]) == (
        "Bağdat Caddesi 1",
        "05321234567",
        "İstanbul",
    )
    assert get_statuses(back) == ["50"]


def test_the_places_of_a_collection_are_asked_for_and_nothing_typed_is_lost(
    client: Client, order: Order, fake: FakeOmnitron
) -> None:
    back = make_order(None, Line(status="550"), status="550", shipping_address=order.shipping_address)
    load_into(fake, back)
    company, reason = make_company(), make_reason("refund")
    prove(client, back)
    city = City.objects.create(country_id=type_address(order)["country"], name="Ankara")
    Township.objects.create(city=city, name="Çankaya")
    typed = type_address(back, "pickup-", city=city.pk, township="", line="Atatürk Bulvarı 1")
    body = choose(get_items(back)[0].pk, reason.pk, "refund", **typed, shipping_company=company.pk)

    page = client.post(f"/orders/{back.number}/cancel/", {**body, "places": "1"})

    assert page.status_code == 200
    soup = BeautifulSoup(page.content, "html.parser")
    assert [option.get_text() for option in soup.select("#id_pickup-township option")] == [
        "Please choose",
        "Çankaya",
    ]
    assert [field["value"] for field in soup.select("#id_pickup-line")] == ["Atatürk Bulvarı 1"]
    assert soup.select(f"#id_item-{get_items(back)[0].pk}-is_chosen[checked]")
    assert not soup.select(".wrong")
    assert not Submission.objects.exists()


def test_a_guest_types_where_the_order_goes(client: Client, order: Order, fake: FakeOmnitron) -> None:
    prove(client, order)
    page = client.get(f"/orders/change-address/?order={order.pk}")
    assert 'name="line" value="' in page.content.decode()  # what it is now, to be changed

    answer = client.post("/orders/change-address/", {"order": order.pk, **type_address(order)})

    assert answer.status_code == 303
    changed = Order.objects.get(pk=order.pk).shipping_address
    assert changed is not None
    assert (changed["first_name"], changed["line"]) == ("Fatma", "Bağdat Caddesi 1")
    assert [post.call for post in fake.posts] == ["change_address"]
    change = AddressChange.objects.get()
    assert (change.user, change.state) == (None, "confirmed")
    assert isinstance(change.address["pk"], int)  # Omnitron wants one


def test_a_typed_address_that_makes_no_sense_changes_nothing(
    client: Client, order: Order, fake: FakeOmnitron
) -> None:
    prove(client, order)

    body = {"order": order.pk, **type_address(order, phone_number="1", first_name="")}
    answer = client.post("/orders/change-address/", body)

    assert answer.status_code == 400
    assert {"First name: This field is required.", "Phone number: Please enter a valid phone number."} <= {
        link.get_text() for link in BeautifulSoup(answer.content, "html.parser").select(".summary a")
    }
    assert not AddressChange.objects.exists()
    assert fake.posts == []


def test_choosing_a_city_brings_its_townships_without_javascript(client: Client, order: Order) -> None:
    prove(client, order)
    city = City.objects.create(country_id=type_address(order)["country"], name="Ankara")
    Township.objects.create(city=city, name="Çankaya")
    body = {"order": order.pk, **type_address(order, city=city.pk, township=""), "places": "1"}

    page = client.post("/orders/change-address/", body)

    assert page.status_code == 200
    soup = BeautifulSoup(page.content, "html.parser")
    assert [option.get_text() for option in soup.select("#id_township option")] == [
        "Please choose",
        "Çankaya",
    ]
    assert [field["value"] for field in soup.select("#id_line")] == ["Bağdat Caddesi 1"]
    assert not soup.select(".wrong")
    assert not AddressChange.objects.exists()
