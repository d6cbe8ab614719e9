"""Cancelling in the API, directly and by request: every answer to the letter, and bad input named by its field."""

import json
from datetime import datetime, timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone

from aftercart.cancellations.models import CancellationReason, CancellationRequest, SubmissionLine
from aftercart.oms.errors import NotSent
from tests.http.conftest import Api
from tests.shop import Line, Shop, make_address, make_company, make_reason

pytestmark = pytest.mark.django_db


def cancel_body(shop: Shop, **fields: Any) -> dict[str, Any]:
    items = [
        {"order_item": item.pk, "reason": shop.cancel_reason.pk, "cancellation_type": "cancel"}
        for item in shop.items
    ]
    return {"cancel_order_items": items, **fields}


def post_cancel(api: Api, shop: Shop, body: Any, **headers: str) -> Any:
    return api.post(f"/orders/{shop.order.number}/cancel/", body, headers)


def test_a_direct_success_is_204_without_a_body(api: Api, shop: Shop) -> None:
    api.log_in(shop.user)

    answer = post_cancel(api, shop, cancel_body(shop))

    assert (answer.status_code, answer.content) == (204, b"")
    item = api.get(f"/users/orders/{shop.order.pk}/").json()["orderitem_set"][0]
    assert item["status"]["value"] == "50"
    assert item["is_cancellable"] is False


def test_numeric_strings_are_taken_and_unknown_fields_ignored(api: Api, shop: Shop) -> None:
    body = {
        "return_policy": True,
        "cancel_order_items": [
            {
                "cancellation_type": "cancel",
                "description": "",
                "order_item": str(shop.items[0].pk),
                "reason": str(shop.cancel_reason.pk),
                "quantity": "",
                "surprise": 1,
            }
        ],
    }
    api.log_in(shop.user)

    assert post_cancel(api, shop, body).status_code == 204


def test_the_fallback_is_200_with_the_records_of_the_contract(api: Api, shop: Shop) -> None:
    shop.fake.fail("read_order", NotSent("down", code="unreachable"))
    api.log_in(shop.user)

    answer = post_cancel(api, shop, cancel_body(shop))

    [record] = answer.json()
    assert answer.status_code == 200
    assert set(record) == {"id", "uuid", "order_item", "reason", "description", "created_date"}
    item = api.get(f"/users/orders/{shop.order.pk}/").json()["orderitem_set"][0]
    assert item["active_cancellation_request"] == {
        "id": record["id"],
        "cancellation_type": {"value": "cancel", "label": "Cancellation"},
        "status": {"value": "waiting", "label": "Waiting"},
        "easy_return": None,
        "description": "",
        "reason": shop.cancel_reason.pk,
        "order_item": shop.items[0].pk,
    }
    assert item["cancellationrequest_set"] == [item["active_cancellation_request"]]


def test_a_refusal_carries_sentence_code_and_items(api: Api, shop: Shop) -> None:
    api.log_in(shop.user)
    post_cancel(api, shop, cancel_body(shop))

    answer = post_cancel(api, shop, cancel_body(shop, return_policy=True))

    message = "Order cancellation already in progress."
    assert answer.status_code == 400
    assert answer.json() == {
        "non_field_errors": [message],
        "code": "cancellation_in_progress",
        "items": [{"order_item": shop.items[0].pk, "code": "cancellation_in_progress", "message": message}],
    }


def test_a_replay_without_a_key_is_marked_and_harmless(api: Api, shop: Shop) -> None:
    api.log_in(shop.user)

    first = post_cancel(api, shop, cancel_body(shop))
    second = post_cancel(api, shop, cancel_body(shop))

    assert (first.status_code, second.status_code) == (204, 204)
    assert "Idempotency-Replayed" not in first.headers
    assert second.headers["Idempotency-Replayed"] == "true"
    assert shop.count_posts() == 1


