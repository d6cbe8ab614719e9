"""Cancelling on the pages: choose, see what comes back, see what became of it; without JavaScript."""

import re
from collections.abc import Iterator
from datetime import timedelta
from decimal import Decimal
from typing import Any
from uuid import uuid4

import pytest
from bs4 import BeautifulSoup, Tag
from django.db import transaction
from django.db.models import F
from django.test import Client
from django.utils import timezone
from django.utils.formats import date_format
from pytest_django import DjangoAssertNumQueries, Settings

from aftercart.actions.close_line import complete_line, reject_line
from aftercart.cancellations.models import (
    CancellationReason,
    CancellationRequest,
    EasyReturnCompany,
    Submission,
    SubmissionLine,
)
from aftercart.omnitron.connect import replace_client
from aftercart.omnitron.errors import AnswerUnknown, NotSent
from aftercart.omnitron.fake import FakeOmnitron
from aftercart.orders.models import Order
from aftercart.orders.status import Status
from aftercart.orders.timeline import OMNITRON
from tests.browser.scene import (
    list_products,
    make_address,
    make_companies,
    make_customer,
    make_omnitron,
    make_order,
    make_reasons,
)

pytestmark = pytest.mark.django_db(transaction=True)
SHIRT = "Linen shirt with a round neck"
IBAN = "TR33 0006 1005 1978 6457 8413 26"


def read_fields(form: Tag) -> dict[str, Any]:
    """Read what a browser would send of a form as it stands."""
    fields: dict[str, Any] = {}
    for field in form.select("input[name]"):
        if field["type"] not in {"checkbox", "radio"} or field.has_attr("checked"):
            fields[str(field["name"])] = field.get("value", "")
    return fields


def read(answer: Any) -> BeautifulSoup:
    return BeautifulSoup(answer.content, "html.parser")


class Form:
    """The cancellation form of one order, filled in as a browser would, step by step."""

    def __init__(self, client: Client, order: Order) -> None:
        self.client = client
        self.path = f"/orders/{order.number}/cancel/"
        self.page = read(client.get(self.path))
        form = self.page.select_one(".cancel")
        self.fields = read_fields(form) if form else {}
        self.items = [item.pk for item in order.items.all()]

    def choose(self, place: int, why: CancellationReason, **more: Any) -> "Form":
        prefix = f"item-{self.items[place]}"
        self.fields |= {f"{prefix}-is_chosen": "on", f"{prefix}-reason": why.pk}
        self.fields |= {f"{prefix}-{name}": value for name, value in more.items()}
        return self

    def go_on(self, **more: Any) -> Any:
        """Take the first step."""
        return self.client.post(self.path, self.fields | {"step": "quote"} | more)

    def look(self, **more: Any) -> dict[str, Any]:
        """Take the first step, and read the second as it is shown."""
        answer = self.go_on(**more)
        assert answer.status_code == 200, complaints(answer)
        return read_second(answer)

    def confirm(self, fields: dict[str, Any], **more: Any) -> Any:
        """Take the second step, with its tick."""
        return self.client.post(self.path, fields | {"step": "send", "return_policy": "on"} | more)

    def send(self, **more: Any) -> Any:
        """Take both steps; the answer is that of the one that went no further."""
        answer = self.go_on(**more)
        return self.confirm(read_second(answer)) if answer.status_code == 200 else answer


def read_second(answer: Any) -> dict[str, Any]:
    form = read(answer).select_one("main form[data-once]")
    assert form is not None
    return read_fields(form)


def complaints(answer: Any) -> list[str]:
    return [line.get_text(strip=True) for line in read(answer).select(".summary li")]


def read_outcome(client: Client, answer: Any) -> list[str]:
    """Read what the page says of what became of it: its headline and its sentences."""
    page = read(client.get(answer["Location"]))
    return [re.sub(r"\s+", " ", line.get_text(strip=True)) for line in page.select(".outcome h1, .outcome p")]


@pytest.fixture
def reasons(client: Client) -> list[CancellationReason]:  # noqa: ARG001 - after the database
    return make_reasons()


@pytest.fixture
def order(client: Client) -> Order:
    user = make_customer()
    make_address(user, primary=True)
    make_companies()
    client.force_login(user)
    return make_order(user, list_products("400", "400", "450"))


@pytest.fixture
def fake(order: Order) -> Iterator[FakeOmnitron]:
    fake = make_omnitron(order)
    with replace_client(fake):
        yield fake


