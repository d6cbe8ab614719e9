"""A link lets a guest look, for an hour, and at nothing else; and nobody keeps a copy."""

from datetime import timedelta

import pytest
from django.test import Client

from aftercart.actions.account.revoke_links import revoke_links
from aftercart.actions.cancel.cancel_items import cancel_items
from aftercart.actions.commands import CancellationCommand
from aftercart.cancellations.models import Submission, SubmissionLine
from aftercart.lib.links import sign_number
from aftercart.orders.guests import Guest
from aftercart.orders.models import Order
from tests.emails import prove
from tests.fake_omnitron import FakeOmnitron
from tests.http.guests.steps import choose, pass_time, sign, text_of
from tests.shop import (
    Line,
    ask,
    get_items,
    load_into,
    make_caller,
    make_company,
    make_customer,
    make_order,
    make_reason,
)

pytestmark = pytest.mark.django_db


def test_a_guests_link_shows_the_order_and_asks_for_a_code_before_anything_changes(
    client: Client, order: Order
) -> None:
    answer = client.get(sign(order))

    assert answer.status_code == 200
    assert order.number in text_of(answer)
    assert client.get(f"/users/orders/{order.pk}/").status_code == 200
    for path in (f"/orders/{order.number}/cancel/", f"/orders/change-address/?order={order.pk}"):
        step = client.get(path)
        assert step.status_code == 303
        assert step["Location"].startswith(f"/orders/guest/code/?order={order.pk}&next=")
        assert order.number in text_of(client.get(step["Location"]))


def test_a_customer_with_a_guests_link_is_told_why_a_code_is_needed(client: Client, order: Order) -> None:
    client.force_login(make_customer())
    client.get(sign(order))

    said = text_of(client.get(client.get(f"/orders/{order.number}/cancel/")["Location"]))

    assert f"Order {order.number} was placed without an account, so you need a code to make changes." in said


def test_a_link_alone_cancels_nothing(client: Client, order: Order, fake: FakeOmnitron) -> None:
    client.get(sign(order))
    item, reason = get_items(order)[0], make_reason()

    answer = client.post(f"/orders/{order.number}/cancel/", choose(item.pk, reason.pk))

    assert answer.status_code == 303
    assert answer["Location"].startswith("/orders/guest/code/")
    assert not Submission.objects.exists()
    assert fake.posts == []


def test_a_link_of_another_purpose_or_to_a_customers_order_or_revoked_is_404(client: Client) -> None:
    customer = make_customer()
    guests = make_order(None)

    for path in (
        sign(guests, "completed"),
        sign(guests, "guest-cancel"),
        sign(make_order(customer)),
        f"/orders/guest/{guests.number}/",
    ):
        assert client.get(path).status_code == 404
    stale = sign(guests)
    revoke_links(guests.number)
    assert client.get(stale).status_code == 404
    assert "guest_orders" not in client.session


def test_revoking_the_links_ends_what_sessions_may(client: Client, order: Order) -> None:
    prove(client, order)
    assert client.get(f"/users/orders/{order.pk}/").status_code == 200

    revoke_links(order.number)

    assert client.get(f"/users/orders/{order.pk}/")["Location"].startswith("/users/login/")
    assert client.get(f"/orders/{order.number}/cancel/")["Location"].startswith("/users/login/")


def test_a_guests_link_is_no_key_to_the_customers_page(client: Client) -> None:
    customer = make_customer()
    order = make_order(customer)
    client.force_login(customer, backend="django.contrib.auth.backends.ModelBackend")
    token = sign_number(order.number, purpose="guest-view", link_version=1)

    assert client.get(f"/orders/completed/{token}/").status_code == 404


def test_a_customer_may_also_be_the_guest_of_an_order_and_of_no_other(client: Client, order: Order) -> None:
    customer = make_customer()
    own, other = make_order(customer), make_order(None)
    client.force_login(customer, backend="django.contrib.auth.backends.ModelBackend")
    client.get(sign(order))

    assert client.get(f"/users/orders/{own.pk}/").status_code == 200
    assert client.get(f"/users/orders/{order.pk}/").status_code == 200
    assert client.get(f"/users/orders/{other.pk}/").status_code == 404


def test_what_a_link_opened_closes_after_an_hour(
    client: Client, order: Order, monkeypatch: pytest.MonkeyPatch
) -> None:
    client.get(sign(order))

    pass_time(monkeypatch, timedelta(minutes=59))
    assert client.get(f"/users/orders/{order.pk}/").status_code == 200
    pass_time(monkeypatch, timedelta(minutes=61))
    assert client.get(f"/users/orders/{order.pk}/")["Location"].startswith("/users/login/")


def test_the_pages_of_guests_are_kept_out_of_caches(client: Client, order: Order) -> None:
    prove(client, order)
    pages = [client.get(path) for path in ("/orders/guest/", f"/users/orders/{order.pk}/")]

    assert all("no-store" in page["Cache-Control"] for page in pages)


def test_a_link_alone_shows_neither_where_a_return_is_collected_nor_the_end_of_an_account(
    fake: FakeOmnitron,
) -> None:
    order = make_order(
        None, Line(status="550"), status="550", payment_option={"payment_type": "funds_transfer"}
    )
    load_into(fake, order)
    [item], company = get_items(order), make_company()
    asked = ask(
        item,
        make_reason("refund"),
        shipping_company=company.pk,
        iban="TR330006100519786457841326",
        holder_name="Ada",
    )
    writer = make_caller(Guest(order.pk, order.link_version, has_code=True))
    cancel_items(CancellationCommand(writer, (asked,), order.number), fake)
    SubmissionLine.objects.update(pickup_address={"line": "Ofis Sokak 9"}, easy_return_code="ER77")
    pages = (f"/users/orders/{order.pk}/", f"/orders/{order.number}/cancel/{Submission.objects.get().uuid}/")
    with_code, with_link = Client(), Client()
    prove(with_code, order)
    with_link.get(sign(order))

    for page in pages:
        shown = {client: text_of(client.get(page)) for client in (with_code, with_link)}

        assert all("ER77" in text for text in shown.values())
        assert "Ofis Sokak 9" in shown[with_code]
        assert "ends in 1326" in shown[with_code]
        assert "Ofis Sokak 9" not in shown[with_link]
        assert "1326" not in shown[with_link]
