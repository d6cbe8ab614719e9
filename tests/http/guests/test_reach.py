"""What a session reaches as a guest, address by address: with nothing, with a link, with a code."""

import re
from datetime import timedelta
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import URLPattern, URLResolver, get_resolver
from pytest_django import Settings

from aftercart.accounts.models import Address
from aftercart.cancellations.models import AddressChange, Submission
from aftercart.cancellations.models.withdrawals import Withdrawal
from aftercart.mail.models import Email
from aftercart.orders.document import NO_ADDRESS
from aftercart.orders.models import IdempotencyRecord, Order
from tests.emails import prove
from tests.fake_omnitron import FakeOmnitron
from tests.http.guests.steps import choose, confirm, look, pass_time, sign
from tests.shop import get_items, get_statuses, make_customer, make_order, make_reason

pytestmark = pytest.mark.django_db

LOGIN, CODE, OK, NONE = "log-in", "code", 200, 404
#: What a page answers to a GET, with nothing, a link, a code: `{…}` are facts of the guest's order.
PAGES: dict[str, tuple[str, object, object, object]] = {
    "home": ("/", OK, OK, OK),
    "order-completed": ("/orders/completed/{completed}/", LOGIN, LOGIN, LOGIN),
    "guest-lookup": ("/orders/guest/", OK, OK, OK),
    "guest-code": ("/orders/guest/code/?order={pk}", "/orders/guest/", OK, OK),
    "order-guest": ("/orders/guest/{token}/", OK, OK, OK),
    "change-address": ("/orders/change-address/?order={pk}", LOGIN, CODE, OK),
    "order-cancel": ("/orders/{number}/cancel/", LOGIN, CODE, OK),
    "order-cancel-result": ("/orders/{number}/cancel/{submission}/", LOGIN, OK, OK),
    "pickup-calendar": ("/orders/{number}/cancel/{submission}/pickup.ics", LOGIN, CODE, NONE),
    "change-pickup": ("/orders/{number}/cancel/{submission}/pickup/", LOGIN, CODE, NONE),
    "take-back": ("/orders/{number}/cancel/{submission}/take-back/", 405, 405, 405),
    "return-photos": ("/orders/{number}/cancel/photos/", LOGIN, CODE, "/users/orders/{pk}/"),
    "return-photo": ("/orders/{number}/cancel/photos/{nothing}/", LOGIN, CODE, NONE),
    "order-ways": ("/orders/{number}/ways/", LOGIN, CODE, "/orders/{number}/withdraw/"),
    "state-withdrawal": ("/withdraw/", OK, OK, OK),
    "statement": ("/withdraw/{nothing}/", NONE, NONE, NONE),
    "statement-order": ("/withdraw/{nothing}/order/", NONE, NONE, NONE),
    "order-withdraw": ("/orders/{number}/withdraw/", LOGIN, CODE, OK),
    "withdrawal-receipt": ("/orders/{number}/withdraw/{nothing}/", LOGIN, CODE, NONE),
    "guest-withdraw": (
        "/orders/guest/{token}/withdraw/",
        "/orders/{number}/withdraw/", "/orders/{number}/withdraw/", "/orders/{number}/withdraw/",
    ),
    "guest-withdrawal-receipt": (
        "/orders/guest/{token}/withdraw/{nothing}/",
        "/orders/{number}/withdraw/{nothing}/", "/orders/{number}/withdraw/{nothing}/",
        "/orders/{number}/withdraw/{nothing}/",
    ),
    "orders": ("/users/orders/", LOGIN, "/users/orders/{pk}/", "/users/orders/{pk}/"),
    "order-detail": ("/users/orders/{pk}/", LOGIN, OK, OK),
    "order-receipt": ("/users/orders/{pk}/receipt/", LOGIN, OK, OK),
    "points": ("/account/points/", LOGIN, LOGIN, LOGIN),
    "address-book": ("/address/", LOGIN, LOGIN, LOGIN),
    "address-entry": ("/address/{address}/", LOGIN, LOGIN, LOGIN),
    "login": ("/users/login/", OK, OK, OK),
    "login-code": ("/users/login/code/", LOGIN, LOGIN, LOGIN),
    "logout": ("/users/logout/", OK, OK, OK),
    "kept-mails": ("/mail/kept/", NONE, NONE, NONE),
    "kept-mail": ("/mail/kept/x/", NONE, NONE, NONE),
    "kept-mail-body": ("/mail/kept/x/body/", NONE, NONE, NONE),
    "mail-opt-out": ("/mail/opt-out/x/", NONE, NONE, NONE),
}  # fmt: skip
#: The same of the API; what is no page at all stands here only.
DOCUMENTS: dict[str, tuple[str, object, object, object]] = {
    "order-completed": ("/orders/completed/{completed}/", 401, 401, 401),
    "orders": ("/users/orders/", 401, OK, OK),
    "order-detail": ("/users/orders/{pk}/", 401, OK, OK),
    "return-photos": ("/orders/{number}/cancel/photos/", 401, 401, 401),
    "return-photo": ("/orders/{number}/cancel/photos/{nothing}/", 401, 401, 401),
    "cancellation-reasons": ("/users/orders/cancellation_reasons/", 401, 401, 401),
    "loyalty-balance": ("/account/loyalty-account-balance/", 401, 401, 401),
    "loyalty-ledger": ("/account/loyalty/", 401, 401, 401),
    "address-book": ("/address/", 401, 401, 401),
    "address-detailed": ("/address/detailed/", 401, 401, 401),
    "address-entry": ("/address/{address}/", 401, 401, 401),
    "current-user": ("/current_user/", 401, 401, 401),
    "profile": ("/users/profile/", 401, 401, 401),
    "basket-offers": ("/account/basket-offers/", 401, 401, 401),
    "future-basket-offers": ("/account/future-basket-offers/", 401, 401, 401),
    "expired-basket-offers": ("/account/expired-basket-offers/", 401, 401, 401),
    "discount-items": ("/account/discount-items/", 401, 401, 401),
}
#: Writes of the API: nobody's but a customer's.
WRITES: dict[str, str] = {
    "order-cancel": "/orders/{number}/cancel/",
    "order-cancel-quote": "/orders/{number}/cancel/quote/",
    "return-photos": "/orders/{number}/cancel/photos/?format=json",
    "order-withdraw": "/orders/{number}/withdraw/",
    "change-address": "/orders/change-address/",
    "bulk-cancellation-requests": "/users/orders/bulk_cancellation_requests/",
    "cancellation-requests": "/users/orders/cancellation_requests/",
    "take-back-request": "/users/orders/cancellation_requests/1/take-back/",
    "address-book": "/address/",
    "password-change": "/users/password/change/",
    "email-change": "/users/email-change/",
    "anonymize": "/users/anonymize/",
}
#: What no order stands behind, the same for everybody; and what has proofs of its own.
PUBLIC = {
    "address-cities", "address-countries", "address-districts", "address-townships", "anonymous-orders",
    "contact-subjects", "csrf-token", "docs", "email-set-primary", "forgotten-password", "healthz",
    "intake-orders", "metrics", "omnitron-events", "readyz", "registration", "schema", "set-language", "set-password",
    "style",
}  # fmt: skip