def assert_nothing_happened(fake: FakeOmnitron) -> None:
    assert Submission.objects.count() == 0
    assert SubmissionLine.objects.count() == 0
    assert fake.posts == []


def test_a_cancellation_that_omnitron_takes_is_said_to_be_sent(
    client: Client, order: Order, fake: FakeOmnitron, reasons: list[CancellationReason]
) -> None:
    answer = Form(client, order).choose(0, reasons[0]).send()
    assert answer.status_code == 303
    submission = Submission.objects.get()
    assert answer["Location"] == f"/orders/{order.number}/cancel/{submission.uuid}/"
    assert read_outcome(client, answer) == [
        "Your cancellation has been sent",
        "It is being confirmed now. You will see here as soon as it is.",
    ]
    assert submission.refund_quote.is_binding
    assert submission.refund_quote.total_amount == Decimal("530.52")
    assert [item.status for item in order.items.all()] == [Status.CANCELLATION_WAITING, "400", "450"]
    assert [post.call for post in fake.posts] == ["cancel_items"]


@pytest.mark.parametrize(
    ("error", "said"),
    [
        (
            NotSent,
            [
                "We have received your request",
                "Nothing is cancelled yet: our team decides on it.",
                "We could not reach the warehouse's system just now, so our team takes care of it.",
                "You get an answer by {day}.",
            ],
        ),
        (
            AnswerUnknown,
            [
                "We are checking your cancellation",
                "We have sent it, but no answer came back. We find out by looking; please don't ask again.",
            ],
        ),
    ],
)
def test_what_the_back_office_has_to_decide_is_said_to_be_received_no_more(
    client: Client,
    order: Order,
    fake: FakeOmnitron,
    reasons: list[CancellationReason],
    error: Any,
    said: list[str],
) -> None:
    fake.fail("cancel_items", error)
    answer = Form(client, order).choose(0, reasons[0]).choose(1, reasons[0]).send()
    assert answer.status_code == 303
    day = date_format(Submission.objects.get().created_at + timedelta(days=3), "j F Y")
    assert read_outcome(client, answer) == [line.format(day=day) for line in said]
    page = read(client.get(answer["Location"]))
    assert ("You would get back" in page.get_text()) is (error is NotSent)
    assert ("We tried to send it." in page.get_text()) is (error is NotSent)
    assert CancellationRequest.objects.count() == 2


def test_without_a_token_nothing_is_taken_and_the_answer_brings_a_fresh_one(
    order: Order, fake: FakeOmnitron, reasons: list[CancellationReason]
) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert order.user is not None
    strict.force_login(order.user)
    form = Form(strict, order).choose(0, reasons[0])
    second = form.look()
    del second["csrfmiddlewaretoken"]
    answer = form.confirm(second)
    assert answer.status_code == 403
    page = BeautifulSoup(answer.content, "html.parser")
    token = page.select_one("form input[name=csrfmiddlewaretoken]")
    assert token is not None
    assert_nothing_happened(fake)
    assert form.confirm(second, csrfmiddlewaretoken=token["value"]).status_code == 303


def test_a_double_click_cancels_once_and_says_the_same_twice(
    client: Client, order: Order, fake: FakeOmnitron, reasons: list[CancellationReason]
) -> None:
    form = Form(client, order).choose(0, reasons[0])
    fields = form.look()
    first, second = form.confirm(fields), form.confirm(fields)
    assert (first.status_code, second.status_code) == (303, 303)
    assert first["Location"] == second["Location"]
    assert read_outcome(client, second)[0] == "Your cancellation has been sent"
    assert [post.call for post in fake.posts] == ["cancel_items"]
    assert Submission.objects.count() == 1


def test_a_form_that_was_sent_and_then_changed_is_asked_about(
    client: Client, order: Order, fake: FakeOmnitron, reasons: list[CancellationReason]
) -> None:
    form = Form(client, order).choose(0, reasons[0])
    fields = form.look()
    form.confirm(fields)
    other = form.items[1]
    changed = {
        name.replace(str(form.items[0]), str(other)): reasons[0].pk if name.endswith("reason") else value
        for name, value in fields.items()
    }
    answer = form.confirm(changed)
    assert answer.status_code == 409
    assert complaints(answer) == [
        "This form has been sent before. Please check the order, then send it again."
    ]
    again = read_second(answer)
    assert again["idempotency_key"] != fields["idempotency_key"]
    assert len(fake.posts) == 1
    assert form.confirm(again).status_code == 303
    assert len(fake.posts) == 2


