"""What an odd Omnitron tells does not keep the rest from being read, and is counted within reason."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any
from unittest import mock

import pytest
from django.core import mail
from django.utils import timezone

from aftercart.actions.cancel.cancel_items import cancel_items
from aftercart.actions.mail.send_email import send_email
from aftercart.actions.sync.poll_updates import poll_updates
from aftercart.actions.sync.sync_order import sync_order
from aftercart.cancellations.models import SubmissionLine
from aftercart.mail.models import Email
from aftercart.oms.port import Dialogue
from tests.shop import (
    Line,
    Shop,
    ask,
    get_request,
    make_address,
    make_command,
    make_company,
    request_units,
)

pytestmark = pytest.mark.django_db


def test_more_changes_at_one_moment_than_a_round_reads_do_not_hide_later_ones() -> None:
    shop = Shop()
    [pk] = shop.fake.backoffice.orders
    ours, began_at = shop.fake.get_order(pk), timezone.now() - timedelta(minutes=5)
    others = [
        replace(ours, pk=10_000 + place, number=f"OTHER-{place}", modified_date=began_at)
        for place in range(2500)
    ]
    rows = [*others, replace(ours, modified_date=began_at + timedelta(seconds=30))]

    def read_pages(_dialogue: Dialogue, _stream: str, _channel: int, since: Any) -> Iterator[tuple[Any, ...]]:
        left = [row for row in rows if since is None or row.modified_date > since]
        for start in range(0, len(left), 100):
            yield tuple(left[start : start + 100])

    with mock.patch("aftercart.actions.sync.poll_updates._list_pages", read_pages):
        found = [poll_updates(1, "orders", shop.fake) for _ in range(3)]

    assert found == [0, 1, 0]


@pytest.mark.parametrize("quantity", [-1, 0, 99, None])
def test_a_quantity_that_makes_no_sense_counts_as_all_that_was_asked_for(quantity: int | None) -> None:
    shop = Shop([Line(quantity=3)])
    request_units(shop, 2)
    [pk] = get_request().remote_pks
    record = shop.fake.backoffice.requests[pk]
    record.remote = replace(record.remote, status="completed", quantity=quantity)

    sync_order(shop.order.pk, shop.fake)

    line = SubmissionLine.objects.get()
    assert (line.is_open, line.completed_quantity, get_request().status) == (False, 2, "completed")
    assert (shop.items[0].cancelled_quantity, shop.items[0].reserved_quantity) == (2, 0)


@pytest.mark.parametrize("quantity", [-3, 0, 1, None])
def test_units_that_make_no_sense_count_as_one_each(quantity: int | None) -> None:
    shop = Shop([Line(quantity=3)], split_units=True)
    backoffice = shop.fake.backoffice
    for pk in sorted(backoffice.items)[:2]:
        backoffice.edit(backoffice.items[pk], status="100", quantity=quantity)

    sync_order(shop.order.pk, shop.fake)

    assert shop.items[0].cancelled_quantity == 2


def test_a_return_code_with_a_lines_end_is_mailed_all_the_same() -> None:
    shop = Shop([Line(status="550")], order_fields={"status": "550"})
    company, address = make_company(), make_address(shop.user)
    asked = ask(shop.items[0], shop.refund_reason, shipping_company=company.pk)
    cancel_items(make_command(shop.order, asked, pickup_address=address.pk), shop.fake)
    [record] = shop.fake.backoffice.items.values()
    record.remote = replace(record.remote, easy_return_code="ER\r\nBcc: x@example.com")

    sync_order(shop.order.pk, shop.fake)
    send_email(Email.objects.get(kind=Email.Kind.RETURN_CODE).pk)

    [sent] = mail.outbox
    assert sent.subject == f"Your return code is ER Bcc: x@example.com: order {shop.order.number}"
    assert sent.bcc == []
