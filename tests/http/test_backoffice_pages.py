"""What the back office's pages show, at what cost, and that showing is all they do."""

from collections.abc import Callable
from datetime import timedelta
from html import unescape
from typing import Any
from unittest import mock

import pytest
from django.core.cache import cache
from django.db import connection
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from aftercart.accounts.document import hash_address
from aftercart.accounts.models import Address, City, Country, District, Township
from aftercart.cancellations.models import (
    AddressChange,
    CancellationReason,
    CancellationRequest,
    Delivery,
    Difference,
    Submission,
)
from aftercart.orders.models import Order, OrderItem
from tests.http.backoffice_world import (
    IBAN,
    ORDERS,
    QUEUE,
    log_in,
    make_decider,
    make_order,
    make_request,
    make_staff,
)

pytestmark = pytest.mark.django_db
_Status = CancellationRequest.Status


@pytest.fixture(autouse=True)
def _nothing_remembered() -> None:
    cache.clear()


@pytest.fixture
def root() -> Client:
    return log_in(make_staff(is_superuser=True))


def _read(client: Client, path: str) -> str:
    response = client.get(path)
    assert response.status_code == 200, path
    return unescape(response.content.decode())


def _listed(client: Client, path: str) -> list[int]:
    return [row.pk for row in client.get(path).context["cl"].result_list]


def _make_address_change() -> None:
    order = make_order()
    AddressChange.objects.create(order=order, user=order.user, address=order.shipping_address)


def _make_district() -> District:
    number = District.objects.count()
    country = Country.objects.create(name=f"Country {number}", code=f"{number:02d}")
    city = City.objects.create(country=country, name="City")
    return District.objects.create(township=Township.objects.create(city=city, name="Town"), name="District")


def _make_address() -> None:
    district = _make_district()
    user = make_order().user
    assert user is not None
    fields: dict[str, Any] = {"title": "Home", "first_name": "Ayşe", "last_name": "Yılmaz", "line": "Moda 1"}
    city = district.township.city
    Address.objects.create(
        user=user,
        country=city.country,
        city=city,
        township=district.township,
        district=district,
        hash_data=hash_address(fields, ()),
        **fields,
    )


_LISTS: list[tuple[str, Callable[[], object]]] = [
    (QUEUE, make_request),
    (ORDERS, make_request),
    ("/backoffice/cancellations/submission/", make_request),
    ("/backoffice/cancellations/addresschange/", _make_address_change),
    ("/backoffice/accounts/user/", make_order),
    ("/backoffice/accounts/address/", _make_address),
    ("/backoffice/accounts/country/", _make_district),
    ("/backoffice/accounts/city/", _make_district),
    ("/backoffice/accounts/township/", _make_district),
    ("/backoffice/accounts/district/", _make_district),
    ("/backoffice/", make_request),
]


@pytest.mark.parametrize(("path", "make"), _LISTS, ids=[path for path, _make in _LISTS])
def test_a_list_costs_the_same_with_one_row_and_with_twenty(
    root: Client, path: str, make: Callable[[], object]
) -> None:
    def count() -> int:
        cache.clear()
        with CaptureQueriesContext(
            connection,
        ) as queries:
            assert root.get(path).status_code == 200
        return len(queries)

    make()
    few = count()
    for _ in range(19):
        make()

    assert count() == few
    assert few <= 11


def test_an_orders_page_costs_the_same_whatever_it_holds(root: Client) -> None:
    order = make_request().line.submission.order

    def count() -> int:
        with CaptureQueriesContext(connection) as queries:
            _read(root, f"{ORDERS}{order.pk}/change/")
        return len(queries)

    few = count()
    for number in range(5):
        OrderItem.objects.create(order=order, status="400", sku=f"MORE-{number}", price_currency="TRY")
        Submission.objects.create(order=order, origin="direct", state="applied")
    assert count() == few


def test_the_queue_shows_open_requests_oldest_first(root: Client) -> None:
    requests = [make_request(status) for status in _Status]
    for days, request in enumerate(requests):
        created = timezone.now() - timedelta(days=days)
        CancellationRequest.objects.filter(pk=request.pk).update(created_date=created)

    is_open = [request.pk for request in requests if request.status in CancellationRequest.OPEN]
    assert _listed(root, QUEUE) == is_open[::-1]
    assert _listed(root, f"{QUEUE}?status=rejected") == [requests[-1].pk]
    assert _listed(root, f"{QUEUE}?status=verifying") == [requests[0].pk]
    assert _listed(root, f"{QUEUE}?status=all") == [request.pk for request in requests]


