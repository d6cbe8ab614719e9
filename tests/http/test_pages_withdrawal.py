"""The withdrawal function on pages: in sight, two steps, one button that confirms, a receipt. No JavaScript."""

import re
from collections.abc import Iterator
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from aftercart.cancellations.models import Submission
from aftercart.cancellations.models.withdrawals import Withdrawal
from aftercart.lib.links import sign_number
from aftercart.mail.models import Email
from aftercart.oms.connect import replace_client
from aftercart.orders.models import Order, OrderItem
from tests.emails import prove
from tests.http.browser import Browser
from tests.http.forms import read, read_fields
from tests.shop import Line, Shop, get_statuses, make_customer, make_order

pytestmark = pytest.mark.django_db
HERE = "Withdraw from contract here"


@pytest.fixture
def shop() -> Iterator[Shop]:
    made = Shop([Line(), Line(quantity=2)])
    with replace_client(made.fake):
        yield made


@pytest.fixture
def client(shop: Shop) -> Client:
    browser = Browser()
    browser.force_login(shop.user, backend="django.contrib.auth.backends.ModelBackend")
    return browser


def say(page: BeautifulSoup) -> str:
    assert page.main is not None
    return " ".join(page.main.get_text(" ").split())


def fill(page: BeautifulSoup, place: int = 0) -> dict[str, Any]:
    """Read what would be sent of a form, by its place on the page."""
    return read_fields(page.select("main form")[place])


def confirm(client: Client, path: str, **changes: Any) -> Any:
    form = read(client.get(path))
    review = read(client.post(path, {**fill(form), **changes, "step": "review"}))
    return client.post(path, fill(review))


def test_the_link_stands_on_the_orders_page_through_the_period(client: Client, shop: Shop) -> None:
    path = f"/users/orders/{shop.order.pk}/"
    link = read(client.get(path)).find("a", string=HERE)
    assert link is not None
    assert link["href"] == f"/orders/{shop.order.number}/withdraw/"

    delivered = timezone.now() - timedelta(days=3)
    OrderItem.objects.filter(order=shop.order).update(status="550", delivered_at=delivered)
    page = client.get(path)
    assert HERE in page.content.decode()
    assert re.search(r"until \d+ \w+ \d{4}, without giving a reason\.", say(read(page)))

    OrderItem.objects.filter(order=shop.order).update(delivered_at=timezone.now() - timedelta(days=30))
    assert HERE not in client.get(path).content.decode()


def test_one_entrance_explains_the_ways_and_is_skipped_where_there_is_one(
    client: Client, shop: Shop, settings: Settings
) -> None:
    detail, ways = f"/users/orders/{shop.order.pk}/", f"/orders/{shop.order.number}/ways/"
    cancel, withdraw = f"/orders/{shop.order.number}/cancel/", f"/orders/{shop.order.number}/withdraw/"
    assert list_targets(client, detail) >= {ways, withdraw}
    assert cancel not in list_targets(client, detail)
    assert list_targets(client, ways) >= {cancel, withdraw}
    explained = say(read(client.get(ways)))
    assert (
        "You can cancel items that have not shipped yet. You do not need to send anything back." in explained
    )
    assert "Your legal right: you end the contract without giving a reason" in explained

    delivered = {"status": "550", "delivered_at": timezone.now(), "is_final_sale": True}
    OrderItem.objects.filter(order=shop.order).update(**delivered)
    assert not list_targets(client, detail) & {ways, cancel}
    assert client.get(ways)["Location"] == withdraw

    OrderItem.objects.filter(order=shop.order).update(is_final_sale=False)
    settings.WITHDRAWAL_COUNTRIES = frozenset()
    assert cancel in list_targets(client, detail)
    assert client.get(ways)["Location"] == cancel


def list_targets(client: Client, path: str) -> set[str]:
    return {str(link["href"]) for link in read(client.get(path)).select("main a")}


def test_where_it_is_not_offered_there_is_no_link_and_no_page(
    client: Client, shop: Shop, settings: Settings
) -> None:
    settings.WITHDRAWAL_COUNTRIES = frozenset()

    assert HERE not in client.get(f"/users/orders/{shop.order.pk}/").content.decode()
    assert client.get(f"/orders/{shop.order.number}/withdraw/").status_code == 404


