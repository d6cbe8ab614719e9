"""The cancellation form: one path, without JavaScript."""

from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

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


class Form:
    """The cancellation form of one order, filled in as a browser would."""

    def __init__(self, client: Client, order: Order) -> None:
        self.client = client
        self.path = f"/orders/{order.number}/cancel/"
        self.page = BeautifulSoup(client.get(self.path).content, "html.parser")
        self.fields: dict[str, Any] = {}
        for field in self.page.select(".cancel input"):
            if field["type"] not in {"checkbox", "radio"} or field.has_attr("checked"):
                self.fields[str(field["name"])] = field.get("value", "")
        self.items = [item.pk for item in order.items.all()]

    def choose(self, place: int, why: CancellationReason, **more: Any) -> "Form":
        prefix = f"item-{self.items[place]}"
        self.fields |= {f"{prefix}-is_chosen": "on", f"{prefix}-reason": why.pk}
        self.fields |= {f"{prefix}-{name}": value for name, value in more.items()}
        return self

    def send(self, **more: Any) -> Any:
        return self.client.post(self.path, self.fields | more)


def complaints(answer: Any) -> list[str]:
    page = BeautifulSoup(answer.content, "html.parser")
    return [line.get_text(strip=True) for line in page.select(".summary li")]


def messages(client: Client, answer: Any) -> list[str]:
    page = BeautifulSoup(client.get(answer["Location"]).content, "html.parser")
    return [notice.get_text(strip=True) for notice in page.select(".notice[role=status]")]


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
    assert answer["Location"] == f"/users/orders/{order.pk}/"
    assert messages(client, answer) == [
        f"Your cancellation has been sent: {SHIRT}. You will see here when it is confirmed."
    ]
    assert [item.status for item in order.items.all()] == [Status.CANCELLATION_WAITING, "400", "450"]
    assert [post.call for post in fake.posts] == ["cancel_items"]


@pytest.mark.parametrize("error", [NotSent, AnswerUnknown])
def test_what_the_back_office_has_to_decide_is_said_to_be_received_no_more(
    client: Client, order: Order, fake: FakeOmnitron, reasons: list[CancellationReason], error: Any
) -> None:
    fake.fail("cancel_items", error)
    answer = Form(client, order).choose(0, reasons[0]).choose(1, reasons[0]).send()
    assert answer.status_code == 303
    assert messages(client, answer) == [
        f"We have received your request: {SHIRT} and Running shoes. "  # noqa: ISC004
        "Our team decides on it; you will see the answer here."
    ]
    assert CancellationRequest.objects.count() == 2


def test_without_a_token_nothing_is_taken_and_the_answer_brings_a_fresh_one(
    order: Order, fake: FakeOmnitron, reasons: list[CancellationReason]
) -> None:
    strict = Client(enforce_csrf_checks=True)
    assert order.user is not None
    strict.force_login(order.user)
    form = Form(strict, order).choose(0, reasons[0])
    del form.fields["csrfmiddlewaretoken"]
    answer = form.send()
    assert answer.status_code == 403
    page = BeautifulSoup(answer.content, "html.parser")
    token = page.select_one("form input[name=csrfmiddlewaretoken]")
    assert token is not None
    assert_nothing_happened(fake)
    assert form.send(csrfmiddlewaretoken=token["value"]).status_code == 303


def test_a_double_click_cancels_once_and_says_the_same_twice(
    client: Client, order: Order, fake: FakeOmnitron, reasons: list[CancellationReason]
) -> None:
    form = Form(client, order).choose(0, reasons[0])
    first, second = form.send(), form.send()
    assert (first.status_code, second.status_code) == (303, 303)
    assert messages(client, second)[-1].startswith("Your cancellation has been sent")
    assert [post.call for post in fake.posts] == ["cancel_items"]
    assert Submission.objects.count() == 1


def test_a_form_that_was_sent_and_then_changed_is_asked_about(
    client: Client, order: Order, fake: FakeOmnitron, reasons: list[CancellationReason]
) -> None:
    form = Form(client, order).choose(0, reasons[0])
    form.send()
    answer = form.choose(1, reasons[0]).send()
    assert answer.status_code == 409
    assert complaints(answer) == [
        "This form has been sent before. Please check the order, then send it again."
    ]
    page = BeautifulSoup(answer.content, "html.parser")
    key = page.select_one("input[name=idempotency_key]")
    assert key is not None
    assert key["value"] != form.fields["idempotency_key"]
    del form.fields[f"item-{form.items[0]}-is_chosen"]
    assert form.send(idempotency_key=key["value"]).status_code == 303
    assert len(fake.posts) == 2


def test_what_is_missing_is_told_at_the_field_and_what_was_typed_is_kept(
    client: Client, order: Order, fake: FakeOmnitron, reasons: list[CancellationReason]
) -> None:
    form = Form(client, order)
    assert complaints(form.send()) == ["Please choose at least one item."]
    other, first, second = reasons[1], *form.items[:2]
    form.choose(0, other).fields[f"item-{second}-is_chosen"] = "on"
    answer = form.send(fully_refund_as_loyalty_money="on")
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
    assert page.select_one("input[name=fully_refund_as_loyalty_money][checked]") is not None
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
    assert [option["value"] for option in form.page.select("[name$=quantity] option")] == ["2", "1"]
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
    assert not Form(client, order).page.select("[name=iban]")
    Order.objects.update(payment_option={"payment_type": "funds_transfer"})
    form = Form(client, order).choose(0, reasons[0])
    assert form.page.select("[name=iban]")
    assert complaints(form.send(iban="TR00 1234", holder_name="Ayşe")) == ["This is not a valid IBAN."]
    assert complaints(form.send(iban=IBAN)) == ["IBAN and account holder belong together."]
    assert_nothing_happened(fake)
    assert form.send(iban=IBAN, holder_name="Ayşe Yılmaz").status_code == 303
    assert SubmissionLine.objects.get().iban == IBAN.replace(" ", "")


def test_what_the_rules_refuse_is_told_and_offered_no_more(
    client: Client, order: Order, fake: FakeOmnitron, reasons: list[CancellationReason]
) -> None:
    form = Form(client, order).choose(0, reasons[0])
    order.items.filter(sku="shirt").update(status="500")
    answer = form.send()
    assert answer.status_code == 400
    assert complaints(answer) == ["Order can't be cancelled in this status."]
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