def test_the_queue_is_filtered_by_type_cause_and_channel(root: Client) -> None:
    invoice, lost = make_request(cause="has_invoice"), make_request(cause="timeout")
    theirs = make_request(cause="no_purchase_transaction")
    Order.objects.filter(pk=theirs.line.submission.order_id).update(channel_id=7)

    assert _listed(root, f"{QUEUE}?cause=has_invoice") == [invoice.pk]
    assert _listed(root, f"{QUEUE}?cause=lost") == [lost.pk]
    assert _listed(root, f"{QUEUE}?cause=refused") == [theirs.pk]
    assert _listed(root, f"{QUEUE}?channel=7") == [theirs.pk]
    assert _listed(root, f"{QUEUE}?channel=x%00") == []
    assert _listed(root, f"{QUEUE}?type=refund") == []
    assert len(_listed(root, f"{QUEUE}?type=cancel&status=nonsense")) == 3


def test_the_queue_is_searched_by_number_e_mail_and_sku(root: Client) -> None:
    wanted, _other = make_request(), make_request()
    item = wanted.line.order_item

    for word in (item.order.number, item.order.user_email.upper(), item.sku):
        assert _listed(root, f"{QUEUE}?q={word}") == [wanted.pk]


def test_a_request_says_in_words_why_it_is_here(root: Client) -> None:
    request = make_request(cause="has_invoice")

    for path in (QUEUE, f"{QUEUE}{request.pk}/change/"):
        assert "An invoice has been issued" in _read(root, path)
    CancellationRequest.objects.update(cause="no_purchase_transaction")
    assert "Omnitron refused: no purchase transaction" in _read(root, QUEUE)


def test_an_account_number_is_never_shown_whole(root: Client) -> None:
    spaced = "TR33 0006 1005 1978 6457 8413 26"
    request = make_request(
        description=f"Please refund to {spaced}.", delivery_error=f"IBAN {IBAN} is not accepted."
    )
    submission = request.line.submission
    submission.cause_detail = f"iban: {spaced}"
    submission.save(update_fields=["cause_detail"])
    order = submission.order
    AddressChange.objects.create(order=order, address={"line": IBAN, "notes": spaced}, cause=IBAN)

    shown = ""
    for path in (
        QUEUE,
        f"{QUEUE}{request.pk}/change/",
        f"{QUEUE}{request.pk}/reject/",
        ORDERS,
        f"{ORDERS}{order.pk}/change/",
        "/backoffice/cancellations/submission/",
        f"/backoffice/cancellations/submission/{submission.pk}/change/",
        "/backoffice/cancellations/addresschange/",
        f"/backoffice/cancellations/addresschange/{order.address_changes.get().pk}/change/",
    ):
        page = _read(root, path)
        assert IBAN[4:-4] not in "".join(page.split()), path
        shown += page
    assert "Please refund to •••• 1326." in shown


def test_an_order_shows_its_timeline_in_words_and_in_the_shops_time(root: Client, settings: Any) -> None:
    settings.SHOP_TIME_ZONE = "Europe/Istanbul"
    request = make_request()
    order = request.line.submission.order
    staff = make_decider()
    log_in(staff).post(f"{QUEUE}{request.pk}/reject/", {"reason": "The parcel has left."})

    page = _read(root, f"{ORDERS}{order.pk}/change/")

    for text in (
        "Cancellation or return requested",
        "Cancellation rejected",
        "The parcel has left.",
        staff.email,
    ):
        assert text in page
    Order.objects.filter(pk=order.pk).update(created_date="2026-07-01T21:30:00Z")
    assert "Placed 2 Jul 2026, 00:30, 1,234.50 TRY" in _read(root, f"{ORDERS}{order.pk}/change/")


def test_orders_are_found_by_number_e_mail_and_name(root: Client) -> None:
    wanted, _other = make_order(), make_order()
    Order.objects.filter(pk=wanted.pk).update(shipping_address={"first_name": "Mehmet", "last_name": "Demir"})

    for words in (wanted.number, wanted.user_email, "mehmet demir"):
        assert _listed(root, f"{ORDERS}?q={words}") == [wanted.pk]
    assert len(_listed(root, f"{ORDERS}?q=Ayşe")) == 2


def test_the_list_of_orders_counts_open_requests_only(root: Client) -> None:
    order = make_request().line.submission.order
    make_request(_Status.REJECTED)

    rows = {row.pk: row.open_requests for row in root.get(ORDERS).context["cl"].result_list}

    assert rows.pop(order.pk) == 1
    assert list(rows.values()) == [0]