def test_two_steps_lead_to_the_receipt(client: Client, shop: Shop) -> None:
    path = f"/orders/{shop.order.number}/withdraw/"
    form = read(client.get(path))
    fields = fill(form)
    assert fields["email"] == shop.user.email
    assert len(fields["items"]) == 2
    assert form.select("select, textarea") == []  # no reason is asked

    review = client.post(path, {**fields, "name": "Ayşe Yılmaz", "step": "review"})
    assert review.status_code == 200
    assert Withdrawal.objects.count() == 0
    page = read(review)
    [button] = page.main.select("button.primary")  # type: ignore[union-attr]  # one that is missing fails the test
    assert button.get_text() == "Confirm withdrawal"
    assert "I hereby withdraw from contract" in say(page)

    done = client.post(path, fill(page))

    withdrawal = Withdrawal.objects.get()
    assert (done.status_code, done["Location"]) == (303, f"{path}{withdrawal.uuid}/")
    assert withdrawal.name == "Ayşe Yılmaz"
    receipt = say(read(client.get(done["Location"])))
    assert f"{withdrawal.submitted_at:%Y-%m-%d %H:%M:%S} UTC" in receipt
    assert withdrawal.statement in receipt
    assert "This is a receipt, not a decision." in receipt
    assert not re.search("accept", receipt, re.IGNORECASE)


def test_items_can_be_left_out_and_the_form_can_be_gone_back_to(client: Client, shop: Shop) -> None:
    path = f"/orders/{shop.order.number}/withdraw/"
    only = str(shop.items[1].pk)
    review = read(
        client.post(path, {"name": "Ayşe", "email": "a@example.com", "items": only, "step": "review"})
    )
    assert "2 × Shirt" in say(review)

    back = read(client.post(path, {**fill(review, place=1), "step": "edit"}))

    assert fill(back)["items"] == only
    assert fill(back)["name"] == "Ayşe"
    assert Withdrawal.objects.count() == 0


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": ""}, "This field is required."),
        ({"email": "nowhere"}, "Enter a valid email address."),
        ({"items": []}, "Please choose at least one item."),
        ({"items": ["999999"]}, "Select a valid choice. 999999 is not one of the available choices."),
    ],
)
@pytest.mark.parametrize("step", ["review", "confirm"])
def test_what_makes_no_sense_is_said_and_writes_nothing(
    client: Client, shop: Shop, changes: dict[str, Any], sentence: str, step: str
) -> None:
    path = f"/orders/{shop.order.number}/withdraw/"
    fields = {"name": "Ayşe", "email": "a@example.com", "items": [str(shop.items[0].pk)]}

    answer = client.post(path, {**fields, **changes, "step": step})

    assert answer.status_code == 400
    assert sentence in read(answer).select_one(".summary").get_text()  # type: ignore[union-attr]  # one that is missing fails the test
    assert Withdrawal.objects.count() == 0


def test_a_double_click_and_a_second_tab_get_the_same_receipt(client: Client, shop: Shop) -> None:
    path = f"/orders/{shop.order.number}/withdraw/"
    review = read(client.post(path, {**fill(read(client.get(path))), "name": "Ayşe", "step": "review"}))

    first, second = client.post(path, fill(review)), client.post(path, fill(review))

    assert (first.status_code, second.status_code) == (303, 303)
    assert first["Location"] == second["Location"]
    assert Withdrawal.objects.count() == Email.objects.count() == 1
    assert Submission.objects.count() == 1
    again = say(read(client.get(path)))
    assert "You have already withdrawn" in again


def test_the_orders_page_shows_receipt_and_decision_apart(client: Client, shop: Shop) -> None:
    confirm(client, f"/orders/{shop.order.number}/withdraw/", name="Ayşe")
    path = f"/users/orders/{shop.order.pk}/"
    assert "Not decided yet." in say(read(client.get(path)))

    Withdrawal.objects.update(state="refused", reason="Opened.")

    assert "Not accepted: Opened." in say(read(client.get(path)))


