"""Lists of the back office take the same time however long they are, and lead to every row all the same."""

import re

import pytest
from bs4 import BeautifulSoup
from django.db import connection
from django.test import Client

from aftercart.accounts.models import User
from aftercart.backoffice import lists
from aftercart.lib.search import clean_term
from aftercart.orders.models import Order, OrderItem
from tests.http.backoffice_world import ORDERS, QUEUE, log_in, make_order, make_request, make_staff

pytestmark = pytest.mark.django_db


@pytest.fixture
def browser() -> Client:
    return log_in(make_staff(is_superuser=True))


@pytest.fixture
def _short(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(lists, "MOST", 4)
    monkeypatch.setattr("aftercart.backoffice.desk.DeskAdmin.list_per_page", 2)


def read(browser: Client, url: str) -> BeautifulSoup:
    response = browser.get(url)
    assert response.status_code == 200, url
    return BeautifulSoup(response.content, "html.parser")


def list_numbers(page: BeautifulSoup, column: str = "number") -> list[str]:
    return [cell.get_text(strip=True) for cell in page.select(f"th.field-{column}, td.field-{column}")]


def find_links(page: BeautifulSoup) -> dict[str, str]:
    return {link.get_text(strip=True): str(link["href"]) for link in page.select("a.bo-link")}


@pytest.mark.usefixtures("_short")
def test_a_long_list_is_counted_so_far_and_goes_on_after_its_last_page(browser: Client) -> None:
    numbers = [make_order().number for _ in range(9)][::-1]

    first, last = read(browser, ORDERS), read(browser, f"{ORDERS}?p=2")
    assert re.search(r"4\+\s+orders", first.get_text())
    assert "Continue" not in find_links(first)
    second = read(browser, ORDERS + find_links(last)["Continue"])
    third = read(
        browser,
        ORDERS + find_links(read(browser, ORDERS + find_links(last)["Continue"] + "&p=2"))["Continue"],
    )

    assert [list_numbers(page) for page in (first, last, second, third)] == [
        numbers[:2], numbers[2:4], numbers[4:6], numbers[8:],
    ]  # fmt: skip
    assert re.search(r"\b1\s+order\b", third.get_text())
    assert list_numbers(read(browser, ORDERS + find_links(third)["From the start"])) == numbers[:2]


@pytest.mark.usefixtures("_short")
def test_a_list_that_rises_goes_on_as_well_and_keeps_its_filter(browser: Client) -> None:
    pks = [f"#{make_request().pk}" for _ in range(6)]

    url = find_links(read(browser, f"{QUEUE}?p=2&type=cancel"))["Continue"]

    assert "type=cancel" in url
    assert list_numbers(read(browser, QUEUE + url), "show_number") == pks[4:]


@pytest.mark.parametrize("after", ["0", "x", "-1", "9" * 40, "٣"])
def test_a_place_that_is_none_is_the_beginning(browser: Client, after: str) -> None:
    number = make_order().number

    assert list_numbers(read(browser, f"{ORDERS}?after={after}")) == [number]


def test_only_what_has_an_index_is_sorted(browser: Client) -> None:
    older, newer = make_order().number, make_order().number

    page = read(browser, ORDERS)

    places = {str(link["href"]).partition("o=")[2].lstrip("-") for link in page.select("thead a[href*='o=']")}
    assert places - {""} == {"4"}  # when it was placed
    assert list_numbers(read(browser, f"{ORDERS}?o=4")) == [older, newer]
    assert list_numbers(read(browser, f"{ORDERS}?o=1")) == [newer, older]


# --- words ---------------------------------------------------------------------------------------------------


def found(browser: Client, term: str) -> list[str]:
    return list_numbers(read(browser, f"{ORDERS}?q={term}"))


def test_what_an_order_is_found_by_follows_what_is_written(browser: Client) -> None:
    order = make_order()
    assert found(browser, "umut") == []

    Order.objects.filter(pk=order.pk).update(shipping_address={"first_name": "Umut"})
    assert found(browser, "umut") == [order.number]
    Order.objects.filter(pk=order.pk).update(shipping_address=None, user_email="yeni@example.org")
    assert found(browser, "umut") == []
    assert found(browser, "yeni@example.org") == [order.number]
    OrderItem.objects.filter(order=order).update(product={"name": "Çaydanlık"})
    assert found(browser, "caydanlik") == found(browser, "ÇAYDANLIK") == [order.number]
    User.objects.filter(orders=order).update(last_name="Işık")
    assert found(browser, "isik") == found(browser, "IŞIK") == [order.number]
    OrderItem.objects.create(order=order, status="400", sku="YENİ-7", price_currency="TRY")
    assert found(browser, "yeni-7") == [order.number]


def test_a_word_is_found_by_its_beginning_and_one_of_two_letters_as_a_whole(browser: Client) -> None:
    order = make_order()
    Order.objects.filter(pk=order.pk).update(shipping_address={"first_name": "Ece", "last_name": "Su"})

    assert found(browser, "ece") == found(browser, "su") == [order.number]
    assert found(browser, "ec") == found(browser, "s") == found(browser, "ce") == []


@pytest.mark.parametrize("term", ["it's", "a\\b", "x:*", "a|b", "& !", "((", "''", "\\'"])
def test_what_means_something_to_the_database_is_a_word_like_any_other(term: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT search_words(%s) @@ search_query(%s)", [f"one {term} two", clean_term(term)])
        assert cursor.fetchone() == (True,)


def read_empty(browser: Client, url: str, language: str = "en") -> tuple[str, list[str]]:
    """Read what an empty list says, and what it offers."""
    response = browser.get(url, headers={"accept-language": language})
    page = BeautifulSoup(response.content, "html.parser")
    said = page.select_one("#changelist h2")
    assert said is not None
    assert said.parent is not None
    sentence = said.find_next_sibling("p")
    links = [link.get_text(strip=True) for link in said.parent.select("a")]
    return " / ".join(part.get_text(strip=True) for part in (said, sentence) if part), links


@pytest.mark.parametrize("path", [QUEUE, f"{QUEUE}?status=waiting"])
def test_an_empty_queue_says_that_it_is_worked_off(browser: Client, path: str) -> None:
    english, links = read_empty(browser, path)
    assert english == "All caught up / No request is waiting for a decision. New ones will appear here."
    assert links == (["Reset filters"] if "?" in path else [])
    turkish, _links = read_empty(browser, path, "tr")
    assert turkish == "Bekleyen talep yok / Karar bekleyen talepler burada görünecek."


@pytest.mark.parametrize("path", [f"{QUEUE}?q=nobody", f"{QUEUE}?status=rejected", f"{ORDERS}?q=nobody"])
def test_a_search_without_a_result_says_so_and_leads_back(browser: Client, path: str) -> None:
    assert read_empty(browser, path) == (
        "No results / Nothing matches this search or these filters.",
        ["Reset filters"],
    )


def test_an_empty_list_offers_what_can_be_added(browser: Client) -> None:
    path = "/backoffice/cancellations/easyreturncompany/"
    assert read_empty(browser, path) == ("Nothing here yet", ["Add easy-return company"])
    assert read_empty(browser, path, "tr") == ("Henüz kayıt yok", ["kolay iade firması ekle"])


@pytest.mark.parametrize(("language", "said"), [("en", "2 cancellation requests"), ("tr", "2 talep")])
def test_rows_are_counted_as_a_language_counts_them(browser: Client, language: str, said: str) -> None:
    for _time in range(2):
        make_request()
    page = BeautifulSoup(browser.get(QUEUE, headers={"accept-language": language}).content, "html.parser")
    assert said in [" ".join(div.get_text().split()) for div in page.select("div.py-4")]
