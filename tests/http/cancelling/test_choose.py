"""The first step: what can be chosen, and what is wrong with what was."""

from datetime import timedelta

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from aftercart.cancellations.models import CancellationReason, EasyReturnCompany, SubmissionLine
from aftercart.orders.models import Order
from tests.browser.fixtures import make_customer
from tests.fake_omnitron import FakeOmnitron
from tests.http.cancelling.form import SHIRT, Form, assert_nothing_happened, complaints
from tests.http.forms import read

pytestmark = pytest.mark.django_db(transaction=True)


def test_what_is_missing_is_told_at_the_field_and_what_was_typed_is_kept(
    client: Client, order: Order, fake: FakeOmnitron, reasons: list[CancellationReason]
) -> None:
    form = Form(client, order)
    assert complaints(form.send()) == ["Please choose at least one item."]
    other, first, second = reasons[1], *form.items[:2]
    form.choose(0, other).fields[f"item-{second}-is_chosen"] = "on"
    answer = form.send(destination="loyalty")
    assert answer.status_code == 400
    assert complaints(answer) == [
        "Linen shirt with a round neck: Please tell us a little more; this reason needs a description.",
        "Running shoes: Please choose a reason.",
    ]
    page = BeautifulSoup(answer.content, "html.parser")
    field = page.select_one(f"#id_item-{first}-description")
    assert field is not None
    assert field["aria-describedby"] == f"id_item-{first}-description_error"
    assert field["aria-invalid"] == "true"
    assert page.select_one(f"#id_item-{first}-description_error") is not None
    assert page.select_one(f"#id_item-{first}-reason option[selected][value='{other.pk}']") is not None
    carried = page.select_one("input[name=destination]")
    assert carried is not None
    assert carried["value"] == "loyalty"
    assert_nothing_happened(fake)


def test_only_reasons_that_fit_are_offered_in_the_customers_language(
    client: Client, order: Order, fake: FakeOmnitron, reasons: list[CancellationReason]
) -> None:
    order.items.filter(sku="mug").update(status="550", delivered_at=timezone.now())
    answer = client.get(f"/orders/{order.number}/cancel/", headers={"accept-language": "tr"})
    page = BeautifulSoup(answer.content, "html.parser")
    offered = [
        [option.get_text() for option in select.select("option")[1:]]
        for select in page.select("[name$=reason]")
    ]
    assert offered == [["Fikrimi değiştirdim", "Diğer"]] * 2 + [["Bedeni uymadı", "Hasarlı veya kusurlu"]]
    assert len(page.select("option[data-needs-description]")) == 3
    assert fake.posts == []
    assert len(reasons) == 4


def test_a_part_of_a_line_can_be_asked_for_but_no_more_than_is_left(
    client: Client, order: Order, fake: FakeOmnitron, reasons: list[CancellationReason]
) -> None:
    order.items.filter(sku="mug").update(cancelled_quantity=1)
    form = Form(client, order)
    number = form.page.select_one("[name$=quantity]")
    assert number is not None
    assert (number["value"], number["min"], number["max"]) == ("2", "1", "2")
    answer = form.choose(2, reasons[0], quantity="3").send()
    assert answer.status_code == 400
    assert "You can cancel or return at most 2 of this item." in complaints(answer)[0]
    assert complaints(form.choose(2, reasons[0], quantity="0").send()) != []
    assert_nothing_happened(fake)
    assert form.choose(2, reasons[0], quantity="1").send().status_code == 303
    assert SubmissionLine.objects.get().quantity == 1


def test_a_return_is_collected_by_a_company_at_an_address(
    client: Client, order: Order, fake: FakeOmnitron, reasons: list[CancellationReason]
) -> None:
    order.items.filter(sku="shirt").update(status="550", delivered_at=timezone.now())
    form = Form(client, order).choose(0, reasons[2])
    address = form.fields["pickup_address"]
    answer = form.send(pickup_address="")
    assert answer.status_code == 400
    assert complaints(answer) == [
        "Please choose who collects the parcel.",
        "Please choose where the parcel is collected.",
    ]
    company = form.page.select("[name=shipping_company]")[0]["value"]
    yesterday, tomorrow = (f"{timezone.now() + timedelta(days=days):%Y-%m-%d}" for days in (-1, 1))
    assert complaints(form.send(shipping_company=company, pickup_date=tomorrow)) == [
        "Please choose both a day and a time, or neither."
    ]
    assert complaints(
        form.send(shipping_company=company, pickup_date=yesterday, pickup_slot="09:00-12:00")
    ) == ["The pickup time is in the past."]
    assert_nothing_happened(fake)
    answer = form.send(shipping_company=company, pickup_date=tomorrow, pickup_slot="09:00-12:00")
    assert answer.status_code == 303
    line = SubmissionLine.objects.get()
    assert line.shipping_company_id == int(str(company))
    assert line.pickup_address is not None
    assert line.pickup_address["pk"] == int(address)
    assert line.pickup_date == {"date": tomorrow, "hour_range": {"start": "09:00", "end": "12:00"}}
    assert "Return code" not in read(client.get(answer["Location"])).get_text()
    SubmissionLine.objects.update(easy_return_code="ER300001")
    assert "ER300001" in read(client.get(answer["Location"])).get_text()


