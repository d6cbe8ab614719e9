"""`POST /orders/{number}/cancel/quote/` and the quote that comes back with a cancellation, over HTTP."""

from typing import Any

import pytest

from aftercart.cancellations.models import RefundQuote, Submission
from aftercart.orders.models import IdempotencyRecord, Order, TimelineEntry
from tests.http.conftest import Api
from tests.shop import Shop, make_customer


def make_body(shop: Shop, **fields: Any) -> dict[str, Any]:
    item = {"order_item": shop.items[0].pk, "reason": shop.cancel_reason.pk, "cancellation_type": "cancel"}
    return {"cancel_order_items": [item], **fields}


def get_path(shop: Shop) -> str:
    return f"/orders/{shop.order.number}/cancel/quote/"


@pytest.fixture
def customer(api: Api, shop: Shop) -> Api:
    return api.log_in(shop.user)


def test_a_quote_comes_back_with_the_cancellation(customer: Api, shop: Shop) -> None:
    quote = customer.post(get_path(shop), make_body(shop))

    assert quote.status_code == 200
    assert quote.json()["total"] == "100.00"
    assert Submission.objects.count() + IdempotencyRecord.objects.count() + TimelineEntry.objects.count() == 0
    answer = customer.post(
        f"/orders/{shop.order.number}/cancel/", make_body(shop, quote=quote.json()["quote"])
    )
    assert answer.status_code == 204
    assert RefundQuote.objects.get().is_binding


def test_a_stale_quote_is_409_with_the_fresh_one_in_the_same_form(customer: Api, shop: Shop) -> None:
    quote = customer.post(get_path(shop), make_body(shop)).json()
    Order.objects.update(version=7)

    answer = customer.post(f"/orders/{shop.order.number}/cancel/", make_body(shop, quote=quote["quote"]))

    assert answer.status_code == 409
    body = answer.json()
    assert (body.pop("code"), body.pop("detail")) == (
        "quote_stale",
        "What comes back has changed since you were told. Please look at the new amounts.",
    )
    assert body == {**quote, "order_version": 7, "quote": body["quote"], "expires": body["expires"]}
    assert (Submission.objects.count(), shop.fake.posts) == (0, [])
    again = customer.post(f"/orders/{shop.order.number}/cancel/", make_body(shop, quote=body["quote"]))
    assert again.status_code == 204


def test_nobody_gets_401_a_wrong_token_403_and_anothers_order_404(api: Api, shop: Shop) -> None:
    assert api.post(get_path(shop), make_body(shop)).status_code == 401
    api.log_in(shop.user)
    assert api.post(get_path(shop), make_body(shop), {"x-csrftoken": "wrong"}).status_code == 403
    stranger = Api().log_in(make_customer())
    foreign = stranger.post(get_path(shop), make_body(shop))
    unknown = stranger.post("/orders/ORD-2026-999999/cancel/quote/", make_body(shop))
    assert (foreign.status_code, foreign.content) == (404, unknown.content)


@pytest.mark.parametrize("quote", [5, ["a"], {}, "x" * 2001, "a\x00b", True])
def test_a_quote_that_is_none_is_a_clear_400(customer: Api, shop: Shop, quote: Any) -> None:
    answer = customer.post(f"/orders/{shop.order.number}/cancel/", make_body(shop, quote=quote))

    assert answer.status_code == 400
    assert answer.json()["quote"]
    assert Submission.objects.count() == 0


@pytest.mark.parametrize("quote", [None, ""])
def test_no_quote_is_no_promise(customer: Api, shop: Shop, quote: Any) -> None:
    answer = customer.post(f"/orders/{shop.order.number}/cancel/", make_body(shop, quote=quote))

    assert answer.status_code == 204
    assert not RefundQuote.objects.get().is_binding


def test_a_body_that_makes_no_sense_is_a_400(customer: Api, shop: Shop) -> None:
    bodies: list[Any] = [
        {},
        {"cancel_order_items": []},
        [],
        "text",
        {"cancel_order_items": [{"order_item": 0}]},
    ]
    for body in bodies:
        assert customer.post(get_path(shop), body).status_code == 400


def test_the_queries_of_a_quote_do_not_grow(
    customer: Api, shop: Shop, django_assert_num_queries: Any
) -> None:
    body = make_body(shop)
    # session and user, order, items, reasons, companies, open lines, what was given
    with django_assert_num_queries(8):
        customer.post(get_path(shop), body)