def make_guests_shop() -> tuple[Shop, str]:
    """Make a shop whose order is a guest's, and the order's link."""
    shop = Shop()
    Order.objects.filter(pk=shop.order.pk).update(user=None, user_email="guest@example.com")
    shop.order.refresh_from_db()
    return shop, f"/orders/guest/{sign_number(shop.order.number, purpose='guest-view', link_version=1)}/"


def test_a_guest_withdraws_with_a_code_and_the_receipt_goes_to_the_orders_own_address() -> None:
    shop, guests_link = make_guests_shop()
    browser = Browser()
    link = read(browser.get(guests_link)).find("a", string=HERE)
    assert link is not None
    path = str(link["href"])
    assert path == f"/orders/{shop.order.number}/withdraw/"
    prove(browser, shop.order)
    form = read(browser.get(path))
    assert "email" not in fill(form)
    assert "The receipt goes to guest@example.com" in say(form)

    with replace_client(shop.fake):
        done = confirm(browser, path, name="Misafir", email="thief@example.com")

    assert (done.status_code, Submission.objects.count()) == (303, 1)
    receipt = say(read(browser.get(done["Location"])))
    assert "This is a receipt" in receipt
    assert "thief" not in receipt
    statement = Withdrawal.objects.get()
    assert (statement.user, statement.email) == (None, "guest@example.com")
    receipts = Email.objects.filter(kind="withdrawal_receipt")
    assert [email.recipient for email in receipts] == ["guest@example.com"]


@pytest.mark.parametrize("old_address", [False, True])
def test_a_guests_link_alone_withdraws_nothing_and_shows_no_receipt(*, old_address: bool) -> None:
    shop, guests_link = make_guests_shop()
    browser = Browser()
    browser.get(guests_link)
    ours = f"/orders/{shop.order.number}/withdraw/"
    path = f"{guests_link}withdraw/" if old_address else ours
    fields = {"name": "Thief", "email": "thief@example.com", "items": [str(shop.items[0].pk)]}

    with replace_client(shop.fake):
        answers = [browser.post(path, {**fields, "step": step}) for step in ("review", "confirm")]
        answers.append(browser.get(f"{path}{uuid4()}/"))

    for answer in answers:
        assert answer.status_code == 303
        target = browser.get(answer["Location"])["Location"] if old_address else answer["Location"]
        assert target.startswith(f"/orders/guest/code/?order={shop.order.pk}&next=")
    assert not Withdrawal.objects.exists()
    assert not Submission.objects.exists()
    assert not Email.objects.exists()
    assert shop.fake.posts == []
    assert get_statuses(shop.order) == ["400"]


def test_nobody_sees_or_makes_what_is_not_theirs(client: Client, shop: Shop) -> None:
    confirm(client, f"/orders/{shop.order.number}/withdraw/", name="Ayşe")
    statement = Withdrawal.objects.get().uuid
    stranger = make_order(make_customer())
    paths = [
        f"/orders/{stranger.number}/withdraw/",
        f"/orders/{stranger.number}/withdraw/{statement}/",
        "/orders/guest/forged:token:x/withdraw/",
        f"/orders/guest/{sign_number(shop.order.number, purpose='guest-view', link_version=1)}/withdraw/",
    ]

    for path in paths:
        assert client.get(path).status_code == 404
        assert client.post(path, {"step": "confirm"}).status_code in {404, 405}
    assert Browser().get(f"/orders/{shop.order.number}/withdraw/").status_code == 302
    assert Withdrawal.objects.count() == 1


def test_every_page_of_it_is_private_and_wants_the_token(client: Client, shop: Shop) -> None:
    path = f"/orders/{shop.order.number}/withdraw/"
    strict = Browser(enforce_csrf_checks=True)
    strict.force_login(shop.user, backend="django.contrib.auth.backends.ModelBackend")

    assert "no-store" in client.get(path)["Cache-Control"]
    assert strict.post(path, {"step": "confirm"}).status_code == 403
    assert Withdrawal.objects.count() == 0
