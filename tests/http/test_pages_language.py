"""The language of the pages: chosen in the foot, kept with the account, and changed without losing a word."""

from collections.abc import Iterator
from decimal import Decimal
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.db.models import F
from django.test import Client

from aftercart.accounts.models import Address, User
from aftercart.cancellations.models import AddressChange, CancellationReason, Submission
from aftercart.cancellations.models.withdrawals import Withdrawal
from aftercart.oms.connect import replace_client
from aftercart.orders.models import OneTimeCode, Order
from tests.browser.fixtures import (
    EMAIL,
    PASSWORD,
    list_products,
    make_address,
    make_customer,
    make_omnitron,
    make_order,
    make_reasons,
)
from tests.emails import prove
from tests.fake_omnitron import FakeOmnitron
from tests.http.forms import read, read_fields

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def reasons(client: Client) -> list[CancellationReason]:  # noqa: ARG001 - after the database
    return make_reasons()


@pytest.fixture
def order(client: Client) -> Order:
    user = make_customer()
    make_address(user, primary=True)
    make_address(user, "Work")
    client.force_login(user)
    return make_order(user, list_products("400", "400"))


@pytest.fixture(autouse=True)
def fake(order: Order) -> Iterator[FakeOmnitron]:
    fake = make_omnitron(order)
    with replace_client(fake):
        yield fake


def language_of(page: BeautifulSoup) -> str:
    assert page.html is not None
    return str(page.html["lang"])


def read_typed(page: BeautifulSoup) -> dict[str, Any]:
    """Read what would be sent of the form that the buttons of the languages belong to."""
    [name] = {str(button["form"]) for button in page.select(".languages button")}
    return read_fields(page.select_one(f"#{name}"))


def change(client: Client, path: str, page: BeautifulSoup, **typed: Any) -> BeautifulSoup:
    """Choose Turkish in the middle of a form, with what has been typed into it."""
    answer = client.post(path, {**read_typed(page), **typed, "language": "tr"})
    assert answer.status_code == 200
    turkish = read(answer)
    assert language_of(turkish) == "tr"
    assert turkish.select(".summary, .wrong") == []
    assert answer.cookies["django_language"].value == "tr"
    return turkish


# --- kept --------------------------------------------------------------------------------------------------


def test_a_choice_goes_with_the_account_to_another_browser(client: Client, order: Order) -> None:
    path = f"/users/orders/{order.pk}/"
    assert client.post("/orders/language/", {"language": "tr", "next": path})["Location"] == path
    assert User.objects.get(email=EMAIL).language == "tr"

    other = Client(headers={"accept-language": "en"})
    assert language_of(read(other.get("/users/login/"))) == "en"
    entered = other.post("/users/login/", {"email": EMAIL, "password": PASSWORD, "next": path})

    assert entered["Location"] == path
    assert language_of(read(other.get(path))) == "tr"


def test_who_has_chosen_none_is_spoken_to_as_the_browser_asks(order: Order) -> None:
    browser = Client(headers={"accept-language": "tr"})
    entered = browser.post("/users/login/", {"email": EMAIL, "password": PASSWORD})
    assert "django_language" not in entered.cookies
    assert language_of(read(browser.get(f"/users/orders/{order.pk}/"))) == "tr"


@pytest.mark.parametrize("typed", ["xx", "de", "tr-TR", "../tr", ""])
def test_a_language_that_there_is_not_changes_nothing(client: Client, typed: str) -> None:
    answer = client.post("/orders/language/", {"language": typed, "next": "/users/orders/"})
    assert answer["Location"] == "/users/orders/"
    assert "django_language" not in answer.cookies
    assert User.objects.get(email=EMAIL).language == ""


def log_in(browser: Client) -> Any:
    return browser.post("/users/login/", {"email": EMAIL, "password": PASSWORD, "next": "/users/orders/"})


@pytest.mark.usefixtures("order")
@pytest.mark.parametrize("at", ["/users/login/", "/orders/guest/"])
def test_what_is_chosen_just_before_the_log_in_goes_with_the_account(at: str) -> None:
    User.objects.update(language="en")
    browser = Client(headers={"accept-language": "en"})
    change(browser, at, read(browser.get(at)))

    assert "django_language" not in log_in(browser).cookies
    assert User.objects.get(email=EMAIL).language == "tr"
    assert language_of(read(browser.get("/users/orders/"))) == "tr"


@pytest.mark.usefixtures("order")
def test_what_somebody_else_has_chosen_in_this_browser_leaves_the_account_as_it_is() -> None:
    User.objects.update(language="tr")
    browser = Client(headers={"accept-language": "en"})
    browser.cookies["django_language"] = "en"

    assert log_in(browser).cookies["django_language"].value == "tr"
    assert User.objects.get(email=EMAIL).language == "tr"
    browser.post("/users/logout/")
    browser.post("/orders/language/", {"language": "en"})
    assert User.objects.get(email=EMAIL).language == "tr"


# --- in the middle of a form -------------------------------------------------------------------------------


def test_the_first_step_of_a_cancellation_keeps_what_is_chosen(
    client: Client, order: Order, reasons: list[CancellationReason]
) -> None:
    path, item = f"/orders/{order.number}/cancel/", order.items.all()[1].pk
    typed = {f"item-{item}-is_chosen": "on", f"item-{item}-reason": reasons[1].pk}
    typed |= {f"item-{item}-description": "It came too late."}

    page = change(client, path, read(client.get(path)), **typed)

    again = read_typed(page)
    assert again[f"item-{item}-is_chosen"] == "on"
    assert again[f"item-{item}-reason"] == str(reasons[1].pk)
    assert again[f"item-{item}-description"] == "It came too late."
    assert "Diğer" in page.get_text()
    assert not Submission.objects.exists()


