"""Points instead of money: an express agreement, said beside the choice, kept with the submission, shown to staff."""

from decimal import Decimal

import pytest
from django.test import Client
from django.urls import reverse

from aftercart.accounts.models import User
from aftercart.cancellations.models import CancellationReason, Submission
from aftercart.loyalty.models import LoyaltyEntry
from aftercart.orders.models import Order
from tests.http.cancelling.form import Form, read_second
from tests.http.forms import read

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.usefixtures("fake")]

SENTENCES = {
    "en": "By choosing this, you expressly agree to be refunded in loyalty points instead of money.",
    "tr": "Bunu seçerek iadenizin para yerine sadakat puanı olarak yapılmasını açıkça kabul etmiş olursunuz.",
}


def get_agreement() -> tuple[bool, str, Decimal | None]:
    submission = Submission.objects.get()
    return (
        submission.points_agreed_at is not None,
        submission.points_agreement,
        submission.points_agreed_amount,
    )


@pytest.mark.parametrize("language", ["en", "tr"])
def test_who_chooses_points_agrees_to_the_sentence_beside_the_choice_in_their_language(
    client: Client, order: Order, reasons: list[CancellationReason], language: str
) -> None:
    client.cookies["django_language"] = language
    LoyaltyEntry.objects.create(
        user=order.user, currency="TRY", kind="spent", amount=-40, order=order, reference="1"
    )
    form = Form(client, order).choose(0, reasons[0])
    answer = form.go_on()
    [option] = [label for label in read(answer).select("label.option") if label.select_one("[value=loyalty]")]
    assert SENTENCES[language] in option.get_text()

    assert form.confirm(read_second(answer) | {"destination": "loyalty"}).status_code == 303

    assert get_agreement() == (True, SENTENCES[language], Decimal("490.52"))


def test_who_chooses_money_agrees_to_nothing(
    client: Client, order: Order, reasons: list[CancellationReason]
) -> None:
    assert Form(client, order).choose(0, reasons[0]).send().status_code == 303
    assert get_agreement() == (False, "", None)


def test_a_client_of_the_api_agrees_by_its_field(
    client: Client, order: Order, reasons: list[CancellationReason]
) -> None:
    item = {
        "order_item": order.items.earliest("pk").pk,
        "reason": reasons[0].pk,
        "cancellation_type": "cancel",
    }
    body = {"cancel_order_items": [item], "fully_refund_as_loyalty_money": True}
    answer = client.post(f"/orders/{order.number}/cancel/", body, content_type="application/json")
    assert answer.status_code == 204
    assert get_agreement() == (True, "fully_refund_as_loyalty_money: true", Decimal("530.52"))


def test_staff_see_what_was_agreed_to(
    client: Client, order: Order, reasons: list[CancellationReason]
) -> None:
    form = Form(client, order).choose(0, reasons[0])
    form.confirm(form.look() | {"destination": "loyalty"})
    staff = Client()
    staff.force_login(
        User.objects.create_superuser("staff@example.com", "secret-12345"),
        backend="django.contrib.auth.backends.ModelBackend",
    )

    page = staff.get(
        reverse("admin:cancellations_submission_change", args=[Submission.objects.get().pk]),
        headers={"accept-language": "en"},
    )

    text = read(page).get_text(" ", strip=True)
    for said in ("Agreed to points instead of money", "530.52 TRY", SENTENCES["en"]):
        assert said in text
