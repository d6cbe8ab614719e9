"""Guests on the pages: a link lets them look, a code lets them act, and strangers learn nothing."""

import re
from datetime import timedelta
from importlib import import_module
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from aftercart.accounts.document import address_document
from aftercart.accounts.models import City, Session, Township
from aftercart.actions.revoke_links import revoke_links
from aftercart.cancellations.models import AddressChange, Submission, SubmissionLine
from aftercart.lib.links import Purpose, sign_number
from aftercart.omnitron.connect import replace_client
from aftercart.omnitron.fake import FakeOmnitron
from aftercart.orders.models import GuestCode, IdempotencyRecord, Order, TimelineEntry
from tests.http.forms import read, read_fields
from tests.letters import prove, read_code
from tests.shop import (
    Line,
    get_items,
    get_statuses,
    load_into,
    make_address,
    make_company,
    make_customer,
    make_order,
    make_reason,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def fake() -> Any:
    made = FakeOmnitron()
    with replace_client(made):
        yield made


@pytest.fixture
def order(fake: FakeOmnitron) -> Order:
    """A guest's order, on its way to an address whose places we know."""
    snapshot = address_document(make_address(make_customer()))
    made = make_order(None, shipping_address=snapshot)
    load_into(fake, made)
    return made


def sign(order: Order, purpose: Purpose = "guest-view") -> str:
    token = sign_number(order.number, purpose=purpose, link_version=order.link_version)
    return f"/orders/guest/{token}/"


def text_of(response: Any) -> str:
    return re.sub(r"\s+", " ", BeautifulSoup(response.content.decode(), "html.parser").get_text(" "))


def ask(client: Client, number: str, email: str = "guest@example.com") -> Any:
    return client.post("/orders/guest/", {"number": number, "email": email})


# --- looking -----------------------------------------------------------------------------------------------


def test_a_guests_link_shows_the_order_and_asks_for_a_code_before_anything_changes(
    client: Client, order: Order
) -> None:
    answer = client.get(sign(order))

    assert answer.status_code == 200
    assert order.number in text_of(answer)
    assert client.get(f"/users/orders/{order.pk}/").status_code == 200
    for path in (f"/orders/{order.number}/cancel/", f"/orders/change-address/?order={order.pk}"):
        step = client.get(path)
        assert step.status_code == 303
        assert step["Location"].startswith(f"/orders/guest/code/?order={order.pk}&next=")
        assert order.number in text_of(client.get(step["Location"]))


def test_a_link_alone_cancels_nothing(client: Client, order: Order, fake: FakeOmnitron) -> None:
    client.get(sign(order))
    item, reason = get_items(order)[0], make_reason()

    answer = client.post(f"/orders/{order.number}/cancel/", choose(item.pk, reason.pk))

    assert answer.status_code == 303
    assert answer["Location"].startswith("/orders/guest/code/")
    assert not Submission.objects.exists()
    assert fake.posts == []


def test_a_link_of_another_purpose_or_to_a_customers_order_or_revoked_is_404(client: Client) -> None:
    customer = make_customer()
    guests = make_order(None)

    for path in (
        sign(guests, "completed"),
        sign(guests, "guest-cancel"),
        sign(make_order(customer)),
        f"/orders/guest/{guests.number}/",
    ):
        assert client.get(path).status_code == 404
    stale = sign(guests)
    revoke_links(guests.number)
    assert client.get(stale).status_code == 404
    assert "guest_orders" not in client.session


def test_revoking_the_links_ends_what_sessions_may(client: Client, order: Order) -> None:
    prove(client, order)
    assert client.get(f"/users/orders/{order.pk}/").status_code == 200

    revoke_links(order.number)

    assert client.get(f"/users/orders/{order.pk}/")["Location"].startswith("/users/login/")
    assert client.get(f"/orders/{order.number}/cancel/")["Location"].startswith("/users/login/")


def test_a_guests_link_is_no_key_to_the_customers_page(client: Client) -> None:
    customer = make_customer()
    order = make_order(customer)
    client.force_login(customer, backend="django.contrib.auth.backends.ModelBackend")
    token = sign_number(order.number, purpose="guest-view", link_version=1)

    assert client.get(f"/orders/completed/{token}/").status_code == 404


def test_a_customer_may_also_be_the_guest_of_an_order_and_of_no_other(client: Client, order: Order) -> None:
    customer = make_customer()
    own, other = make_order(customer), make_order(None)
    client.force_login(customer, backend="django.contrib.auth.backends.ModelBackend")
    client.get(sign(order))

    assert client.get(f"/users/orders/{own.pk}/").status_code == 200
    assert client.get(f"/users/orders/{order.pk}/").status_code == 200
    assert client.get(f"/users/orders/{other.pk}/").status_code == 404


def test_what_a_link_opened_closes_after_an_hour(
    client: Client, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.get(sign(order))

    pass_time(monkeypatch, timedelta(minutes=59))
    assert client.get(f"/users/orders/{order.pk}/").status_code == 200
    pass_time(monkeypatch, timedelta(minutes=61))
    assert client.get(f"/users/orders/{order.pk}/")["Location"].startswith("/users/login/")


def pass_time(monkeypatch: pytest.MonkeyPatch, wait: timedelta) -> None:
    then = timezone.now() + wait
    for module in ("customer", "guest"):
        monkeypatch.setattr(import_module(f"aftercart.pages.views.{module}"), "get_now", lambda: then)


# --- the code ----------------------------------------------------------------------------------------------


def test_whatever_is_typed_the_answer_is_the_same_to_the_letter(order: Order) -> None:
    customer = make_customer()
    pages = []
    for number, email in (
        (order.number, "guest@example.com"),
        (order.number, "somebody@example.com"),
        ("ORD-2026-999999", "guest@example.com"),
        (make_order(customer).number, customer.email),
    ):
        client = Client()
        answer = ask(client, number, email)
        assert (answer.status_code, answer["Location"]) == (303, "/orders/guest/code/")
        wrong = client.post("/orders/guest/code/", {"code": "nothing"})
        assert wrong.status_code == 400
        pages.append((mask(client.get("/orders/guest/code/")), mask(wrong)))

    assert len(set(pages)) == 1
    assert "If there is such an order" in pages[0][0]


def mask(response: Any) -> str:
    return re.sub(r'(value|content)="[A-Za-z0-9]{64}"', "", response.content.decode())


def test_the_right_code_opens_the_order_and_lets_the_guest_cancel(
    client: Client, order: Order, fake: FakeOmnitron
) -> None:
    reason = make_reason()

    entered = prove(client, order)

    assert (entered.status_code, entered["Location"]) == (303, f"/users/orders/{order.pk}/")
    page = client.get(f"/orders/{order.number}/cancel/")
    assert page.status_code == 200
    answer = confirm(client, order, look(client, order, choose(get_items(order)[0].pk, reason.pk)))
    submission = Submission.objects.get()
    result = f"/orders/{order.number}/cancel/{submission.uuid}/"
    assert (answer.status_code, answer["Location"]) == (303, result)
    assert get_statuses(order) == ["50"]
    assert [post.call for post in fake.posts] == ["cancel_items"]
    assert (submission.user, submission.state) == (None, "applied")
    said = client.get(result)
    assert "Your cancellation has been sent" in text_of(said)
    assert "My orders" not in text_of(said)
    version = Order.objects.get(pk=order.pk).version
    for path in (result, f"/users/orders/{order.pk}/"):
        assert client.get(f"{path}?version={version}").status_code == 204
        assert client.get(f"{path}?version={version - 1}").status_code == 200
    receipt = f"/users/orders/{order.pk}/receipt/"
    assert "This receipt is for your records." in text_of(client.get(receipt))
    for path in (result, receipt):
        assert Client().get(path)["Location"].startswith("/users/login/")
    actors = set(TimelineEntry.objects.filter(order=order).values_list("actor", "user"))
    assert [(actor, user is None) for actor, user in actors] == [("customer", True)]


def choose(item: int, reason: int, kind: str = "cancel", **fields: Any) -> dict[str, Any]:
    return {
        f"item-{item}-is_chosen": "on",
        f"item-{item}-cancellation_type": kind,
        f"item-{item}-quantity": "1",
        f"item-{item}-reason": str(reason),
        **fields,
    }


def look(client: Client, order: Order, fields: dict[str, Any]) -> dict[str, Any]:
    """Take the first step; give what a browser would send of the second."""
    answer = client.post(f"/orders/{order.number}/cancel/", {**fields, "step": "quote"})
    assert answer.status_code == 200
    return read_fields(read(answer).select_one("main form[data-once]"))


def confirm(client: Client, order: Order, second: dict[str, Any]) -> Any:
    """Take the second step, with its tick."""
    return client.post(f"/orders/{order.number}/cancel/", {**second, "step": "send", "return_policy": "on"})


def test_the_same_form_sent_twice_by_a_guest_is_one_cancellation(
    client: Client, order: Order, fake: FakeOmnitron
) -> None:
    prove(client, order)
    second = look(client, order, choose(get_items(order)[0].pk, make_reason().pk))

    answers = [confirm(client, order, second) for _ in range(3)]

    result = f"/orders/{order.number}/cancel/{Submission.objects.get().uuid}/"
    assert [(answer.status_code, answer["Location"]) for answer in answers] == [(303, result)] * 3
    assert len(fake.posts) == 1
    record = IdempotencyRecord.objects.get()
    assert (record.user_id, record.guest_order_id, record.key) == (None, order.pk, second["idempotency_key"])


def test_a_guest_is_offered_no_points_and_gets_none(client: Client, order: Order, fake: FakeOmnitron) -> None:
    prove(client, order)
    second = look(client, order, choose(get_items(order)[0].pk, make_reason().pk))
    assert [name for name in second if name.startswith("quote-")] == ["quote-payment_method"]

    answer = confirm(client, order, {**second, "destination": "loyalty"})

    assert answer.status_code == 400
    assert not Submission.objects.exists()
    assert fake.posts == []


def test_a_step_goes_on_where_it_was_asked_for(client: Client, order: Order) -> None:
    client.get(sign(order))
    step = client.get(f"/orders/{order.number}/cancel/")["Location"]
    page = BeautifulSoup(client.get(step).content, "html.parser")
    form = {field["name"]: field["value"] for field in page.select("main input[type=hidden]")}

    sent = client.post("/orders/guest/code/", {**form, "send": "1"})

    assert sent.status_code == 303
    entered = client.post(sent["Location"], {"code": read_code()})
    assert entered["Location"] == f"/orders/{order.number}/cancel/"
    assert client.get(entered["Location"]).status_code == 200


def test_nobody_is_sent_elsewhere_by_a_code(client: Client, order: Order) -> None:
    ask(client, order.number)

    entered = client.post("/orders/guest/code/", {"code": read_code(), "next": "https://evil.example/"})

    assert entered["Location"] == f"/users/orders/{order.pk}/"


def test_after_a_quarter_of_an_hour_the_guest_may_look_and_no_longer_act(
    client: Client, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    prove(client, order)
    second = look(client, order, choose(get_items(order)[0].pk, make_reason().pk))
    result = confirm(client, order, second)["Location"]

    pass_time(monkeypatch, timedelta(minutes=14))
    assert client.get(f"/orders/{order.number}/cancel/").status_code == 200
    pass_time(monkeypatch, timedelta(minutes=16))
    assert client.get(f"/orders/{order.number}/cancel/")["Location"].startswith("/orders/guest/code/")
    assert client.get(f"/users/orders/{order.pk}/").status_code == 200
    assert client.get(result).status_code == 200


def test_a_code_for_one_order_opens_no_other(client: Client, order: Order) -> None:
    other = make_order(None)
    prove(client, order)

    assert client.get(f"/orders/{other.number}/cancel/")["Location"].startswith("/users/login/")
    assert client.get(f"/orders/change-address/?order={other.pk}")["Location"].startswith("/users/login/")


def test_a_session_that_somebody_else_knows_is_left_behind(client: Client, order: Order) -> None:
    ask(client, order.number)
    planted = client.cookies["sessionid"].value

    client.post("/orders/guest/code/", {"code": read_code()})

    assert client.cookies["sessionid"].value != planted
    assert client.cookies["osessionid"].value == client.cookies["sessionid"].value
    assert not Session.objects.filter(session_key=planted).exists()
    thief = Client()
    thief.cookies["sessionid"] = planted
    assert thief.get(f"/orders/{order.number}/cancel/")["Location"].startswith("/users/login/")


def test_a_code_without_a_wish_is_wrong(client: Client) -> None:
    assert client.post("/orders/guest/code/", {"code": "123456"}).status_code == 400
    assert client.get("/orders/guest/code/")["Location"] == "/orders/guest/"
    assert client.post("/orders/guest/code/", {"send": "1", "order": "1"})["Location"] == "/orders/guest/"


@pytest.mark.parametrize("number", ["", "\x00", "x" * 65])
def test_what_is_no_number_is_told_and_asks_for_nothing(client: Client, number: str) -> None:
    assert ask(client, number).status_code == 400
    assert not GuestCode.objects.exists()


def test_who_asks_too_often_is_told_to_wait(client: Client, order: Order, settings: Settings) -> None:
    settings.GUEST_LOOKUPS = 2

    answers = [ask(client, order.number) for _ in range(3)]

    assert [answer.status_code for answer in answers] == [303, 303, 429]
    assert 1 <= int(answers[2]["Retry-After"]) <= 600
    assert GuestCode.objects.count() == 2


def test_a_form_without_its_token_is_refused(order: Order) -> None:
    client = Client(enforce_csrf_checks=True)

    assert ask(client, order.number).status_code == 403
    assert client.post("/orders/guest/code/", {"code": "123456"}).status_code == 403
    assert not GuestCode.objects.exists()


# --- returning and moving ----------------------------------------------------------------------------------


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
    assert {"First name: This field is required.", "Phone number: This is not a valid phone number."} <= {
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


def test_the_pages_of_guests_are_kept_out_of_caches(client: Client, order: Order) -> None:
    prove(client, order)
    pages = [client.get(path) for path in ("/orders/guest/", f"/users/orders/{order.pk}/")]

    assert all("no-store" in page["Cache-Control"] for page in pages)
