"""`POST /api/v1/orders/`: who may, what goes in, and what is said of what does not."""

import json
from datetime import timedelta
from typing import Any

import pytest
from django.test import Client
from django.utils import timezone
from pytest_django import Settings

from aftercart.accounts.models.api_tokens import ORDERS_WRITE, ApiToken, create_token, revoke_token
from aftercart.orders.models import Order
from tests.import_documents import LATER, make_document, make_item, run_import, write_line
from tests.shop import PASSWORD, make_customer

pytestmark = pytest.mark.django_db
NO_TOKEN = {"detail": "Authentication credentials were not provided.", "code": "not_authenticated"}


@pytest.fixture
def secret() -> str:
    return create_token("ERP", (ORDERS_WRITE,), timezone.now() + timedelta(days=1))[1]


def send(body: Any, secret: str = "", *, scheme: str = "Token", kind: str = "application/json") -> Any:
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    headers = {"Authorization": f"{scheme} {secret}"} if secret else {}
    client = Client(enforce_csrf_checks=True, raise_request_exception=False)
    return client.post("/api/v1/orders/", raw, content_type=kind, headers=headers)


def count(created: int = 0, updated: int = 0, unchanged: int = 0, kept: int = 0) -> dict[str, Any]:
    counts = {"created": created, "updated": updated, "unchanged": unchanged, "kept": kept}
    return counts | {"bad": [], "doubtful": []}


def test_a_batch_goes_in_once_however_often_it_is_sent(secret: str) -> None:
    batch = [make_document("A", id=71), make_document("B")]

    first, again = send(batch, secret), send(batch, secret, scheme="Bearer")

    assert (first.status_code, first.json()) == (200, count(created=2))
    assert (again.status_code, again.json()) == (200, count(unchanged=2))
    assert Order.objects.get(number="A").pk == 71


def test_a_newer_document_updates_and_an_older_one_is_passed_over(secret: str) -> None:
    send([make_document("A")], secret)
    newer = send([make_document("A", status="500", modified_date=LATER)], secret)
    older = send([make_document("A", status="450")], secret)

    assert (newer.json(), older.json()) == (count(updated=1), count(kept=1))
    assert Order.objects.get().status == "500"


def test_bad_documents_are_reported_as_the_import_reports_them_and_stop_nobody(secret: str) -> None:
    bad = make_document(
        "B", amount="much", created_date=None, orderitem_set=[make_item(price="x", quantity=0)]
    )
    odd = make_document("C", amount="120.00")
    batch = [make_document("A"), bad, odd, "D", make_document("A", status="nope")]

    answer = send(batch, secret)
    Order.objects.all().delete()
    _result, reported = run_import(write_line(batch))

    assert answer.status_code == 207
    assert answer.json()["created"] == 2
    said = {name: [tuple(row.values()) for row in answer.json()[name]] for name in ("bad", "doubtful")}
    assert said["bad"] == [(row.line, row.reason, row.number) for row in reported if not row.is_imported]
    assert said["doubtful"] == [(row.line, row.reason, row.number) for row in reported if row.is_imported]
    assert said["bad"][0] == (
        2,
        (
            "created_date: is required; amount: not an amount; "
            "orderitem_set[0].quantity: must be between 1 and 100000; orderitem_set[0].price: not an amount"
        ),
        "B",
    )


def test_where_none_goes_in_the_answer_is_400(secret: str) -> None:
    answer = send([make_document("A", status="nope")], secret)

    assert (answer.status_code, answer.json()["bad"]) == (
        400,
        [{"line": 1, "reason": "status: not a status", "number": "A"}],
    )
    assert not Order.objects.exists()


@pytest.mark.parametrize(
    ("body", "kind"),
    [
        (write_line(make_document("A")), "application/json"),
        (json.dumps(make_document("A"), indent=2).encode(), "application/json"),
        (
            write_line({"count": 1, "next": None, "previous": None, "results": [make_document("A")]}),
            "application/json",
        ),
        (write_line(make_document("A")) + b"\n", "application/x-ndjson"),
    ],
    ids=["one", "pretty-printed", "page", "lines"],
)
def test_every_form_that_a_file_may_have_is_read(secret: str, body: bytes, kind: str) -> None:
    assert send(body, secret, kind=kind).json() == count(created=1)


@pytest.mark.parametrize(
    "body", [b"", b" \n", b"{", b"[[", b"\xff", b'{"a": NaN}', b"null", b"1e999", b"[" * 5000]
)
def test_what_is_no_order_is_400_and_never_500(secret: str, body: bytes) -> None:
    assert send(body, secret).status_code == 400


def test_no_token_and_every_wrong_one_get_the_same_answer(secret: str) -> None:
    expired = create_token("old", (ORDERS_WRITE,), timezone.now() - timedelta(seconds=1))[1]
    row, revoked = create_token("gone", (ORDERS_WRITE,), timezone.now() + timedelta(days=1))
    assert revoke_token(row.prefix) == 1

    for wrong in ("", expired, revoked, secret[:-1], secret.upper(), "ş", "x" * 5000):
        answer = send([make_document("A")], wrong)
        assert (answer.status_code, answer.json()) == (401, NO_TOKEN)
        assert answer.headers["WWW-Authenticate"] == "Token"
    assert send([make_document("A")], secret, scheme="Basic").status_code == 401
    assert not Order.objects.exists()


def test_a_session_is_no_token() -> None:
    client = Client()
    client.login(username=make_customer().email, password=PASSWORD)

    assert client.post("/api/v1/orders/", [], content_type="application/json").status_code == 401


def test_a_token_for_something_else_may_not() -> None:
    other = create_token("reader", ("orders:read",), timezone.now() + timedelta(days=1))[1]

    answer = send([make_document("A")], other)

    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")
    assert not Order.objects.exists()


def test_a_token_is_kept_as_a_digest_only(secret: str) -> None:
    send([make_document("A")], secret)

    [row] = ApiToken.objects.values_list()
    assert secret not in str(row)
    assert ApiToken.objects.get().last_used_at is not None


def test_a_token_has_so_many_requests_a_minute(secret: str, settings: Settings) -> None:
    settings.INTAKE_REQUESTS_PER_MINUTE = 2
    answers = [send([], secret) for _ in range(3)]

    assert answers[-1].status_code == 429
    assert 1 <= int(answers[-1].headers["Retry-After"]) <= 60


def test_more_orders_than_one_request_may_bring_are_refused_one_by_one(
    secret: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aftercart.api.intake.MOST_ORDERS", 1)

    answer = send([make_document("A"), make_document("B")], secret)

    assert (answer.status_code, answer.json()["bad"][0]["reason"]) == (207, "more than 1 at once")
    assert Order.objects.count() == 1


def test_another_kind_of_body_is_415(secret: str) -> None:
    assert send(b"a=1", secret, kind="application/x-www-form-urlencoded").status_code == 415
