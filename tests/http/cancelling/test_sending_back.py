"""How a return gets back: carrier, hours, address and code, before it is sent, after it, and in a calendar."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from icalendar import Calendar

from aftercart.accounts.models import Country
from aftercart.cancellations.models import CancellationReason, EasyReturnCompany, SubmissionLine
from aftercart.lib.clock import get_shop_now
from aftercart.orders.models import Order
from tests.browser.fixtures import make_address
from tests.fake_omnitron import FakeOmnitron
from tests.http.cancelling.form import Form, assert_nothing_happened, complaints
from tests.http.forms import read

pytestmark = pytest.mark.django_db(transaction=True)

ADDRESS = "Moda Caddesi 12, Daire 4, 34710 Kadıköy / İstanbul"


@pytest.fixture
def form(client: Client, order: Order, reasons: list[CancellationReason]) -> Form:
    order.items.update(status="550", delivered_at=timezone.now(), shipped_at=timezone.now())
    Order.objects.update(status="550")
    yurtici, aras = EasyReturnCompany.objects.order_by("pk")
    EasyReturnCompany.objects.filter(pk=yurtici.pk).update(slots=["09:00-12:00"])
    EasyReturnCompany.objects.filter(pk=aras.pk).update(slots=["18:00-21:00"])
    return Form(client, order).choose(0, reasons[2])


def pick(form: Form, company: str, slot: str, days: int = 3) -> dict[str, Any]:
    day = get_shop_now().date() + timedelta(days=days)
    return {
        "shipping_company": EasyReturnCompany.objects.get(value=company).pk,
        "pickup_address": form.fields["pickup_address"],
        "pickup_date": day.isoformat(),
        "pickup_slot": slot,
    }


def test_each_carrier_has_its_own_hours(form: Form) -> None:
    groups = form.page.select("[name=pickup_slot] optgroup")
    assert [(group["label"], [o["value"] for o in group.select("option")]) for group in groups] == [
        ("Yurtiçi Kargo", ["09:00-12:00"]),
        ("Aras Kargo", ["18:00-21:00"]),
    ]


def test_hours_at_which_a_carrier_does_not_come_are_wrong_at_the_hours(
    form: Form, fake: FakeOmnitron
) -> None:
    answer = form.go_on(**pick(form, "aras", "09:00-12:00"))

    page = read(answer)
    assert complaints(answer) == ["Parcels are collected at these hours: 18:00–21:00."]
    assert page.select_one("#id_pickup_slot_error") is not None
    assert page.select_one("#id_pickup_date_error") is None
    assert_nothing_happened(fake)


def test_the_step_before_sending_says_how_it_gets_back(form: Form, fake: FakeOmnitron) -> None:
    page = read(form.go_on(**pick(form, "aras", "18:00-21:00")))

    facts = [cell.get_text() for cell in page.select("section[aria-labelledby=parcel] dd")]
    assert facts[0] == "Aras Kargo"
    assert facts[1].endswith(", 18:00–21:00")
    assert facts[2] == ADDRESS
    assert len(page.select("section[aria-labelledby=parcel] .to-do li")) == 3
    assert fake.posts == []


def test_a_parcel_is_not_collected_in_another_country(form: Form, order: Order, fake: FakeOmnitron) -> None:
    assert order.user is not None
    germany = Country.objects.create(code="de", name="Germany")
    abroad = make_address(order.user, "Berlin")
    type(abroad).objects.filter(pk=abroad.pk).update(country=germany)

    answer = form.go_on(**pick(form, "aras", "18:00-21:00") | {"pickup_address": abroad.pk})

    assert answer.status_code == 400
    assert complaints(answer) == ["We can only collect returns in the country the order was delivered to."]
    assert_nothing_happened(fake)


def test_the_code_is_shown_as_text_and_for_scanners_and_goes_once_it_is_decided(
    client: Client, form: Form, order: Order, fake: FakeOmnitron
) -> None:
    answer = form.send(**pick(form, "aras", "18:00-21:00"))
    SubmissionLine.objects.update(
        easy_return_code="ER-77", easy_return_valid_until=datetime(2100, 1, 1, tzinfo=UTC)
    )
    Order.objects.update(version=99)
    for path in (answer["Location"], f"/users/orders/{order.pk}/"):
        page = read(client.get(path))
        code = page.select_one(".pass-code .code")
        assert code is not None
        assert code.get_text() == "ER-77"
        assert len(page.select(".pass svg path.bars")) == 2
        assert page.select_one("[data-copy=ER-77]") is not None
        assert ADDRESS in page.select(".pass dd")[-1].get_text()

    SubmissionLine.objects.update(is_open=False, outcome="rejected")
    assert read(client.get(answer["Location"])).select(".pass") == []
    assert len(fake.posts) == 1


def test_a_pickup_goes_into_the_customers_calendar(client: Client, form: Form, fake: FakeOmnitron) -> None:
    picked = pick(form, "aras", "18:00-21:00")
    answer = form.send(**picked)

    entry = client.get(f"{answer['Location']}pickup.ics")

    assert entry["Content-Type"] == "text/calendar; charset=utf-8"
    found: list[Any] = list(Calendar.from_ical(entry.content).walk("VEVENT"))
    [event] = found
    starts, ends = event["DTSTART"].dt, event["DTEND"].dt
    assert (starts.date().isoformat(), starts.hour, ends.hour) == (picked["pickup_date"], 18, 21)
    assert str(event["LOCATION"]) == ADDRESS
    assert len(fake.posts) == 1


def test_a_pickup_of_somebody_else_is_not_found(client: Client, form: Form, fake: FakeOmnitron) -> None:
    answer = form.send(**pick(form, "aras", "18:00-21:00"))
    client.logout()
    assert client.get(f"{answer['Location']}pickup.ics").status_code == 302
    assert len(fake.posts) == 1