@pytest.fixture
def facts(order: Order, fake: FakeOmnitron) -> dict[str, Any]:
    """What the paths above name; a submission of two, of which one item is left."""
    assert fake.posts == []
    helper = Client()
    prove(helper, order)
    reason = make_reason()
    confirm(helper, order, look(helper, order, choose(get_items(order)[0].pk, reason.pk)))
    token = sign(order).split("/")[3]
    return {
        "pk": order.pk,
        "number": order.number,
        "token": token,
        "completed": sign(order, "completed").split("/")[3],
        "submission": Submission.objects.get().uuid,
        "nothing": uuid4(),
        "address": Address.objects.latest("pk").pk,
    }


def come(client: Client, order: Order, proof: str) -> Client:
    if proof == "link":
        assert client.get(sign(order)).status_code == 200
    if proof == "code":
        prove(client, order)
    return client


def put_into_words(answer: Any) -> object:
    """Put an answer as the tables do: a status, or where it leads to."""
    target = answer.headers.get("Location", "")
    if target.startswith("/users/login/"):
        return LOGIN
    if target.startswith("/orders/guest/code/"):
        return CODE
    return target or answer.status_code


def list_names() -> set[str]:
    """List the names of all addresses but the back office's."""
    found = set()
    for pattern in get_resolver().url_patterns:
        if isinstance(pattern, URLPattern):
            found.add(str(pattern.name))
        else:
            assert isinstance(pattern, URLResolver)
            assert pattern.namespace == "admin"
    return found