def test_the_second_step_of_a_cancellation_is_shown_again_and_sends_nothing(
    client: Client, order: Order, reasons: list[CancellationReason], fake: FakeOmnitron
) -> None:
    Order.objects.update(payment_option={"payment_type": "funds_transfer"})
    path, item = f"/orders/{order.number}/cancel/", order.items.all()[0].pk
    first = read_typed(read(client.get(path)))
    first |= {f"item-{item}-is_chosen": "on", f"item-{item}-reason": reasons[0].pk, "step": "quote"}
    second = read(client.post(path, first))

    typed = {"iban": "TR33 0006 1005 1978 6457 8413 26", "holder_name": "Ayşe", "return_policy": "on"}
    for nowhere in ("xx", ""):
        form = {**read_typed(second), **typed, "step": "send", "language": nowhere}
        assert client.post(path, form).status_code == 200
    assert not Submission.objects.exists()
    page = change(client, path, second, **typed)

    again = read_typed(page)
    assert again["iban"] == "TR33 0006 1005 1978 6457 8413 26"
    assert again["holder_name"] == "Ayşe"
    assert again["quote-iban"] != ""
    assert not Submission.objects.exists()
    sent = client.post(path, {**again, "step": "send", "return_policy": "on"})
    assert sent.status_code == 303
    assert len(fake.posts) == 1


def test_amounts_that_changed_meanwhile_are_named_in_the_other_language(
    client: Client, order: Order, reasons: list[CancellationReason]
) -> None:
    path, item = f"/orders/{order.number}/cancel/", order.items.all()[0].pk
    first = read_typed(read(client.get(path)))
    first |= {f"item-{item}-is_chosen": "on", f"item-{item}-reason": reasons[0].pk, "step": "quote"}
    second = read(client.post(path, first))
    Order.objects.update(discount_amount=0, amount=Decimal("2887.30"), version=F("version") + 1)

    page = change(client, path, second)

    changes = [" ".join(line.get_text(" ").split()) for line in page.select(".changes li")]
    assert changes[-1].startswith("Toplam: ")
    assert len(changes) == 2


@pytest.mark.parametrize(
    ("path", "field", "typed"),
    [
        ("/users/login/", "email", "ayse@example"),
        ("/orders/guest/", "number", "ORD-2024-0"),
        ("/orders/guest/code/", "code", "12 34"),
    ],
)
def test_what_is_typed_to_come_in_stays_typed(
    client: Client, order: Order, path: str, field: str, typed: str
) -> None:
    client.logout()
    client.post("/orders/guest/", {"number": order.number, "email": "somebody@example.com"})
    codes = OneTimeCode.objects.count()

    again = read_typed(change(client, path, read(client.get(path)), **{field: typed, "password": "secret"}))

    assert again[field] == typed
    assert again.get("password", "") == ""
    assert OneTimeCode.objects.count() == codes


def test_a_chosen_address_stays_chosen(client: Client, order: Order) -> None:
    work = Address.objects.get(title="Work")
    page = read(client.get(f"/orders/change-address/?order={order.pk}"))

    again = read_typed(change(client, "/orders/change-address/", page, address=work.pk))

    assert again["address"] == str(work.pk)
    assert not AddressChange.objects.exists()


def test_a_guests_typed_address_stays_typed(client: Client, order: Order) -> None:
    client.logout()
    Order.objects.update(user=None)
    prove(client, order)
    page = read(client.get(f"/orders/change-address/?order={order.pk}"))

    again = read_typed(change(client, "/orders/change-address/", page, line="Büyükdere Caddesi 1"))

    assert again["line"] == "Büyükdere Caddesi 1"
    assert not AddressChange.objects.exists()


@pytest.mark.parametrize(
    ("shown", "path"), [("/address/", "/address/"), ("/address/?edit={pk}", "/address/{pk}/")]
)
def test_an_entry_of_the_address_book_stays_typed(client: Client, shown: str, path: str) -> None:
    entry = Address.objects.get(title="Work")
    shown, path = shown.format(pk=entry.pk), path.format(pk=entry.pk)
    page = read(client.get(shown))

    again = read_typed(change(client, path, page, line="Büyükdere Caddesi 1", title=""))

    assert again["line"] == "Büyükdere Caddesi 1"
    assert list(Address.objects.values_list("title", flat=True).order_by("pk")) == ["Home", "Work"]


def test_a_withdrawal_stays_filled_in_and_unconfirmed(client: Client, order: Order) -> None:
    path, items = f"/orders/{order.number}/withdraw/", [item.pk for item in order.items.all()]
    page = change(client, path, read(client.get(path)), name="A. Y.", items=[items[1]])
    form = read_typed(page)
    assert (form["name"], form["items"]) == ("A. Y.", str(items[1]))

    client.cookies.pop("django_language")
    statement = read(client.post(path, {**form, "step": "review"}))
    assert language_of(statement) == "en"
    again = change(client, path, statement)

    assert again.select_one("#typed [name=step]")["value"] == "confirm"  # type: ignore[index]  # one that is missing fails the test
    assert not Withdrawal.objects.exists()
    assert client.post(path, read_typed(again)).status_code == 303
    assert Withdrawal.objects.get().language == "tr"


@pytest.mark.parametrize("path", ["/orders/{number}/cancel/", "/orders/change-address/?order={pk}"])
def test_a_page_without_a_form_changes_its_language_as_any_other(
    client: Client, order: Order, path: str
) -> None:
    order.items.update(status="100", cancelled_quantity=1)
    Order.objects.update(status="100")
    page = read(client.get(path.format(number=order.number, pk=order.pk)))
    assert [button.has_attr("form") for button in page.select(".languages button")] == [False, False]
    assert page.select_one(".languages [name=next]") is not None