def test_nothing_can_be_edited_added_or_deleted_by_a_crafted_post(root: Client) -> None:
    request = make_request()
    submission = request.line.submission
    order = submission.order
    change = AddressChange.objects.create(order=order, address={})
    _make_address()
    rows = [
        (ORDERS, order),
        (QUEUE, request),
        ("/backoffice/cancellations/submission/", submission),
        ("/backoffice/cancellations/addresschange/", change),
        ("/backoffice/accounts/address/", Address.objects.get()),
    ]
    for path, row in rows:
        model = type(row)
        before = list(model._default_manager.values())
        crafted = {
            "number": "X",
            "status": "600",
            "amount": "0",
            "state": "applied",
            "post": "yes",
            "_save": "",
        }

        assert root.post(f"{path}{row.pk}/change/", crafted).status_code == 405
        assert root.post(f"{path}{row.pk}/delete/", crafted).status_code == 403
        assert root.post(f"{path}add/", crafted).status_code == 403
        root.post(path, {"action": "delete_selected", "_selected_action": [row.pk], "post": "yes"})

        assert list(model._default_manager.values()) == before


def test_sync_has_the_worker_read_the_order(root: Client) -> None:
    order = make_order()

    assert root.get(f"{ORDERS}{order.pk}/sync/").status_code == 405
    assert not ProcrastinateJob.objects.exists()
    response = root.post(f"{ORDERS}{order.pk}/sync/")

    assert (response.status_code, response["Location"]) == (302, f"{ORDERS}{order.pk}/change/")
    job = ProcrastinateJob.objects.get()
    assert (job.task_name, job.args) == ("aftercart.sync_order", {"pk": order.pk, "request_id": mock.ANY})
    assert root.post(f"{ORDERS}4711/sync/").status_code == 404


def test_sync_wants_the_permission() -> None:
    order = make_order()
    browser = log_in(make_staff("view_order"))

    assert "/sync/" not in _read(browser, f"{ORDERS}{order.pk}/change/")
    assert browser.post(f"{ORDERS}{order.pk}/sync/").status_code == 403
    assert not ProcrastinateJob.objects.exists()


def test_the_overview_counts_what_waits_and_links_it(root: Client) -> None:
    for status in (_Status.WAITING, _Status.WAITING, _Status.VERIFYING, _Status.REJECTED):
        make_request(status)
    stuck = make_request()
    Delivery.objects.filter(request=stuck).update(state="failed")
    CancellationRequest.objects.filter(pk=stuck.pk).update(
        created_date=timezone.now() - timedelta(days=3, hours=1)
    )
    Submission.objects.filter(pk=stuck.line.submission_id).update(
        state="unknown", manual_since=timezone.now()
    )
    Difference.objects.create(order=stuck.line.submission.order, what="status", ours="400", theirs="500")
    _make_address_change()

    cards = {card.title: card for card in root.get("/backoffice/").context["cards"]}

    assert {title: card.number for title, card in cards.items()} == {
        "Waiting requests": "3",
        "Oldest waiting": "3\xa0days",
        "Being checked": "1",
        "Undeliverable": "1",
        "Submissions under way": "1",
        "Answers long unknown": "1",
        "Pending address changes": "1",
        "Differences": "1",
        "E-mails that need attention": "0",
        "Withdrawals": "0",
    }
    for title, card in cards.items():
        if title != "Oldest waiting":
            assert len(_listed(root, card.url)) == int(card.number)


def test_a_reason_keeps_its_other_translations(root: Client) -> None:
    reason = CancellationReason.objects.create(
        cancellation_type="cancel", subject="Other", translations={"de": {"subject": "Sonstiges"}}
    )
    path = f"/backoffice/cancellations/cancellationreason/{reason.pk}/change/"
    words = {
        "subject": "Other",
        "subject_en": "Something else",
        "subject_tr": "Diğer",
        "order": "3",
        "is_active": "on",
    }

    assert root.post(path, {**words, "cancellation_type": "refund", "remote_pk": "9"}).status_code == 302

    reason.refresh_from_db()
    assert reason.translations == {
        "de": {"subject": "Sonstiges"},
        "en": {"subject": "Something else"},
        "tr": {"subject": "Diğer"},
    }
    assert (reason.cancellation_type, reason.order, reason.remote_pk) == ("cancel", 3, 9)
    assert "Something else" in _read(root, path)

    root.post(path, {**words, "subject_en": "", "subject_tr": ""})
    reason.refresh_from_db()
    assert reason.translations == {"de": {"subject": "Sonstiges"}}