def test_every_address_is_in_a_table() -> None:
    assert {*PAGES, *DOCUMENTS, *WRITES, *PUBLIC} == list_names()


@pytest.mark.parametrize("place", range(3), ids=["nothing", "link", "code"])
def test_a_page_opens_to_its_proof_and_no_less(
    client: Client, order: Order, facts: dict[str, Any], settings: Settings, place: int
) -> None:
    settings.ARE_EMAILS_KEPT_HERE = False  # as in production
    come(client, order, ("", "link", "code")[place])
    found, wanted = {}, {}
    for name, (path, *expected) in PAGES.items():
        # Opening a link is a proof of its own: what follows it must not count.
        visitor = Client(headers={"accept": "text/html"}) if place == 0 else client
        found[name] = put_into_words(visitor.get(path.format(**facts)))
        outcome = expected[place]
        wanted[name] = outcome.format(**facts) if isinstance(outcome, str) else outcome

    assert found == wanted


@pytest.mark.parametrize("accept", ["application/json", "*/*"])
def test_a_program_with_a_link_is_refused_where_a_browser_is_asked_for_a_code(
    order: Order, facts: dict[str, Any], accept: str
) -> None:
    program = come(Client(headers={"accept": accept}), order, "link")
    asked = [path for path, _nothing, link, _code in PAGES.values() if link == CODE]

    answers = [program.get(path.format(**facts)) for path in asked]

    assert [(answer.status_code, answer.headers.get("Location")) for answer in answers] == [(401, None)] * 9


@pytest.mark.parametrize("place", range(3), ids=["nothing", "link", "code"])
def test_a_document_opens_to_its_proof_and_no_less(
    client: Client, order: Order, facts: dict[str, Any], place: int
) -> None:
    come(client, order, ("", "link", "code")[place])

    found = {
        name: client.get(path.format(**facts), headers={"accept": "application/json"}).status_code
        for name, (path, *_) in DOCUMENTS.items()
    }

    assert found == {name: expected[place] for name, (_path, *expected) in DOCUMENTS.items()}


@pytest.mark.parametrize("proof", ["", "link", "code"])
def test_the_api_takes_no_write_of_a_guest(
    client: Client, order: Order, fake: FakeOmnitron, proof: str
) -> None:
    come(client, order, proof)
    body = {"order": order.pk, "address": 1, "cancel_order_items": [], "name": "X", "email": "x@example.com"}
    for path in WRITES.values():
        answer = client.post(path.format(number=order.number), body, content_type="application/json")
        assert answer.status_code == 401, path

    assert fake.posts == []
    assert not Submission.objects.exists()


def test_a_link_writes_nothing_on_any_page(client: Client, order: Order, fake: FakeOmnitron) -> None:
    come(client, order, "link")
    before = (get_statuses(order), Order.objects.get(pk=order.pk).version)
    fields = {
        **choose(get_items(order)[0].pk, make_reason().pk),
        "step": "send",
        "return_policy": "on",
        "order": str(order.pk),
        "name": "Thief",
        "email": "thief@example.com",
        "items": [str(get_items(order)[0].pk)],
    }
    for name in ("order-cancel", "change-address", "order-withdraw", "guest-withdraw"):
        for step in ("send", "confirm"):
            path = PAGES[name][0].format(pk=order.pk, number=order.number, token=sign(order).split("/")[3])
            assert client.post(path, {**fields, "step": step}).status_code == 303, name

    assert (get_statuses(order), Order.objects.get(pk=order.pk).version) == before
    for kept in (Submission, AddressChange, Withdrawal, Email, IdempotencyRecord):
        assert not kept.objects.exists(), kept
    assert fake.posts == []