def test_going_back_and_on_again_is_another_form(
    client: Client, order: Order, fake: FakeOmnitron, reasons: list[CancellationReason]
) -> None:
    form = Form(client, order).choose(0, reasons[1], description="Too <late>")
    fields = form.look()
    back = client.post(form.path, fields | {"step": "choose"})
    assert back.status_code == 200
    assert complaints(back) == []
    page = read(back)
    typed = page.select_one(f"#id_item-{form.items[0]}-description")
    assert typed is not None
    assert typed.get_text(strip=True) == "Too <late>"
    chosen = page.select_one(f"#id_item-{form.items[0]}-is_chosen")
    assert chosen is not None
    assert chosen.has_attr("checked")
    assert form.look()["idempotency_key"] != fields["idempotency_key"]
    assert_nothing_happened(fake)


def test_nothing_is_sent_that_was_not_shown(
    client: Client, order: Order, fake: FakeOmnitron, reasons: list[CancellationReason]
) -> None:
    form = Form(client, order).choose(0, reasons[0])
    fields = form.look()
    for name in [name for name in fields if name.startswith("quote-")]:
        answer = form.confirm({key: value for key, value in fields.items() if key != name})
        assert answer.status_code == (400 if name == "quote-payment_method" else 303)
        Submission.objects.all().delete() if answer.status_code == 303 else assert_nothing_happened(fake)


def test_the_tick_is_wanted_and_what_was_typed_stays(
    client: Client, order: Order, fake: FakeOmnitron, reasons: list[CancellationReason]
) -> None:
    form = Form(client, order).choose(0, reasons[1], description="No longer needed")
    fields = form.look()
    answer = form.confirm(fields | {"destination": "loyalty"}, return_policy="")
    assert answer.status_code == 400
    assert complaints(answer) == ["Please accept the terms of cancellation and return."]
    again = read_second(answer)
    assert again["destination"] == "loyalty"
    assert again[f"item-{form.items[0]}-description"] == "No longer needed"
    assert again["idempotency_key"] == fields["idempotency_key"]
    assert_nothing_happened(fake)
    assert form.confirm(again).status_code == 303
    line = SubmissionLine.objects.get()
    assert (line.fully_refund_as_loyalty_money, line.description) == (True, "No longer needed")


def test_an_order_that_changed_since_it_was_shown_is_shown_anew_with_what_is_different(
    client: Client, order: Order, fake: FakeOmnitron, reasons: list[CancellationReason]
) -> None:
    form = Form(client, order).choose(0, reasons[0])
    fields = form.look()
    Order.objects.update(discount_amount=0, amount=Decimal("2887.30"), version=F("version") + 1)
    answer = form.confirm(fields)
    assert answer.status_code == 409
    changes = [
        re.sub(r"\s+", " ", line.get_text(" ", strip=True)) for line in read(answer).select(".changes li")
    ]
    assert changes == [
        f"{SHIRT}: before TRY 530.52 now TRY 549.90",
        "Total: before TRY 530.52 now TRY 549.90",
    ]
    assert_nothing_happened(fake)
    assert form.confirm(read_second(answer)).status_code == 303
    assert Submission.objects.get().refund_quote.total_amount == Decimal("549.90")


def test_the_second_step_tells_the_amounts_the_way_and_why(
    client: Client, order: Order, fake: FakeOmnitron, reasons: list[CancellationReason]
) -> None:
    page = read(Form(client, order).choose(2, reasons[0], quantity="1").go_on())
    rows = [row.get_text(" ", strip=True) for row in page.select(".amounts > div")]
    assert rows == [
        "Items TRY 129.50",
        "Their share of the discount \N{MINUS SIGN}TRY 4.57",
        "You get back TRY 124.93",
    ]
    way = page.select_one(".way")
    assert way is not None
    day = date_format(timezone.now() + timedelta(days=3), "j F Y")
    assert re.sub(r"\s+", " ", way.get_text(" ", strip=True)) == (
        "Our team checks this first Cancelling a part of a line has to be done by our team. "
        f"You get an answer by {day}."
    )
    assert [option.get_text(" ", strip=True) for option in page.select(".option strong")] == [
        "Back the way you paid",
        "As loyalty points",
    ]
    assert_nothing_happened(fake)


def test_a_second_tab_is_told_that_it_is_in_progress_already(
    client: Client, order: Order, fake: FakeOmnitron, reasons: list[CancellationReason]
) -> None:
    one, two = (Form(client, order).choose(0, reasons[0]) for _ in range(2))
    first, second = one.look(), two.look()
    assert one.confirm(first).status_code == 303
    answer = two.confirm(second)
    assert answer.status_code == 400
    assert complaints(answer) == ["Order cancellation already in progress."]
    assert len(fake.posts) == 1


