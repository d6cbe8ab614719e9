"""What a desk needs: the evidence of each try, links that lead somewhere, a search by what people have at hand."""

import pytest
from bs4 import BeautifulSoup
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import translation

from aftercart.accounts.models import User
from aftercart.backoffice.words import say_event_cause
from aftercart.cancellations.causes import CAUSES, say_detail
from aftercart.cancellations.models import CancellationRequest, Delivery, Submission
from aftercart.lib.notes import keep_sentence, write_note
from aftercart.orders.models import Order, TimelineEntry
from tests.http.backoffice_world import ORDERS, QUEUE, log_in, make_decider, make_request, make_staff

pytestmark = pytest.mark.django_db
_Status = CancellationRequest.Status


@pytest.fixture
def browser() -> Client:
    return log_in(make_decider())


def bounce(request: CancellationRequest, approver: User, cause: str = "illegal_move") -> Submission:
    """Have an approval of a request come back from Omnitron."""
    CancellationRequest.objects.filter(pk=request.pk).update(cause=cause)
    return Submission.objects.create(
        order=request.line.order_item.order,
        user=approver,
        origin="approval",
        state="refused",
        cause=cause,
        cause_detail="It has left the warehouse.",
        approved_request=request,
    )


def read_rows(page: str) -> list[list[str]]:
    rows = BeautifulSoup(page, "html.parser").select(".bo-table tbody tr")
    return [[cell.get_text() for cell in row.select("td")] for row in rows]


def get(browser: Client, url: str, **params: str) -> str:
    response = browser.get(url, params)
    assert response.status_code == 200
    return response.content.decode()


# --- evidence ------------------------------------------------------------------------------------------------


def test_the_page_keeps_why_a_request_is_there_and_what_omnitron_said_to_each_try(browser: Client) -> None:
    request = make_request(cause="has_invoice")
    approver = make_decider()
    bounce(request, approver)

    page = get(browser, f"{QUEUE}{request.pk}/change/")

    first, second = read_rows(page)[:2]
    assert (first[1], first[4], first[5]) == (
        "Direct",
        "Left to the back office",
        "An invoice has been issued",
    )
    assert second[1:3] == ["Approved by staff", approver.email]
    assert second[4:] == [
        "Did not go through at Omnitron",
        "Omnitron refused: illegal move – It has left the warehouse.",
    ]
    assert f"{approver.email} approved it on " in page
    assert "but it did not go through at Omnitron. It needs a decision again." in page


def test_the_list_says_that_an_approval_came_back_and_can_show_those_alone(browser: Client) -> None:
    back, other = make_request(cause="has_invoice"), make_request()
    bounce(back, make_decider())

    page = get(browser, QUEUE)
    assert "An invoice has been issued" in page
    assert "Came back after an approval: Omnitron refused: illegal move" in page

    page = get(browser, QUEUE, status="bounced")
    assert f"#{back.pk}<" in page
    assert f"#{other.pk}<" not in page


@pytest.mark.parametrize(
    ("attempts", "error", "shown"), [(1, "", False), (1, "timeout", True), (3, "timeout", True)]
)
def test_a_first_delivery_is_no_failed_try(browser: Client, attempts: int, error: str, shown: bool) -> None:
    request = make_request(delivery_error=error)
    Delivery.objects.update(attempts=attempts)

    page = get(browser, f"{QUEUE}{request.pk}/change/")

    assert "Failed tries" not in page
    assert (f"<dt>Attempts</dt><dd>{attempts}</dd>" in page) == shown


# --- words ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("language", "shown"),
    [
        ("en", "Of item 5 Omnitron has 1 left, not 2."),
        ("tr", "Omnitron'da 5 numaralı kalemden 2 değil, 1 adet kalmış."),
    ],
)
def test_a_note_is_read_in_the_language_of_its_reader(language: str, shown: str) -> None:
    note = write_note("too_few_left", left=1, item=5, asked=2)

    with translation.override(language):
        assert say_detail(note) == shown

    assert keep_sentence(note) == ""


def test_what_omnitron_said_and_what_was_kept_before_is_shown_as_it_is() -> None:
    for sentence in ("Sipariş kargoda.", "Omnitron has no item left for item 5.", '{"note": broken'):
        assert say_detail(sentence) == keep_sentence(sentence) == sentence


def test_a_note_that_says_no_more_than_the_cause_is_left_out() -> None:
    note = write_note("timeout")

    assert say_detail(note, "timeout") == ""
    assert say_detail(note) == str(CAUSES["timeout"])
    entry = TimelineEntry(event="answer_unknown", cause="timeout", data={"detail": note})
    assert say_event_cause(entry) == "Omnitron did not answer in time"


