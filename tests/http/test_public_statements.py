"""Withdrawing without a log-in: what is recorded, whom it tells what, and how it becomes a withdrawal of an order."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from pytest_django import Settings

from aftercart.cancellations.models.public_statements import PublicStatement
from aftercart.cancellations.models.withdrawals import Withdrawal
from aftercart.mail.models import Email
from aftercart.oms.connect import replace_client
from aftercart.orders.models import OneTimeCode, Order, OrderItem, TimelineEntry
from tests.emails import read_code, send_emails
from tests.http.backoffice_world import log_in, make_staff
from tests.http.browser import Browser
from tests.http.forms import read, read_fields
from tests.http.guests.steps import sign
from tests.shop import Line, Shop

pytestmark = pytest.mark.django_db
DESK = "/backoffice/cancellations/publicstatement/"
TYPED = {"name": "Ayşe Yılmaz", "email": "ayse@example.com", "items": "The green shirt"}


@pytest.fixture
def shop() -> Iterator[Shop]:
    made = Shop([Line(), Line(quantity=2)])
    with replace_client(made.fake):
        yield made


@pytest.fixture
def guest_shop(shop: Shop) -> Shop:
    Order.objects.filter(pk=shop.order.pk).update(user=None, user_email="guest@example.com")
    shop.order.refresh_from_db()
    return shop


def state(client: Client, number: str, /, **typed: str) -> Any:
    return client.post("/withdraw/", TYPED | {"number": number} | typed)


def text_of(answer: Any) -> str:
    return " ".join(read(answer).main.get_text(" ").split())  # type: ignore[union-attr]  # one that is missing fails


def confirm(client: Client, path: str) -> Any:
    form = read_fields(read(client.get(path)).select("main form")[0])
    review = client.post(path.partition("?")[0], {"step": "review", **form, "name": "Ayşe"})
    return client.post(path.partition("?")[0], read_fields(read(review).select("main form")[0]))


def test_a_statement_is_recorded_and_acknowledged_at_once(shop: Shop) -> None:
    client = Browser()

    answer = state(client, shop.order.number)

    stated = PublicStatement.objects.get()
    assert (answer.status_code, answer["Location"]) == (303, f"/withdraw/{stated.uuid}/")
    assert (stated.name, stated.number, stated.items) == ("Ayşe Yılmaz", shop.order.number, "The green shirt")
    assert Withdrawal.objects.count() == 0
    receipt = text_of(client.get(answer["Location"]))
    assert f"{stated.submitted_at:%Y-%m-%d %H:%M:%S} UTC" in receipt
    assert str(stated.uuid) in receipt
    email = Email.objects.get()
    assert (email.kind, email.recipient, email.order) == ("withdrawal_stated", "ayse@example.com", None)
    assert email.facts["items"] == "The green shirt"
    send_emails()
    email.refresh_from_db()
    assert (email.state, email.secret) == ("sent", "")


def test_whether_there_is_such_an_order_is_not_told_and_not_even_asked(guest_shop: Shop) -> None:
    seen = []
    for number, email in (
        (guest_shop.order.number, "guest@example.com"),
        (guest_shop.order.number, "other@example.com"),
        ("ORD-2026-999999", "guest@example.com"),
    ):
        client = Browser()
        with CaptureQueriesContext(connection) as queries:
            answer = state(client, number, email=email)
        assert not any('FROM "orders_order"' in query["sql"] for query in queries)
        page = client.get(answer["Location"])
        asked = client.post(answer["Location"])
        hidden = re.sub(r'(value|content)="[A-Za-z0-9]{64}"', "", page.content.decode())
        for typed in (number, email, answer["Location"].split("/")[2]):
            hidden = hidden.replace(typed, "…")
        hidden = re.sub(r"\d\d:\d\d(:\d\d)?", "", hidden)
        seen.append((answer.status_code, asked.status_code, len(queries), hidden))

    assert len(set(seen)) == 1


def test_a_double_click_is_one_statement_and_one_e_mail(shop: Shop) -> None:
    answers = [state(Browser(), shop.order.number)["Location"] for _click in range(2)]

    assert answers[0] == answers[1]
    assert (PublicStatement.objects.count(), Email.objects.count()) == (1, 1)
    state(Browser(), shop.order.number, items="All of it")
    assert PublicStatement.objects.count() == 2


def test_a_strangers_address_gets_no_more_than_three_e_mails_an_hour_and_all_is_recorded() -> None:
    for number in range(5):
        answer = state(Browser(), f"ORD-{number}", email="Stranger@example.com")

    assert PublicStatement.objects.count() == 5
    assert Email.objects.filter(recipient="stranger@example.com").count() == 3
    assert "this address has received several receipts recently" in text_of(Browser().get(answer["Location"]))


def test_a_client_has_its_limit(settings: Settings) -> None:
    settings.GUEST_LOOKUPS_PER_CLIENT = 2

    answers = [state(Browser(), f"ORD-{number}") for number in range(3)]

    assert [answer.status_code for answer in answers] == [303, 303, 429]
    assert int(answers[2]["Retry-After"]) > 0
    assert PublicStatement.objects.count() == 2


@pytest.mark.parametrize("field", ["name", "number", "items"])
@pytest.mark.parametrize("link", ["https://example.org", "www.example.org", "Example.com", "a.example.to/x"])
def test_nothing_with_a_link_is_sent_on(field: str, link: str) -> None:
    answer = state(Browser(), "ORD-1", **{field: f"see {link} now"})

    assert answer.status_code == 400
    assert "Please do not include links." in text_of(answer)
    assert (PublicStatement.objects.count(), Email.objects.count()) == (0, 0)


@pytest.mark.parametrize("text", ["Dr.Müller", "me@example.com", "2 x T.Shirt M/L", "No.2/3"])
def test_what_only_looks_like_a_link_is_taken(text: str) -> None:
    assert state(Browser(), "ORD-1", items=text).status_code == 303


@pytest.mark.parametrize("field", ["name", "number", "items"])
@pytest.mark.parametrize("value", [7, 1.5, True, ["x"], {"x": 1}])
def test_what_is_no_text_is_none(field: str, value: object) -> None:
    body = {"name": "Ayşe", "number": "ORD-1", "email": "ayse@example.com", field: value}

    answer = Browser().post("/withdraw/", body, "application/json", headers={"accept": "application/json"})

    assert (answer.status_code, answer.json()[field]) == (400, ["Not a valid string."])
    assert not PublicStatement.objects.exists()


def test_its_owner_goes_straight_to_the_order_and_the_time_of_the_statement_counts(shop: Shop) -> None:
    """The period has ended between the two."""
    client = Browser()
    client.force_login(shop.user, backend="django.contrib.auth.backends.ModelBackend")
    answer = state(client, shop.order.number)
    stated = PublicStatement.objects.get()
    then = timezone.now() - timedelta(days=20)
    PublicStatement.objects.update(submitted_at=then)
    OrderItem.objects.update(status="550", delivered_at=then - timedelta(days=1))
    assert answer["Location"] == f"/withdraw/{stated.uuid}/order/"

    on = client.get(answer["Location"])
    path = f"/orders/{shop.order.number}/withdraw/?statement={stated.uuid}"
    assert (on.status_code, on["Location"]) == (303, path)
    assert "that time counts" in text_of(client.get(path))
    assert confirm(client, path).status_code == 303

    withdrawal = Withdrawal.objects.get()
    stated.refresh_from_db()
    assert (withdrawal.submitted_at, withdrawal.is_in_time) == (then, True)
    assert (stated.state, stated.withdrawal) == ("matched", withdrawal)
    assert f"{then:%Y-%m-%d %H:%M:%S} UTC" in text_of(
        client.get(f"/orders/{shop.order.number}/withdraw/{withdrawal.uuid}/")
    )


def test_a_statement_lends_its_time_once_and_to_its_own_number_only(shop: Shop) -> None:
    client = Browser()
    client.force_login(shop.user, backend="django.contrib.auth.backends.ModelBackend")
    state(client, "ORD-OTHER")
    stated = PublicStatement.objects.get()
    then = timezone.now() - timedelta(days=20)
    PublicStatement.objects.update(submitted_at=then)

    confirm(client, f"/orders/{shop.order.number}/withdraw/?statement={stated.uuid}")

    assert Withdrawal.objects.get().submitted_at > then
    assert PublicStatement.objects.get().state == "open"


def test_a_guest_withdraws_with_a_code_to_the_orders_own_address(guest_shop: Shop) -> None:
    client, number = Browser(), guest_shop.order.number
    receipt = state(client, number, email="guest@example.com")["Location"]

    asked = client.post(receipt)
    target = f"{receipt}order/"
    assert asked["Location"] == f"/orders/guest/code/?next={target.replace('/', '%2F')}"
    entered = client.post(asked["Location"], {"code": read_code(), "next": target})
    assert entered["Location"] == target
    on = client.get(target)
    assert confirm(client, on["Location"]).status_code == 303

    assert Withdrawal.objects.get().submitted_at == PublicStatement.objects.get().submitted_at


def test_a_guests_link_alone_withdraws_nothing(guest_shop: Shop) -> None:
    client = Browser()
    client.get(sign(guest_shop.order))

    receipt = state(client, guest_shop.order.number)["Location"]

    assert receipt == f"/withdraw/{PublicStatement.objects.get().uuid}/"
    assert client.get(f"{receipt}order/")["Location"].startswith("/orders/guest/code/?order=")
    assert (Withdrawal.objects.count(), OneTimeCode.objects.count()) == (0, 0)


def test_a_strangers_log_in_opens_nothing(guest_shop: Shop) -> None:
    receipt = state(Browser(), guest_shop.order.number)["Location"]
    stranger = Browser()
    stranger.force_login(guest_shop.user, backend="django.contrib.auth.backends.ModelBackend")

    assert stranger.get(f"{receipt}order/").status_code == 404
    assert Browser().get(f"{receipt}order/").status_code == 302
    assert Browser().get("/withdraw/7c9e6679-7425-40de-944b-e07fc1f90ae7/").status_code == 404


def test_where_nothing_is_offered_there_is_no_page_and_no_link(settings: Settings) -> None:
    link = 'href="/withdraw/"'
    assert link in Browser().get("/").content.decode()

    settings.WITHDRAWAL_COUNTRIES = frozenset()

    assert Browser().get("/withdraw/").status_code == 404
    assert link not in Browser().get("/").content.decode()


def test_as_json_it_is_accepted_without_a_token_and_tells_nothing_of_the_order(shop: Shop) -> None:
    client, bodies = Client(enforce_csrf_checks=True), []
    for number in (shop.order.number, "ORD-2026-999999", shop.order.number):
        answer = client.post("/withdraw/", TYPED | {"number": number}, "application/json")
        assert answer.status_code == 202
        bodies.append(answer.json())

    assert bodies[2] == bodies[0] != bodies[1]
    assert [body.keys() for body in bodies[:2]] == [bodies[0].keys()] * 2
    first = PublicStatement.objects.order_by("pk")[0]
    assert bodies[0]["receipt_url"].endswith(f"/withdraw/{first.uuid}/")
    assert (bodies[0]["uuid"], bodies[0]["is_acknowledged"]) == (str(first.uuid), True)
    assert PublicStatement.objects.count() == 2


# --- staff ---------------------------------------------------------------------------------------------------


def make_matcher() -> Client:
    return log_in(make_staff("view_publicstatement", "change_publicstatement", "view_order"))


def test_staff_match_a_statement_and_its_own_time_is_judged(shop: Shop) -> None:
    state(Browser(), shop.order.number.lower())
    stated = PublicStatement.objects.get()
    then = timezone.now() - timedelta(days=20)
    PublicStatement.objects.update(submitted_at=then)
    OrderItem.objects.update(status="550", delivered_at=then - timedelta(days=1))
    staff, path = make_matcher(), f"{DESK}{stated.pk}/match/"

    assert f"#{stated.pk}" in staff.get(DESK).content.decode()
    assert "There is no order with this number." in staff.get(f"{DESK}{stated.pk}/change/").content.decode()
    asked = staff.post(path, {"number": shop.order.number, "shown": stated.number})
    assert Withdrawal.objects.count() == 0
    form = read(asked).select_one("form.bo-panel")
    fields = read_fields(form)
    assert len(fields["items"]) == 2
    answer = staff.post(path, {**fields, "items": fields["items"][:1]})

    assert answer.status_code == 302
    withdrawal = Withdrawal.objects.get()
    stated.refresh_from_db()
    assert (withdrawal.submitted_at, withdrawal.is_in_time) == (then, True)
    assert (withdrawal.email, withdrawal.lines.count()) == (shop.user.email, 1)
    assert (stated.state, stated.withdrawal) == ("matched", withdrawal)
    assert stated.settled_by is not None
    event = TimelineEntry.objects.get(event="withdrawal_received")
    assert (event.actor, event.user) == ("staff", stated.settled_by)
    assert Email.objects.filter(kind="withdrawal_receipt").count() == 1
    assert "already been matched" in staff.post(path, fields, follow=True).content.decode()
    assert Withdrawal.objects.count() == 1


def test_staff_close_what_belongs_to_no_order_with_a_reason_and_nobody_is_told() -> None:
    state(Browser(), "ORD-1")
    stated, staff = PublicStatement.objects.get(), make_matcher()
    path = f"{DESK}{stated.pk}/close/"

    assert staff.post(path, {"reason": " "}).status_code == 200
    assert PublicStatement.objects.get().state == "open"
    staff.post(path, {"reason": "Another shop's number."})

    stated.refresh_from_db()
    assert (stated.state, stated.reason) == ("closed", "Another shop's number.")
    assert Email.objects.count() == 1
    assert (
        "already been matched or closed"
        in staff.post(path, {"reason": "Again."}, follow=True).content.decode()
    )
    assert PublicStatement.objects.get().reason == "Another shop's number."


def test_who_may_only_look_decides_nothing(shop: Shop) -> None:
    state(Browser(), shop.order.number)
    pk, reader = PublicStatement.objects.get().pk, log_in(make_staff("view_publicstatement"))

    assert "Match to an order" not in reader.get(f"{DESK}{pk}/change/").content.decode()
    for verb in ("match", "close"):
        assert reader.post(f"{DESK}{pk}/{verb}/", {"reason": "No."}).status_code == 403
    assert make_matcher().get(f"{DESK}999999/match/").status_code == 404
