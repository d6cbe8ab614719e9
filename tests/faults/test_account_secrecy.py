"""An account number on its whole way, Omnitron's own server included: it stands nowhere in plain."""

import logging
from collections.abc import Iterator

import pytest
from django.db import connection

from aftercart.actions.requests.deliver_request import deliver_request
from aftercart.actions.sync.sync_order import sync_order
from aftercart.cancellations.models import CancellationRequest, SubmissionLine
from aftercart.oms.connect import replace_client
from aftercart.orders.models import Order
from tests.faults.points import make_client
from tests.http.conftest import Api
from tests.remote.sandbox_process import SandboxProcess, item_document, order_document
from tests.shop import Line, ask, get_items, make_customer, make_order, make_reason

pytestmark = pytest.mark.django_db(transaction=True)

IBAN, SPACED, HOLDER = "TR330006100519786457841326", "TR33 0006 1005 1978 6457 8413 26", "Zeynep Gizligil"
TRANSFER = {"pk": 4, "name": "Havale", "payment_type": "funds_transfer", "slug": "havale"}


def read_database() -> Iterator[tuple[str, str]]:
    """Give every row of every table, as PostgreSQL writes it."""
    with connection.cursor() as cursor:
        cursor.execute("SELECT tablename FROM pg_tables WHERE schemaname = 'public'")
        for (table,) in cursor.fetchall():
            cursor.execute(f'SELECT "{table}"::text FROM "{table}"')  # noqa: S608 - a name from the catalogue
            yield from ((table, row) for (row,) in cursor.fetchall())


def find_secrets(text: str) -> list[str]:
    joined = text.replace(" ", "")
    return [secret for secret in (IBAN, HOLDER) if secret in text or secret.replace(" ", "") in joined]


@pytest.fixture
def records(caplog: pytest.LogCaptureFixture) -> Iterator[pytest.LogCaptureFixture]:
    """Have every line of every logger, those of libraries included."""
    with caplog.at_level(logging.DEBUG):
        yield caplog


def make_shop(sandbox: SandboxProcess, *lines: Line) -> Order:
    order = make_order(make_customer(), *lines, payment_option=TRANSFER)
    items = [item_document(item.pk, price="100.00") for item in get_items(order)]
    sandbox.load(order_document(order.pk, *items, number=order.number))
    return order


def submit(order: Order, position: int, reason: int, key: str) -> int:
    item = get_items(order)[position]
    assert order.user is not None
    body = {
        "cancel_order_items": [
            {
                "order_item": item.pk,
                "reason": reason,
                "cancellation_type": "cancel",
                "iban": SPACED,
                "holder_name": HOLDER,
            }
        ]
    }
    api = Api().log_in(order.user)
    answer = api.post(f"/orders/{order.number}/cancel/", body, headers={"idempotency-key": key})
    assert find_secrets(answer.content.decode()) == []
    return int(answer.status_code)


def test_an_account_number_reaches_omnitron_and_nobody_else(
    sandbox: SandboxProcess, records: pytest.LogCaptureFixture
) -> None:
    sandbox.control("reset", {})
    reason = make_reason("cancel")
    order = make_shop(sandbox, Line(), Line(invoice_number="INV-1"), Line())
    client = make_client(sandbox)
    with replace_client(client):
        Order.objects.filter(pk=order.pk).update(invoice_number="")
        assert submit(order, 0, reason.pk, "first") == 204
        assert submit(order, 1, reason.pk, "second") == 200
        sandbox.control("faults", {"call": "order_cancel", "kind": "drop_after"})
        assert submit(order, 2, reason.pk, "third") == 200
        deliver_request(CancellationRequest.objects.get(status="waiting").pk, client)
        sync_order(order.pk, client)

    assert len(records.records) > 10
    assert [record.getMessage() for record in records.records if find_secrets(record.getMessage())] == []
    assert find_secrets(records.text) == []
    rows = list(read_database())
    assert len(rows) > 50
    assert [row for row in rows if find_secrets(row[1])] == []
    lines = SubmissionLine.objects.order_by("pk")
    assert [(line.iban, line.holder_name) for line in lines] == [(IBAN, HOLDER)] * 3
    assert all(not find_secrets(repr(line) + str(line)) for line in lines)
    sent = [call["body"] for call in sandbox.calls(limit=100) if find_secrets(str(call["body"]))]
    assert len(sent) == 3  # two cancellations and a request: Omnitron has to know


def test_a_command_does_not_tell_its_account_in_a_traceback() -> None:
    order = make_order(make_customer())
    asked = ask(get_items(order)[0], make_reason(), iban=IBAN, holder_name=HOLDER)

    assert find_secrets(repr(asked) + str(asked)) == []