def test_a_note_of_a_version_that_is_gone_breaks_no_page() -> None:
    assert say_detail(write_note("too_few_left", left=1)) == "too few left"
    assert say_detail(write_note("something_else")) == "Omnitron refused: something else"


# --- links ---------------------------------------------------------------------------------------------------


def test_what_the_reader_may_not_open_is_named_and_not_linked() -> None:
    request = make_request()
    order = request.line.order_item.order
    browser = log_in(make_staff("view_cancellationrequest", "change_cancellationrequest"))
    chosen = {"action": "approve_selected", "_selected_action": [request.pk]}
    pages = [
        get(browser, QUEUE),
        get(browser, f"{QUEUE}{request.pk}/change/"),
        browser.post(QUEUE, chosen).content.decode(),
    ]

    for page in pages:
        assert order.number in page
        assert f"{ORDERS}{order.pk}/" not in page
        assert "/cancellations/submission/" not in page
    for link in {a["href"] for page in pages for a in BeautifulSoup(page, "html.parser").select("a.bo-link")}:
        assert browser.get(str(link)).status_code == 200, link


def test_what_the_reader_may_open_is_linked(browser: Client) -> None:
    request = make_request()

    assert f'href="{ORDERS}{request.line.order_item.order_id}/change/"' in get(browser, QUEUE)


# --- search --------------------------------------------------------------------------------------------------


def prepare() -> CancellationRequest:
    request = make_request()
    make_request()
    order = request.line.order_item.order
    order.shipping_address = {**(order.shipping_address or {}), "phone_number": "0532 123 45 67"}
    order.number = "ORD-2026-777777"
    order.save()
    User.objects.filter(orders=order).update(
        first_name="Gülşen", last_name="Demirtaş", phone="+905449998877", email="gulsen@example.com"
    )
    item = request.line.order_item
    item.product = {"name": "Seramik Vazo"}
    item.sku = "VZ-01"
    item.save()
    return request


TERMS = [
    "ORD-2026-777777", "777777", "gulsen@example.com", "Gülşen", "gülşen demirtaş", "Deniz Demirtaş", "vazo",
    "seramik vazo", "VZ-01", "demirtaş vazo", "+90 532 123 45 67", "0532 1234567", "5321234567", "05449998877",
]  # fmt: skip


@pytest.mark.parametrize("term", TERMS)
def test_a_request_and_its_order_are_found_by_what_people_have_at_hand(term: str) -> None:
    request = prepare()
    browser = log_in(make_staff(is_superuser=True))

    page = get(browser, QUEUE, q=term)
    found = BeautifulSoup(page, "html.parser").select("th.field-show_number, td.field-show_number")
    assert [cell.get_text(strip=True) for cell in found] == [f"#{request.pk}"]

    page = get(browser, ORDERS, q=term)
    numbers = BeautifulSoup(page, "html.parser").select("th.field-number, td.field-number")
    assert [cell.get_text(strip=True) for cell in numbers] == ["ORD-2026-777777"]


@pytest.mark.parametrize("template", ["#{pk}", "# {pk}"])
def test_a_number_sign_finds_the_request_alone(template: str) -> None:
    request = prepare()
    browser = log_in(make_staff(is_superuser=True))

    page = get(browser, QUEUE, q=template.format(pk=request.pk))
    found = BeautifulSoup(page, "html.parser").select("th.field-show_number, td.field-show_number")
    assert [cell.get_text(strip=True) for cell in found] == [f"#{request.pk}"]
    assert "ORD-2026-777777" in get(browser, ORDERS, q=template.format(pk=request.pk))


@pytest.mark.parametrize(
    "term",
    [
        "nobody",
        "#99999999999999999999999",
        "#0",
        "000000000",
        "(((",
        "' OR 1=1",
        "%",
        "\x00",
        "a " * 400,
        "\U00010348" * 3000,
    ],
)
@pytest.mark.rotating("path")
@pytest.mark.parametrize("path", [QUEUE, ORDERS, "/backoffice/cancellations/submission/"])
def test_whatever_is_searched_for_is_answered(term: str, path: str) -> None:
    prepare()

    assert log_in(make_staff(is_superuser=True)).get(path, {"q": term}).status_code == 200


def test_a_search_costs_as_many_queries_as_the_list() -> None:
    for _time in range(3):
        make_request()
    browser = log_in(make_staff(is_superuser=True))
    get(browser, QUEUE)  # what is remembered for a while is read once
    counts = []
    for params in ({}, {"q": "lamp yılmaz"}, {"q": "+90 532 123 45 67"}, {"q": "#1"}):
        with CaptureQueriesContext(connection) as queries:
            get(browser, QUEUE, **params)
        counts.append(len(queries))

    assert max(counts) <= counts[0]
    assert Order.objects.count() == 3
