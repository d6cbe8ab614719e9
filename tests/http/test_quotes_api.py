"""`POST /orders/{number}/cancel/quote/` and the quote that comes back with a cancellation, over HTTP."""

from typing import Any

import pytest
from django.test import Client

from aftercart.accounts.models import User
from aftercart.actions.cancel.cancel_items import cancel_items
from aftercart.actions.cancel.quote_cancellation import quote_cancellation
from aftercart.actions.requests.deliver_request import deliver_request
from aftercart.actions.sync.sync_order import sync_order
from aftercart.cancellations.models import CancellationRequest, RefundQuote, Submission
from aftercart.orders.models import IdempotencyRecord, Order, OrderItem, TimelineEntry
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
        "Your refund has changed since we showed it to you. Please check the new amounts.",
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
    # the session with its user, order, items, policy, reasons
    with django_assert_num_queries(5):
        customer.post(get_path(shop), body)


def test_the_customer_sees_the_refund_of_a_request_and_of_what_has_come_back(
    shop: Shop, client: Client
) -> None:
    client.force_login(shop.user)
    item = shop.items[0]
    OrderItem.objects.filter(pk=item.pk).update(invoice_number="INV-1")
    path = f"/orders/{shop.order.number}/cancel/"
    form = {
        f"item-{item.pk}-is_chosen": "on",
        f"item-{item.pk}-cancellation_type": "cancel",
        f"item-{item.pk}-reason": shop.cancel_reason.pk,
    }
    quote = quote_cancellation(shop.command()).token

    second = {"step": "send", "destination": "payment_method", "return_policy": "on"}
    assert client.post(path, {**form, **second, "quote-payment_method": quote}).status_code == 303
    assert RefundQuote.objects.get().is_binding
    page = client.get(f"/users/orders/{shop.order.pk}/").content.decode()
    assert "Cancellation · Refund: TRY 100.00" in page

    request = CancellationRequest.objects.get()
    deliver_request(request.pk, shop.fake)
    request.refresh_from_db()
    shop.fake.decide_request("approve", request.remote_pks[0])
    sync_order(shop.order.pk, shop.fake)
    page = client.get(f"/users/orders/{shop.order.pk}/").content.decode()
    assert "Shirt: cancelled, TRY 100.00 refunded." in page


def test_a_form_whose_quote_is_stale_says_so_once_and_sends_nothing(shop: Shop, client: Client) -> None:
    client.force_login(shop.user)
    item = shop.items[0]
    quote = quote_cancellation(shop.command()).token
    Order.objects.update(version=2)
    form = {
        f"item-{item.pk}-is_chosen": "on",
        f"item-{item.pk}-cancellation_type": "cancel",
        f"item-{item.pk}-reason": shop.cancel_reason.pk,
        "step": "send",
        "destination": "payment_method",
        "return_policy": "on",
        "quote-payment_method": quote,
    }

    answer = client.post(f"/orders/{shop.order.number}/cancel/", form)

    assert answer.status_code == 409
    page = answer.content.decode()
    assert "Please check again: nothing has been sent yet." in page
    assert quote not in page
    assert (Submission.objects.count(), shop.fake.posts) == (0, [])


def test_the_staff_sees_what_was_quoted(shop: Shop, client: Client) -> None:
    staff = User.objects.create_superuser("staff-quotes@example.com", "secret-12345")
    Order.objects.update(shipping_amount="29.90", amount="129.90")
    OrderItem.objects.update(invoice_number="INV-1")
    cancel_items(shop.command(), shop.fake)
    request = CancellationRequest.objects.get()
    client.force_login(staff)

    for path in (
        f"/backoffice/cancellations/cancellationrequest/{request.pk}/change/",
        f"/backoffice/cancellations/submission/{request.line.submission_id}/change/",
    ):
        page = client.get(path, follow=True).content.decode()
        assert "Quoted for the whole submission" in page, path
        assert "129.90" in page, path
