"""The same statement of withdrawal sent again is the same one, decided or not (contract section 3.5)."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from django.db.models import F
from django.test import Client

from aftercart.actions.withdraw.decide_withdrawal import refuse_withdrawal
from aftercart.cancellations.models import Submission
from aftercart.cancellations.models.withdrawals import Withdrawal
from aftercart.mail.models import Email
from aftercart.oms.connect import replace_client
from aftercart.orders.models import IdempotencyRecord, Order
from tests.emails import prove
from tests.http.browser import Browser
from tests.http.forms import read, read_fields
from tests.shop import Line, Shop, get_items, make_customer, make_order

pytestmark = pytest.mark.django_db

ALMOST, BARELY = timedelta(minutes=9, seconds=58), timedelta(minutes=10, seconds=1)


@pytest.fixture
def shop() -> Iterator[Shop]:
    """A shop where the rules stand against cancelling, so that a statement stays with people."""
    made = Shop([Line("550", is_final_sale=True), Line("550", is_final_sale=True)])
    with replace_client(made.fake):
        yield made


@pytest.fixture
def client(shop: Shop) -> Client:
    browser = Browser()
    browser.force_login(shop.user, backend="django.contrib.auth.backends.ModelBackend")
    return browser


def send(client: Client, shop: Shop, order: Order | None = None, *, key: str = "", **changes: Any) -> Any:
    """State it of the first item of the shop's order, or of another."""
    order = order or shop.order
    body = {"name": "Ayşe", "items": [get_items(order)[0].pk], **changes}
    headers = {"Idempotency-Key": key} if key else {}
    return client.post(
        f"/orders/{order.number}/withdraw/", body, content_type="application/json", headers=headers
    )


def refuse() -> None:
    """Have the newest statement refused, so that nothing stands against another one."""
    refuse_withdrawal(Withdrawal.objects.latest("pk").pk, make_customer(), "Sealed goods, opened.")


def count_receipts() -> int:
    return Email.objects.filter(kind="withdrawal_receipt").count()


@pytest.mark.parametrize("key", ["", "of a client"])
def test_a_repeat_gets_the_first_answer_though_the_statement_was_refused(
    client: Client, shop: Shop, key: str
) -> None:
    first = send(client, shop, key=key)
    refuse()

    replays = [send(client, shop, key=key) for _ in range(3)]

    assert (first.status_code, first.json()["state"]["value"]) == (201, "received")
    assert "Idempotency-Replayed" not in first.headers
    for replayed in replays:
        assert (replayed.status_code, replayed.json()) == (201, first.json())
        assert replayed["Idempotency-Replayed"] == "true"
    assert (Withdrawal.objects.count(), count_receipts()) == (1, 1)


@pytest.mark.parametrize(("age", "statements"), [(ALMOST, 1), (BARELY, 2)])
def test_a_body_alone_is_remembered_for_ten_minutes(
    client: Client, shop: Shop, age: timedelta, statements: int
) -> None:
    send(client, shop)
    refuse()
    IdempotencyRecord.objects.update(created_at=F("created_at") - age)

    again = send(client, shop)

    assert (again.status_code, "Idempotency-Replayed" in again.headers) == (201, statements == 1)
    assert (Withdrawal.objects.count(), count_receipts()) == (statements, statements)


def test_another_key_or_another_body_is_another_statement(client: Client, shop: Shop) -> None:
    for key, name in (("", "Ayşe"), ("of a client", "Ayşe"), ("", "Fatma")):
        assert "Idempotency-Replayed" not in send(client, shop, key=key, name=name).headers
        refuse()

    assert (Withdrawal.objects.count(), count_receipts()) == (3, 3)


