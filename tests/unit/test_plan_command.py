"""What is sent of a cancellation, planned from what was read at the OMS. Nothing here has a database."""

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from aftercart.actions.cancel.plan_command import Trace, plan_command, take_snapshot, trace_command
from aftercart.actions.sync.get_remote import RemoteDiffers
from aftercart.cancellations.models import CancellationReason, RefundQuote, RefundQuoteLine, SubmissionLine
from aftercart.oms.messages import CancelCommand, RemoteItem, RemoteOrder
from aftercart.orders.models import OrderItem

AT = datetime(2026, 11, 24, 12, tzinfo=UTC)


def make_line(
    quantity: int = 1, *, left: int | None = None, fee: str = "0", iban: str = ""
) -> SubmissionLine:
    line = SubmissionLine(
        pk=3,
        order_item=OrderItem(pk=1, quantity=left or quantity, price_currency="TRY"),
        reason=CancellationReason(pk=2, cancellation_type="cancel"),
        cancellation_type="cancel",
        quantity=quantity,
        iban=iban,
        holder_name="A" if iban else "",
    )
    quote = RefundQuote(shipping_refund_amount=Decimal("29.90"))
    RefundQuoteLine(line=line, quote=quote, refund_amount=Decimal(100), fee_amount=Decimal(fee))
    return line


def make_row(pk: int, status: str = "400", cancel_status: str | None = None) -> RemoteItem:
    return RemoteItem(pk, 70, None, status, cancel_status, 1, None, None, modified_date=AT)


def plan(line: SubmissionLine, *rows: RemoteItem) -> CancelCommand:
    return plan_command(
        [line],
        order_pk=70,
        items=rows,
        remote_pks={1: [row.pk for row in rows]},
        reasons={2: 20},
        unproven=[],
    )


def test_a_line_names_its_item_with_its_reason_and_what_it_gives_back() -> None:
    line = make_line(fee="10", iban="TR00")

    assert plan(line, make_row(11)) == CancelCommand(
        order_pk=70,
        reasons={11: 20},
        forced_refund_amount=Decimal("90.00"),
        is_cargo_refund=True,
        ibans={11: "TR00"},
        holder_names={11: "A"},
    )


def test_of_units_that_are_items_of_their_own_so_many_are_named_as_are_asked_for() -> None:
    rows = [make_row(11, "100", "approved"), make_row(12), make_row(13)]

    assert plan(make_line(1, left=2), *rows).reasons == {12: 20}
    assert plan(make_line(2), *rows).reasons == {12: 20, 13: 20}


@pytest.mark.parametrize(
    ("line", "row", "code"),
    [
        (make_line(), make_row(11, "100"), "omnitron_differs"),
        (make_line(1, left=2), make_row(11), "merged_line"),
        (make_line(), make_row(11, cancel_status="waiting"), "omnitron_in_progress"),
        (make_line(), make_row(11, "500"), "omnitron_status"),
    ],
)
def test_what_the_oms_would_not_take_is_not_sent(line: SubmissionLine, row: RemoteItem, code: str) -> None:
    with pytest.raises(RemoteDiffers) as caught:
        plan(line, row)

    assert caught.value.code == code


@pytest.mark.parametrize(
    ("after", "trace"),
    [
        (make_row(11), Trace.UNTOUCHED),
        (make_row(11, "50"), Trace.APPLIED),
        (make_row(11, cancel_status="waiting"), Trace.APPLIED),
        (replace(make_row(11), modified_date=None), Trace.TOUCHED),
    ],
)
def test_a_reading_shows_what_a_command_has_come_to(after: RemoteItem, trace: Trace) -> None:
    remote = RemoteOrder(70, "N", "400", None, None, None, None, None, None, items=(after,))

    assert trace_command({"before": take_snapshot([make_row(11)])}, remote) is trace