def test_a_second_click_while_the_first_is_under_way_goes_to_its_page(
    client: Client, order: Order, fake: FakeOmnitron, reasons: list[CancellationReason]
) -> None:
    form = Form(client, order).choose(0, reasons[0])
    fields = form.look()
    seen: list[Any] = []
    other = Client()
    assert order.user is not None
    other.force_login(order.user)

    def click_again() -> None:
        if not seen:
            seen.append(other.post(form.path, fields | {"step": "send", "return_policy": "on"}))

    fake.before("cancel_items", click_again)
    answer = form.confirm(fields)
    assert [second.status_code for second in seen] == [303]
    assert seen[0]["Location"] == answer["Location"]
    assert len(fake.posts) == 1


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
    assert "Only 2 left of this item." in complaints(answer)[0]
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
    assert "Return code: ER300001" in read(client.get(answer["Location"])).get_text()


def test_the_form_offers_the_companies_hours_and_keeps_to_their_calendars(
    client: Client, order: Order, fake: FakeOmnitron, reasons: list[CancellationReason]
) -> None:
    order.items.filter(sku="shirt").update(status="550", delivered_at=timezone.now())
    EasyReturnCompany.objects.filter(value="yurtici").update(slots=["10:00-11:00"], lead_days=3)
    form = Form(client, order).choose(0, reasons[2])
    assert [option["value"] for option in form.page.select("[name=pickup_slot] option")] == [
        "",
        "09:00-12:00",
        "10:00-11:00",
        "12:00-15:00",
        "15:00-18:00",
    ]
    assert "Yurtiçi Kargo · 10:00–11:00" in form.page.get_text()
    company = EasyReturnCompany.objects.get(value="yurtici")
    days = [f"{timezone.now() + timedelta(days=days):%Y-%m-%d}" for days in (1, 6)]
    wish = {"shipping_company": str(company.pk), "pickup_slot": "10:00-11:00"}
    (complaint,) = complaints(form.send(**wish, pickup_date=days[0]))
    assert complaint.startswith("The parcel can be collected from")
    assert complaints(form.send(**{**wish, "pickup_slot": "12:00-15:00"}, pickup_date=days[1])) == [
        "Parcels are collected at these hours: 10:00–11:00."
    ]
    assert_nothing_happened(fake)
    assert form.send(**wish, pickup_date=days[1]).status_code == 303
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


def test_an_account_is_asked_for_only_where_money_cannot_go_back_the_way_it_came(
    client: Client, order: Order, fake: FakeOmnitron, reasons: list[CancellationReason]
) -> None:
    form = Form(client, order).choose(0, reasons[0])
    assert "iban" not in form.look()
    Order.objects.update(payment_option={"payment_type": "funds_transfer"})
    fields = form.look()
    assert (fields["destination"], fields["iban"]) == ("iban", "")
    wrong = {"iban": "TR00 1234", "holder_name": "Ayşe"}
    answer = form.confirm(fields, **wrong)
    assert complaints(answer) == ["This is not a valid IBAN."]
    assert read_second(answer)["iban"] == "TR00 1234"
    assert complaints(form.confirm(fields, iban=IBAN)) == ["Please enter whose account it is."]
    assert complaints(form.confirm(fields, holder_name="Ayşe")) == ["Please enter the IBAN of the account."]
    assert_nothing_happened(fake)
    answer = form.confirm(fields, iban=IBAN, holder_name="Ayşe Yılmaz")
    assert answer.status_code == 303
    assert SubmissionLine.objects.get().iban == IBAN.replace(" ", "")
    page = client.get(answer["Location"]).content.decode()
    assert "Account ending in 1326" in page
    assert IBAN.replace(" ", "") not in page


def test_an_account_that_is_not_wanted_is_not_kept(
    client: Client, order: Order, fake: FakeOmnitron, reasons: list[CancellationReason]
) -> None:
    Order.objects.update(payment_option={"payment_type": "funds_transfer"})
    form = Form(client, order).choose(0, reasons[0])
    fields = form.look() | {"destination": "loyalty", "iban": "rubbish", "holder_name": "Ayşe"}
    assert form.confirm(fields).status_code == 303
    line = SubmissionLine.objects.get()
    assert (line.iban, line.holder_name, line.fully_refund_as_loyalty_money) == ("", "", True)
    assert len(fake.posts) == 1


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