def test_the_form_offers_the_companies_hours_and_keeps_to_their_calendars(
    client: Client, order: Order, fake: FakeOmnitron, reasons: list[CancellationReason]
) -> None:
    order.items.filter(sku="shirt").update(status="550", delivered_at=timezone.now())
    EasyReturnCompany.objects.filter(value="yurtici").update(slots=["10:00-11:00"], lead_days=3)
    form = Form(client, order).choose(0, reasons[2])
    assert [option["value"] for option in form.page.select("[name=pickup_slot] option")] == [
        "",
        "10:00-11:00",
        "09:00-12:00",
        "12:00-15:00",
        "15:00-18:00",
    ]
    assert "Yurtiçi Kargo · 10:00–11:00" in form.page.get_text()
    company = EasyReturnCompany.objects.get(value="yurtici")
    days = [f"{timezone.now() + timedelta(days=days):%Y-%m-%d}" for days in (1, 6)]
    slot = {"shipping_company": str(company.pk), "pickup_slot": "10:00-11:00"}
    (complaint,) = complaints(form.send(**slot, pickup_date=days[0]))
    assert complaint.startswith("The parcel can be collected from")
    assert complaints(form.send(**{**slot, "pickup_slot": "12:00-15:00"}, pickup_date=days[1])) == [
        "Parcels are collected at these hours: 10:00–11:00."
    ]
    assert_nothing_happened(fake)
    assert form.send(**slot, pickup_date=days[1]).status_code == 303
    assert SubmissionLine.objects.get().shipping_company == company


def test_a_cancellation_does_not_ask_about_collection(
    client: Client, order: Order, fake: FakeOmnitron, reasons: list[CancellationReason]
) -> None:
    form = Form(client, order)
    assert not form.page.select("[name=shipping_company]")
    assert form.choose(0, reasons[0]).send(pickup_address="999", pickup_slot="rubbish").status_code == 303
    assert len(fake.posts) == 1


def test_without_easy_return_nothing_is_collected(
    client: Client, order: Order, fake: FakeOmnitron, reasons: list[CancellationReason], settings: Settings
) -> None:
    settings.EASY_RETURN = False
    order.items.filter(sku="shirt").update(status="550", delivered_at=timezone.now())
    form = Form(client, order)
    assert not form.page.select("[name=shipping_company]")
    assert form.choose(0, reasons[2]).send().status_code == 303
    assert SubmissionLine.objects.get().shipping_company is None
    assert fake.calls


def test_what_the_rules_refuse_is_told_and_offered_no_more(
    client: Client, order: Order, fake: FakeOmnitron, reasons: list[CancellationReason]
) -> None:
    form = Form(client, order).choose(0, reasons[0])
    order.items.filter(sku="shirt").update(status="500")
    answer = form.send()
    assert answer.status_code == 400
    assert complaints(answer) == [f"{SHIRT}: Order can't be cancelled in this status."]
    assert_nothing_happened(fake)
    page = BeautifulSoup(answer.content, "html.parser")
    kind = page.select_one(f"[name=item-{form.items[0]}-cancellation_type]")
    assert kind is not None
    assert kind["value"] == "refund"


def test_an_order_with_nothing_to_cancel_has_no_form(
    client: Client, order: Order, fake: FakeOmnitron
) -> None:
    order.items.update(status="100", cancelled_quantity=1)
    page = BeautifulSoup(client.get(f"/orders/{order.number}/cancel/").content, "html.parser")
    assert not page.select(".cancel")
    assert "Nothing in this order can be cancelled or returned any more." in page.get_text()
    assert len(page.select(".faded")) == 3
    assert fake.posts == []


def test_foreign_and_unknown_orders_do_not_exist(
    client: Client, order: Order, fake: FakeOmnitron, reasons: list[CancellationReason]
) -> None:
    form = Form(client, order).choose(0, reasons[0])
    client.force_login(make_customer("other@example.com"))
    assert form.send().status_code == 404
    assert client.get(form.path).status_code == 404
    assert client.get("/orders/ORD-UNKNOWN/cancel/").status_code == 404
    assert_nothing_happened(fake)


@pytest.mark.parametrize(
    "rubbish",
    [
        {"reason": "x"},
        {"reason": str(10**30)},
        {"description": "\x00"},
        {"description": "x" * 1001},
        {"quantity": "9" * 40},
        {"quantity": "-1"},
        {"cancellation_type": "theft"},
    ],
)
def test_rubbish_is_refused_without_a_fault(
    client: Client,
    order: Order,
    fake: FakeOmnitron,
    reasons: list[CancellationReason],
    rubbish: dict[str, str],
) -> None:
    form = Form(client, order).choose(0, reasons[0], **rubbish)
    assert form.send().status_code == 400
    assert_nothing_happened(fake)
