"""Returns and reasons as the storefront's client sends them: it names no company, no address, and any reason."""

from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from pytest_django import Settings

from aftercart.accounts.document import address_document
from aftercart.cancellations.models import CancellationRequest, EasyReturnCompany, Submission, SubmissionLine
from aftercart.cancellations.pickups import find_pickup_problem
from aftercart.oms.connect import replace_client
from tests.http.conftest import Api
from tests.shop import Line, Shop, make_address, make_company

pytestmark = pytest.mark.django_db


class ReturnShop(Shop):
    """A shop with a delivered order, and companies of its channel and of another one."""

    def __init__(self, **fields: Any) -> None:
        super().__init__([Line(status="550")], order_fields={"status": "550", **fields})
        make_company(channel_id=self.order.channel_id + 1)
        self.company = make_company(slots=["09:00-12:00", "13:00-18:00"], lead_days=1)

    company: EasyReturnCompany


def send_back(api: Api, shop: Shop, path: str = "cancel/", **fields: Any) -> Any:
    """Send a return just as the client's form does."""
    entry = {
        "cancellation_type": "refund",
        "order_item": str(shop.items[0].pk),
        "reason": str(shop.refund_reason.pk),
        "description": "",
        **fields,
    }
    api.log_in(shop.user)
    with replace_client(shop.fake):
        return api.post(
            f"/orders/{shop.order.number}/{path}", {"cancel_order_items": [entry], "return_policy": True}
        )


def test_a_return_without_choices_is_collected_from_where_it_was_delivered(api: Api) -> None:
    shop = ReturnShop()
    shop.order.shipping_address = address_document(make_address(shop.user))
    shop.order.save()

    answer = send_back(api, shop)

    assert answer.status_code == 204
    line = SubmissionLine.objects.get()
    assert (line.shipping_company, line.pickup_address) == (shop.company, shop.order.shipping_address)
    now = datetime.now(ZoneInfo("Europe/Istanbul"))
    assert line.pickup_date is not None
    assert find_pickup_problem(shop.company.calendar, line.pickup_date, now) == ""
    assert line.pickup_date["hour_range"] == {"start": "09:00", "end": "12:00"}


@pytest.mark.parametrize("case", ["no address", "a store", "no company", "no defaults"])
def test_what_must_be_chosen_is_left_to_the_back_office(api: Api, settings: Settings, case: str) -> None:
    shop = ReturnShop()
    address = address_document(make_address(shop.user))
    if case == "a store":
        address["retail_store"] = {"pk": 1, "name": "Nişantaşı"}
    shop.order.shipping_address = None if case == "no address" else address
    shop.order.save()
    if case == "no company":
        EasyReturnCompany.objects.update(is_active=False)
    settings.RETURN_DEFAULTS = case != "no defaults"

    answer = send_back(api, shop)

    assert answer.status_code == 200
    assert [row["order_item"] for row in answer.json()] == [shop.items[0].pk]
    assert CancellationRequest.objects.get().cause == "collection_not_chosen"
    assert shop.count_posts() == 0


def test_a_quote_says_the_way_that_the_return_will_take(api: Api) -> None:
    shop = ReturnShop()  # without an address

    quote = send_back(api, shop, "cancel/quote/").json()

    assert (quote["way"], quote["lines"][0]["codes"]) == ("review", ["collection_not_chosen"])
    assert not Submission.objects.exists()


@pytest.mark.parametrize("wrong", ["of the other type", "unknown"])
def test_a_reason_that_makes_no_sense_is_refused_by_default(api: Api, shop: Shop, wrong: str) -> None:
    reason = shop.refund_reason.pk if wrong == "of the other type" else 2**40

    answer = send_back(api, shop, cancellation_type="cancel", reason=str(reason))

    assert (answer.status_code, set(answer.json())) == (400, {"cancel_order_items", "code"})
    assert not Submission.objects.exists()
    assert shop.fake.calls == []


@pytest.mark.parametrize("wrong", ["of the other type", "unknown"])
def test_a_reason_that_makes_no_sense_can_be_left_to_the_back_office(
    api: Api, shop: Shop, settings: Settings, wrong: str
) -> None:
    settings.UNKNOWN_REASONS = "review"
    reason = shop.refund_reason.pk if wrong == "of the other type" else 2**40

    answer = send_back(api, shop, cancellation_type="cancel", reason=str(reason))

    assert answer.status_code == 200
    line = SubmissionLine.objects.get()
    assert (line.reason.subject, line.reason.cancellation_type, line.reason.is_active) == (
        "Not given",
        "cancel",
        False,
    )
    assert CancellationRequest.objects.get().cause == "reason_not_given"
    assert shop.count_posts() == 0
    listed = api.get("/users/orders/cancellation_reasons/").json()["results"]
    assert line.reason_id not in {row["id"] for row in listed}