def test_a_key_belongs_to_one_statement(client: Client, shop: Shop) -> None:
    other = make_order(shop.user, Line("550", is_final_sale=True))
    send(client, shop, key="k")

    answers = [send(client, shop, key="k", name="Fatma"), send(client, shop, other, key="k")]

    for answer in answers:
        assert (answer.status_code, answer.json()["code"]) == (422, "idempotency_key_reused")
    assert (Withdrawal.objects.count(), count_receipts()) == (1, 1)


def test_a_statement_that_stands_is_the_answer_to_other_words_and_their_repeats(
    client: Client, shop: Shop
) -> None:
    first = send(client, shop)

    others = [send(client, shop, name="Fatma", key=key) for key in ("", "k", "k")]
    refuse()
    others.append(send(client, shop, name="Fatma", key="k"))

    assert [other.json() for other in others] == [first.json()] * 4
    assert {other["Idempotency-Replayed"] for other in others} == {"true"}
    assert (Withdrawal.objects.count(), count_receipts()) == (1, 1)


def open_confirmation(client: Client, shop: Shop, **changes: Any) -> dict[str, Any]:
    """Go to the page that confirms; return what its button sends."""
    path = f"/orders/{shop.order.number}/withdraw/"
    [form, *_rest] = read(client.get(path)).select("main form")
    fields = {**read_fields(form), "name": "Ayşe", **changes, "step": "review"}
    return read_fields(read(client.post(path, fields)).select("main form")[0])


def test_a_page_sent_again_is_one_statement_and_a_page_opened_again_another(
    client: Client, shop: Shop
) -> None:
    path = f"/orders/{shop.order.number}/withdraw/"
    form = open_confirmation(client, shop)
    first = client.post(path, form)
    refuse()

    replayed = client.post(path, form)
    assert (replayed.status_code, replayed["Location"]) == (303, first["Location"])
    assert (Withdrawal.objects.count(), count_receipts()) == (1, 1)

    anew = open_confirmation(client, shop)
    assert anew["idempotency_key"] != form["idempotency_key"]
    second = client.post(path, anew)
    assert second.status_code == 303
    assert second["Location"] != first["Location"]
    assert (Withdrawal.objects.count(), count_receipts()) == (2, 2)


def test_a_page_changed_and_sent_again_under_its_key_is_asked_for_once_more(
    client: Client, shop: Shop
) -> None:
    path = f"/orders/{shop.order.number}/withdraw/"
    form = open_confirmation(client, shop)
    client.post(path, form)
    refuse()

    answer = client.post(path, {**form, "name": "Fatma"})

    assert answer.status_code == 409
    page = read(answer)
    assert "This form has been sent before." in page.select_one(".summary").get_text()  # type: ignore[union-attr]  # one that is missing fails the test
    assert Withdrawal.objects.count() == 1
    assert read_fields(page.select("main form")[0])["name"] == "Fatma"


def test_a_key_that_is_too_long_is_refused_by_page_and_program_alike(client: Client, shop: Shop) -> None:
    path = f"/orders/{shop.order.number}/withdraw/"
    form = open_confirmation(client, shop)

    page = client.post(path, form, headers={"Idempotency-Key": "k" * 256})
    program = send(client, shop, key="k" * 256)

    assert page.status_code == 400
    assert program.json() == {
        "Idempotency-Key": ["An Idempotency-Key has at most 255 characters."], "code": "max_length"
    }  # fmt: skip
    assert Withdrawal.objects.count() == 0
    assert client.post(path, form, headers={"Idempotency-Key": "k" * 255}).status_code == 303


def test_a_guests_page_sent_again_is_one_statement(shop: Shop) -> None:
    shop.order.user = None
    shop.order.save(update_fields=["user"])
    guest = Browser()
    prove(guest, shop.order)
    form = open_confirmation(guest, shop)
    path = f"/orders/{shop.order.number}/withdraw/"
    first = guest.post(path, form)
    refuse()

    replayed = guest.post(path, form)

    assert replayed["Location"] == first["Location"]
    assert (Withdrawal.objects.count(), count_receipts(), Submission.objects.count()) == (1, 1, 0)