@pytest.mark.parametrize(
    ("path", "status"),
    [
        ("/orders/{number}/cancel/", 200),
        ("/users/orders/bulk_cancellation_requests/", 201),
        ("/users/orders/cancellation_requests/", 201),
    ],
)
def test_a_decided_write_is_not_made_again_however_its_json_is_formatted(
    api: Api, path: str, status: int
) -> None:
    shop = Shop([Line(quantity=3)])
    item: dict[str, Any] = {
        "order_item": shop.items[0].pk,
        "reason": shop.cancel_reason.pk,
        "cancellation_type": "cancel",
        "quantity": 1,
    }
    body = item if path.endswith("/cancellation_requests/") else {"cancel_order_items": [item]}
    path = path.format(number=shop.order.number)
    api.log_in(shop.user)
    first = api.post(path, body)
    SubmissionLine.objects.update(is_open=False)
    CancellationRequest.objects.update(status="completed")

    mixed = json.dumps(dict(reversed(body.items())), indent=4).encode()
    replays = [api.post(path, body), api.post(path, mixed)]

    assert (first.status_code, SubmissionLine.objects.count()) == (status, 1)
    for replayed in replays:
        assert (replayed.status_code, replayed.json()) == (status, first.json())
        assert replayed.headers["Idempotency-Replayed"] == "true"
    assert api.post(path, body, {"idempotency-key": "another unit"}).status_code == status
    assert SubmissionLine.objects.count() == 2


def test_a_key_with_another_body_is_422_and_a_long_one_400(api: Api, shop: Shop) -> None:
    api.log_in(shop.user)
    assert post_cancel(api, shop, cancel_body(shop), **{"idempotency-key": "k"}).status_code == 204

    other = post_cancel(api, shop, cancel_body(shop, return_policy=True), **{"idempotency-key": "k"})
    long = post_cancel(api, shop, cancel_body(shop), **{"idempotency-key": "k" * 256})

    assert (other.status_code, other.json()["code"]) == (422, "idempotency_key_reused")
    assert (long.status_code, list(long.json())) == (400, ["Idempotency-Key", "code"])


DEEP = "[" * 100_000 + "]" * 100_000
GOOD_ITEM = {"order_item": 1, "reason": 1, "cancellation_type": "cancel"}


@pytest.mark.parametrize(
    ("body", "field"),
    [
        ("", "cancel_order_items"),
        ("{", "detail"),
        (DEEP, "detail"),
        ('{"cancel_order_items": [NaN]}', "detail"),
        ("[]", "non_field_errors"),
        ("null", "non_field_errors"),
        ({}, "cancel_order_items"),
        ({"cancel_order_items": None}, "cancel_order_items"),
        ({"cancel_order_items": []}, "cancel_order_items"),
        ({"cancel_order_items": "all"}, "cancel_order_items"),
        ({"cancel_order_items": [1]}, "cancel_order_items"),
        ({"cancel_order_items": [{}]}, "cancel_order_items"),
        ({"cancel_order_items": [GOOD_ITEM | {"order_item": 10**30}]}, "cancel_order_items"),
        ({"cancel_order_items": [GOOD_ITEM | {"order_item": True}]}, "cancel_order_items"),
        ({"cancel_order_items": [GOOD_ITEM | {"cancellation_type": "swap"}]}, "cancel_order_items"),
        ({"cancel_order_items": [GOOD_ITEM | {"quantity": 0}]}, "cancel_order_items"),
        ({"cancel_order_items": [GOOD_ITEM | {"description": "x" * 1001}]}, "cancel_order_items"),
        ({"cancel_order_items": [GOOD_ITEM | {"description": "\x00"}]}, "cancel_order_items"),
        ({"cancel_order_items": [GOOD_ITEM | {"description": {}}]}, "cancel_order_items"),
        ({"cancel_order_items": [GOOD_ITEM | {"iban": "TR00"}]}, "cancel_order_items"),
        ({"cancel_order_items": [GOOD_ITEM | {"pickup_date": {"date": "soon"}}]}, "cancel_order_items"),
        ({"cancel_order_items": [GOOD_ITEM], "return_policy": False}, "return_policy"),
        ({"cancel_order_items": [GOOD_ITEM], "pickup_address": "home"}, "pickup_address"),
        (
            {
                "cancel_order_items": [GOOD_ITEM | {"fully_refund_as_loyalty_money": False}],
                "fully_refund_as_loyalty_money": True,
            },
            "fully_refund_as_loyalty_money",
        ),
    ],
)
def test_bad_input_is_400_and_names_the_field(api: Api, shop: Shop, body: Any, field: str) -> None:
    api.log_in(shop.user)

    answer = post_cancel(api, shop, body)

    assert answer.status_code == 400, answer.content
    assert set(answer.json()) == {field, "code"}
    assert shop.fake.calls == []
    if field != "detail":
        assert all(isinstance(sentence, str) for sentence in answer.json()[field])


def test_a_lone_surrogate_is_input_not_a_crash(api: Api, shop: Shop) -> None:
    api.log_in(shop.user)
    body = json.dumps(cancel_body(shop)).replace('"cancel"', '"cancel", "description": "\\ud800"')

    assert post_cancel(api, shop, body).status_code == 400


