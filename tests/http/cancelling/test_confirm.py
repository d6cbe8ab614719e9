"""The second step: what comes back and where it goes, confirmed once, and bound to what was shown."""

import re
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from bs4 import BeautifulSoup
from django.db.models import F
from django.test import Client
from django.utils import timezone

from aftercart.cancellations.models import CancellationReason, Submission, SubmissionLine
from aftercart.lib.formats import format_day
from aftercart.orders.models import Order
from tests.fake_omnitron import FakeOmnitron
from tests.http.cancelling.form import (
    IBAN,
    SHIRT,
    Form,
    assert_nothing_happened,
    complaints,
    read_outcome,
    read_second,
)
from tests.http.forms import read

pytestmark = pytest.mark.django_db(transaction=True)


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
    assert read_outcome(client, second)[0] == "We have passed on your cancellation"
    assert [post.call for post in fake.posts] == ["cancel_items"]
    assert Submission.objects.count() == 1


def test_a_reload_is_the_same_submission_once_it_is_decided_and_a_form_opened_again_is_another(
    client: Client, order: Order, fake: FakeOmnitron, reasons: list[CancellationReason]
) -> None:
    def fill() -> Form:
        return Form(client, order).choose(2, reasons[0], quantity="1")

    form = fill()
    fields = form.look()
    first = form.confirm(fields)
    SubmissionLine.objects.update(is_open=False, completed_quantity=1)
    order.items.filter(sku="mug").update(cancelled_quantity=1, reserved_quantity=0)

    reloaded = form.confirm(fields)
    assert (reloaded.status_code, reloaded["Location"]) == (303, first["Location"])
    assert SubmissionLine.objects.count() == 1

    second = fill().send()
    assert second.status_code == 303
    assert second["Location"] != first["Location"]
    assert SubmissionLine.objects.count() == 2
    assert fake.posts == []


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
        "Your refund TRY 124.93",
    ]
    way = page.select_one(".way")
    assert way is not None
    day = format_day(timezone.now() + timedelta(days=3))
    assert re.sub(r"\s+", " ", way.get_text(" ", strip=True)) == (
        "Our team checks this first You are keeping 2 of 3; our team will cancel 1. "
        f"You will have an answer by {day}."
    )
    assert [option.get_text(" ", strip=True) for option in page.select(".option strong")] == [
        "To your original payment method",
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
    assert complaints(answer) == ["Please enter a valid IBAN."]
    assert read_second(answer)["iban"] == "TR00 1234"
    assert complaints(form.confirm(fields, iban=IBAN)) == ["Please enter the account holder."]
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