def test_no_page_behind_a_link_holds_another_link(
    client: Client, order: Order, facts: dict[str, Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    """A fresh one would live longer than the first, and again, for ever."""
    first = sign(order)
    client.get(first)
    pass_time(monkeypatch, timedelta(minutes=5))
    tokens = set()
    for path, *_ in PAGES.values():
        page = client.get(path.format(**facts))
        tokens |= set(re.findall(r"[^/\s\"=]+:[A-Za-z0-9]{6}:[A-Za-z0-9_-]{43}", page.content.decode()))

    assert tokens <= {first.split("/")[3]}


def test_what_a_link_opened_closes_with_the_link_however_often_it_is_opened(
    client: Client, order: Order, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LINK_LIFE = timedelta(minutes=10)
    path = f"/users/orders/{order.pk}/"
    client.get(sign(order))
    pass_time(monkeypatch, timedelta(minutes=9))
    assert client.get(path).status_code == 200
    assert client.get(sign(order)).status_code == 200
    pass_time(monkeypatch, timedelta(minutes=11))

    assert put_into_words(client.get(path)) == LOGIN


def test_a_code_outlives_the_link_that_led_to_it(
    client: Client, order: Order, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    settings.LINK_LIFE = timedelta(minutes=10)
    prove(client, order)
    client.get(sign(order))
    pass_time(monkeypatch, timedelta(minutes=11))

    assert client.get(f"/users/orders/{order.pk}/").status_code == 200
    assert client.get(f"/orders/{order.number}/cancel/").status_code == 200


def test_a_link_shows_less_than_a_code_in_json_and_on_pages(client: Client) -> None:
    secrets = {
        "phone": "+905559998877", "mail": "guest@example.com", "address": "10.20.30.40", "tax": "9988776655",
        "identity": "11122233344", "note": "Ring twice", "gift": "For Ayla", "billed": "Billing Street 9",
    }  # fmt: skip
    shipping = {
        "first_name": "Ayşe", "line": "Street 1", "phone_number": secrets["phone"], "email": secrets["mail"],
        "identity_number": secrets["identity"], "notes": secrets["note"],
        "country": {"pk": 1, "name": "Türkiye", "code": "tr", "is_active": True, "translations": None},
    }  # fmt: skip
    order = make_order(
        None,
        shipping_address=shipping,
        billing_address={"line": secrets["billed"], "tax_no": secrets["tax"], "country": shipping["country"]},
        details={
            "remote_addr": secrets["address"],
            "gift_box_note": secrets["gift"],
            "notes": secrets["note"],
        },
    )
    paths = (f"/users/orders/{order.pk}/", f"/users/orders/{order.pk}/receipt/")
    client.get(sign(order))
    pages = [client.get(path).content.decode() for path in (*paths, sign(order))]
    listed = client.get("/users/orders/?format=json").json()["results"][0]
    read = client.get(f"{paths[0]}?format=json")
    document = read.json()

    assert listed == document
    shown = " ".join([*pages, read.content.decode(), str(listed)])
    assert {name for name, secret in secrets.items() if secret in shown} == set()
    assert document["shipping_address"]["line"] == "Street 1"
    assert (document["user_email"], document["remote_addr"]) == (None, None)
    assert document["billing_address"] == NO_ADDRESS
    prove(client, order)
    whole = client.get(f"{paths[0]}?format=json")
    assert whole.json().keys() == document.keys()
    assert whole.json()["orderitem_set"][0].keys() == document["orderitem_set"][0].keys()
    assert all(secret in whole.content.decode() for secret in secrets.values())


def test_a_customer_who_opens_a_guests_link_sees_their_own_orders_whole(client: Client, order: Order) -> None:
    customer = make_customer()
    own = make_order(customer)
    client.force_login(customer, backend="django.contrib.auth.backends.ModelBackend")
    client.get(sign(order))

    documents = client.get("/users/orders/?format=json").json()["results"]

    assert [(row["id"], row["user_email"]) for row in documents] == [(own.pk, customer.email)]