def test_what_the_rules_refuse_between_the_steps_is_not_sent(
    client: Client, order: Order, fake: FakeOmnitron, reasons: list[CancellationReason]
) -> None:
    form = Form(client, order).choose(0, reasons[0])
    fields = form.look()
    order.items.filter(sku="shirt").update(status="500")
    answer = form.confirm(fields)
    assert answer.status_code == 400
    assert complaints(answer) == ["Order can't be cancelled in this status."]
    assert_nothing_happened(fake)


def test_the_page_of_a_submission_is_its_customers_alone(
    client: Client, order: Order, fake: FakeOmnitron, reasons: list[CancellationReason]
) -> None:
    path = Form(client, order).choose(0, reasons[0]).send()["Location"]
    assert client.get(path).status_code == 200
    other = make_order(make_customer("other@example.com"), list_products("400"), number="ORD-OTHER")
    assert client.get(path.replace(order.number, other.number)).status_code == 404
    assert client.get(f"/orders/{order.number}/cancel/{uuid4()}/").status_code == 404
    client.force_login(other.user)  # type: ignore[arg-type]
    assert client.get(path).status_code == 404
    assert client.get(path.replace(order.number, other.number)).status_code == 404
    assert len(fake.posts) == 1


def test_the_orders_page_leads_to_what_became_of_it(
    client: Client, order: Order, fake: FakeOmnitron, reasons: list[CancellationReason]
) -> None:
    fake.fail("cancel_items", NotSent)
    result = Form(client, order).choose(0, reasons[0]).send()["Location"]
    page = read(client.get(f"/users/orders/{order.pk}/"))
    assert [link["href"] for link in page.select(".story a")] == [result]
    assert [link["href"] for link in page.select(".request a")] == [result]


def test_a_page_that_shows_what_is_asks_for_nothing_more(
    client: Client, order: Order, fake: FakeOmnitron, reasons: list[CancellationReason]
) -> None:
    path = Form(client, order).choose(0, reasons[0]).send()["Location"]
    for page in (path, f"/users/orders/{order.pk}/"):
        live = read(client.get(page)).select_one("[data-live]")
        assert live is not None
        assert client.get(f"{page}?version={live['data-version']}").status_code == 204
        assert client.get(f"{page}?version=0").status_code == 200
        Order.objects.update(version=F("version") + 1)
        assert client.get(f"{page}?version={live['data-version']}").status_code == 200
    assert len(fake.posts) == 1


@pytest.mark.parametrize(
    ("outcome", "reason", "said"),
    [
        ("completed", "", ["It is cancelled", "There is nothing more for you to do."]),
        (
            "rejected",
            "It is on the lorry.",
            ["Your cancellation was declined", "Your order goes on as it was."],
        ),
    ],
)
def test_the_end_is_told_with_its_reason_and_is_no_longer_asked_for(
    client: Client,
    order: Order,
    fake: FakeOmnitron,
    reasons: list[CancellationReason],
    outcome: str,
    reason: str,
    said: list[str],
) -> None:
    fake.fail("cancel_items", NotSent)
    answer = Form(client, order).choose(0, reasons[0]).send()
    with transaction.atomic():
        line = SubmissionLine.objects.select_related("order_item").get()
        if outcome == "completed":
            complete_line(order, line, OMNITRON)
        else:
            reject_line(order, line, OMNITRON, reason=reason)
    assert read_outcome(client, answer) == said
    page = read(client.get(answer["Location"]))
    assert page.select("[data-live]") == []
    assert [line.get_text() for line in page.select(".items .reason")] == ([reason] if reason else [])


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


def test_the_number_of_queries_does_not_depend_on_how_much_is_asked(
    client: Client,
    order: Order,
    fake: FakeOmnitron,
    reasons: list[CancellationReason],
    django_assert_max_num_queries: DjangoAssertNumQueries,
) -> None:
    form = Form(client, order).choose(0, reasons[0])
    with django_assert_max_num_queries(16):
        client.get(form.path)
    with django_assert_max_num_queries(32) as one:
        form.go_on()
    form.choose(1, reasons[0]).choose(2, reasons[0])
    with django_assert_max_num_queries(len(one)):
        fields = form.look()
    path = form.confirm(fields)["Location"]
    with django_assert_max_num_queries(16):
        client.get(path)
    order.refresh_from_db()
    with django_assert_max_num_queries(4):
        assert client.get(f"{path}?version={order.version}").status_code == 204
    assert len(fake.posts) == 1