def test_a_pickup_slot_in_the_past_is_refused_and_one_to_come_is_kept(api: Api, shop: Shop) -> None:
    delivered = Shop([Line(status="550")])
    address, company = make_address(delivered.user), make_company()
    api.log_in(delivered.user)

    def submit(day: datetime) -> Any:
        item = {
            "order_item": delivered.items[0].pk,
            "reason": delivered.refund_reason.pk,
            "cancellation_type": "refund",
            "shipping_company": company.pk,
            "pickup_date": {"date": f"{day:%Y-%m-%d}", "hour_range": {"start": "9", "end": "12:00"}},
        }
        body = {"cancel_order_items": [item], "pickup_address": address.pk}
        return post_cancel(api, delivered, body)

    assert submit(timezone.now() - timedelta(days=2)).status_code == 400
    day = timezone.now() + timedelta(days=2)
    assert submit(day).status_code in {200, 204}
    assert SubmissionLine.objects.get().pickup_date == {
        "date": f"{day:%Y-%m-%d}",
        "hour_range": {"start": "09:00", "end": "12:00"},
    }
    assert shop.order.pk


def test_bulk_requests_are_201_and_send_no_cancellation(api: Api, shop: Shop) -> None:
    api.log_in(shop.user)

    answer = api.post("/users/orders/bulk_cancellation_requests/", cancel_body(shop))

    assert answer.status_code == 201
    assert [record["order_item"] for record in answer.json()] == [shop.items[0].pk]
    assert shop.fake.calls == []


def test_a_second_single_request_bears_omnitrons_code(api: Api, shop: Shop) -> None:
    api.log_in(shop.user)
    body = {"order_item": shop.items[0].pk, "reason": shop.cancel_reason.pk, "cancellation_type": "cancel"}

    first = api.post("/users/orders/cancellation_requests/", body)
    second = api.post("/users/orders/cancellation_requests/", body | {"description": "again"})

    assert first.status_code == 201
    assert first.json()["order_item"] == shop.items[0].pk
    assert (second.status_code, second.json()["code"]) == (400, "cancellation_request_100_1")


def test_a_request_for_a_foreign_item_says_the_same_as_for_an_unknown_one(api: Api, shop: Shop) -> None:
    stranger = Shop()
    api.log_in(shop.user)

    def submit(pk: int) -> Any:
        body = {"order_item": pk, "reason": shop.cancel_reason.pk, "cancellation_type": "cancel"}
        return api.post("/users/orders/cancellation_requests/", body)

    foreign, unknown = submit(stranger.items[0].pk), submit(999_999)

    assert foreign.status_code == unknown.status_code == 400
    assert foreign.json()["order_item"] == [f'Invalid pk "{stranger.items[0].pk}" - object does not exist.']


def test_an_address_change_answers_as_the_contract_says(api: Api, shop: Shop) -> None:
    address = make_address(shop.user)
    api.log_in(shop.user)
    body = {"order": shop.order.pk, "address": address.pk, "channel_id": 1}

    done = api.post("/orders/change-address/", body)
    wrong = api.post("/orders/change-address/", body | {"order": 999_999})

    assert (done.status_code, done.json()) == (200, {"status_code": 200})
    assert (wrong.status_code, list(wrong.json())) == (400, ["order", "code"])


def test_reasons_are_a_page_in_the_callers_language(api: Api, shop: Shop) -> None:
    make_reason("cancel")
    CancellationReason.objects.filter(pk=shop.refund_reason.pk).update(is_active=False)
    api.log_in(shop.user)

    page = api.get("/users/orders/cancellation_reasons/", {"accept-language": "tr"}).json()

    assert set(page) == {"count", "next", "previous", "results"}
    assert page["count"] == 2
    assert set(page["results"][0]) == {
        "id", "uuid", "cancellation_type", "subject", "extra_information_needed", "order", "is_active",
        "translations", "created_date", "modified_date",
    }  # fmt: skip
    assert page["results"][0]["subject"] == "cancel nedeni"


@pytest.mark.parametrize("pk", ["1.4e-45", "-1", "one", "\u0661", "9" * 40])
def test_an_id_that_no_request_can_have_is_not_found_in_json_whatever_is_sent(
    client: Client, shop: Shop, pk: str
) -> None:
    client.force_login(shop.user)

    answer = client.post(f"/users/orders/cancellation_requests/{pk}/take-back/")

    assert (answer.status_code, answer.json()) == (404, {"detail": "Not found.", "code": "not_found"})
