"""Another time for the carrier, or none for now: while the carrier can still be told."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from aftercart.cancellations.models import CancellationReason, EasyReturnCompany, SubmissionLine
from aftercart.lib.clock import get_shop_now
from aftercart.mail.compose import compose_mail
from aftercart.mail.models import Email
from aftercart.oms.connect import replace_client
from aftercart.orders.models import Order, TimelineEntry
from tests.browser.fixtures import make_omnitron
from tests.clock import stop_clock
from tests.http.browser import Browser
from tests.http.cancelling.form import Form, complaints
from tests.http.forms import read

pytestmark = pytest.mark.django_db(transaction=True)

#: Noon, wherever the shop is: no day ends while these tests run.
NOON = get_shop_now().replace(hour=12)
DAY = NOON.date() + timedelta(days=3)
LATER = DAY + timedelta(days=1)


@pytest.fixture(autouse=True)
def _noon() -> Iterator[None]:
    with stop_clock(NOON):
        yield


@pytest.fixture
def returned(client: Client, order: Order, reasons: list[CancellationReason]) -> Iterator[str]:
    """The page of a return of two items, which are collected in three days from 09:00 to 12:00."""
    order.items.update(status="550", delivered_at=timezone.now(), shipped_at=timezone.now())
    Order.objects.update(status="550")
    EasyReturnCompany.objects.update(slots=["09:00-12:00", "13:00-17:00"], lead_days=1)
    with replace_client(make_omnitron(order)):
        form = Form(client, order).choose(0, reasons[2]).choose(1, reasons[2])
        answer = form.send(
            shipping_company=EasyReturnCompany.objects.earliest("pk").pk,
            pickup_address=form.fields["pickup_address"],
            pickup_date=DAY.isoformat(),
            pickup_slot="09:00-12:00",
        )
        yield str(answer["Location"])


def change(client: Client, returned: str, **fields: Any) -> Any:
    typed = {"step": "change", "pickup_date": LATER.isoformat(), "pickup_slot": "13:00-17:00"}
    return client.post(f"{returned}pickup/", typed | fields)


def list_pickups() -> list[tuple[Any, bool]]:
    return list(SubmissionLine.objects.values_list("pickup_date", "is_pickup_cancelled"))


def make_pickup(day: Any, start: str, end: str) -> dict[str, Any]:
    return {"date": day.isoformat(), "hour_range": {"start": start, "end": end}}


CHOSEN = make_pickup(DAY, "09:00", "12:00")


def test_the_form_begins_with_the_time_that_holds(client: Client, returned: str) -> None:
    [link] = read(client.get(returned)).select(f"a[href='{returned}pickup/']")
    page = read(client.get(str(link["href"])))

    assert link.get_text() == "Change pickup"
    [day] = page.select("[name=pickup_date]")
    assert (day["value"], day["min"]) == (DAY.isoformat(), (DAY - timedelta(days=2)).isoformat())
    assert [option["value"] for option in page.select("[name=pickup_slot] [selected]")] == ["09:00-12:00"]


def test_another_time_holds_for_the_whole_parcel_and_is_confirmed_once(
    client: Client, returned: str, order: Order
) -> None:
    version = Order.objects.get().version

    answers = [change(client, returned), change(client, returned)]

    assert [(answer.status_code, answer["Location"]) for answer in answers] == [(303, returned)] * 2
    assert list_pickups() == [(make_pickup(LATER, "13:00", "17:00"), False)] * 2
    assert Order.objects.get().version == version + 1
    [entry] = TimelineEntry.objects.filter(event="pickup_changed")
    assert (entry.actor, entry.user, entry.data["pickup"]) == (
        "customer", order.user, make_pickup(LATER, "13:00", "17:00"),
    )  # fmt: skip
    [email] = Email.objects.filter(kind="pickup_changed")
    words = compose_mail(email).body
    assert "Your new pickup time" in words
    assert "13:00–17:00" in words
    page = read(client.get(returned))
    assert "13:00–17:00" in page.select(".pass dd")[-2].get_text()
    assert (
        "You changed the pickup of your return."
        in page.get_text() + read(client.get(f"/users/orders/{order.pk}/")).get_text()
    )


def test_a_pickup_is_cancelled_and_chosen_anew(client: Client, returned: str) -> None:
    assert change(client, returned, step="cancel").status_code == 303

    assert list_pickups() == [(None, True)] * 2
    page = read(client.get(returned))
    assert "You have cancelled the pickup." in page.select(".pass .to-do li")[-1].get_text()
    assert page.select(f"a[href='{returned}pickup/']")[0].get_text() == "Choose a pickup time"
    assert client.get(f"{returned}pickup.ics").status_code == 404
    [email] = Email.objects.filter(kind="pickup_changed")
    assert "Your pickup is cancelled" in compose_mail(email).body

    assert change(client, returned).status_code == 303
    assert list_pickups() == [(make_pickup(LATER, "13:00", "17:00"), False)] * 2
    assert [entry.event for entry in TimelineEntry.objects.filter(event__startswith="pickup").order_by("pk")] == [
        "pickup_cancelled", "pickup_changed",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [
        ({"pickup_date": ""}, "Please choose both a day and a time."),
        ({"pickup_slot": ""}, "Please choose both a day and a time."),
        (
            {"pickup_slot": "01:00-02:00"},
            "Select a valid choice. 01:00-02:00 is not one of the available choices.",
        ),
        ({"pickup_date": "2001-01-01"}, "The pickup time is in the past."),
        ({"pickup_date": "0000-99-99"}, "Enter a valid date."),
    ],
)
def test_a_time_at_which_nobody_comes_is_refused_where_it_is_typed(
    client: Client, returned: str, typed: dict[str, str], sentence: str
) -> None:
    answer = change(client, returned, **typed)

    assert answer.status_code == 400
    [complaint] = complaints(answer)
    assert complaint.partition(": ")[2] == sentence
    assert list_pickups() == [(CHOSEN, False)] * 2


def test_hours_of_an_earlier_day_than_the_carrier_can_be_told_are_refused(
    client: Client, returned: str
) -> None:
    EasyReturnCompany.objects.update(lead_days=3)
    assert change(client, returned, pickup_date=(DAY - timedelta(days=1)).isoformat()).status_code == 400
    assert list_pickups() == [(CHOSEN, False)] * 2


@pytest.mark.parametrize("step", ["change", "cancel"])
def test_what_the_carrier_has_planned_stays(client: Client, returned: str, step: str) -> None:
    EasyReturnCompany.objects.update(lead_days=4)

    assert read(client.get(returned)).select(f"a[href='{returned}pickup/']") == []
    for answer in (
        client.get(f"{returned}pickup/"),
        change(client, returned, step=step, pickup_date="2100-01-01"),
    ):
        assert (answer.status_code, answer["Location"]) == (303, returned)
    assert "This pickup can no longer be changed." in read(client.get(returned)).get_text()
    assert list_pickups() == [(CHOSEN, False)] * 2
    assert not Email.objects.filter(kind="pickup_changed").exists()


def test_once_it_is_decided_there_is_nothing_to_collect(client: Client, returned: str) -> None:
    SubmissionLine.objects.update(is_open=False, outcome="completed", closed_at=timezone.now())
    assert client.get(f"{returned}pickup/").status_code == 404
    assert change(client, returned).status_code == 404
    assert list_pickups() == [(CHOSEN, False)] * 2


def test_nobody_else_reaches_it(returned: str) -> None:
    assert change(Browser(), returned).status_code == 401
    assert list_pickups() == [(CHOSEN, False)] * 2


def test_the_time_stays_until_the_hours_have_begun() -> None:
    from aftercart.cancellations.pickups import Calendar, is_changeable

    pickup = {"date": "2030-05-14", "hour_range": {"start": "09:00", "end": "12:00"}}
    at = datetime(2030, 5, 14, 8, 59, tzinfo=UTC)
    assert is_changeable(Calendar(), pickup, at)
    assert not is_changeable(Calendar(), pickup, at + timedelta(minutes=1))
    assert not is_changeable(Calendar(lead_days=1), pickup, at)
    assert is_changeable(Calendar(lead_days=1), pickup, at - timedelta(days=1))
    assert is_changeable(Calendar(lead_days=9), None, at)
