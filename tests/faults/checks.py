"""Whether our books agree with the stand-in's ledger once a death has been recovered from."""

from decimal import Decimal

from aftercart.actions.sync_order import sync_order
from aftercart.actions.tell_customer import name_subject
from aftercart.cancellations.models import (
    AddressChange,
    CancellationRequest,
    Submission,
    Withdrawal,
)
from aftercart.cancellations.states import UNDER_WAY
from aftercart.loyalty.models import LoyaltyEntry
from aftercart.mail.models import Email
from aftercart.orders.models import IdempotencyRecord, Order
from tests.faults.conftest import Street
from tests.faults.points import make_client, recover
from tests.shop import get_items


def check_books(street: Street) -> None:
    """Compare our books with the stand-in's."""
    assert Submission.objects.filter(state__in=UNDER_WAY).count() == 0
    assert not CancellationRequest.objects.filter(status="verifying").exists()
    assert not [request for request in CancellationRequest.objects.all() if request.is_approved_here]
    assert AddressChange.objects.filter(state="pending").count() == 0
    assert IdempotencyRecord.objects.filter(status_code=None).count() == 0
    accepted = {
        int(row["remote_id"]): row["cancels_accepted"] for row in street.sandbox.ledger(street.order.number)
    }
    assert max(accepted.values()) <= 1
    for submission in Submission.objects.all():
        for line in submission.list_carried():
            assert accepted[line.order_item_id] == (line.carrier.state == "applied"), submission.state
            if submission == line.carrier and submission.state == "refused" and line.is_open:
                assert line.request.delivered_at is not None
    check_emails()
    check_address(street)
    for item in street.items:
        assert (item.status == "50") == (accepted[item.pk] == 1), item.status


def check_address(street: Street) -> None:
    """Omnitron sends the order where the last change that it took says, and so do we."""
    last = AddressChange.objects.filter(state="confirmed").first()
    if last is None:
        return
    with make_client(street.sandbox).dialogue() as dialogue:
        remote = dialogue.read_order(channel_id=street.order.channel_id, number=street.order.number)
    order = Order.objects.get(pk=street.order.pk)
    assert order.shipping_address == last.address
    assert remote.shipping_address_pk == last.address["pk"]
    assert order.address_due_at is None


def check_points(street: Street) -> None:
    """Compare the ledger of points with what was decided: a refund of 100 as points, 30 of them spent before."""
    assert Submission.objects.filter(state__in=UNDER_WAY).count() == 0
    assert [item.status for item in get_items(street.order)] == ["100"]
    entries = LoyaltyEntry.objects.filter(order=street.order).order_by("amount")
    assert [(entry.kind, entry.amount) for entry in entries] == [
        ("spent", Decimal(-30)),
        ("clawed_back", Decimal(-5)),
        ("earned", Decimal(5)),
        ("returned", Decimal(30)),
        ("refund_credit", Decimal(70)),
    ]


def check_completed_there(street: Street) -> None:
    """What Omnitron has completed is completed here, whatever our staff has decided meanwhile."""
    client = make_client(street.sandbox)
    sync_order(street.order.pk, client)
    recover(client)
    first, second = get_items(street.order)
    assert (first.status, first.cancelled_quantity, second.status) == ("100", 1, "400")
    request = CancellationRequest.objects.get()
    assert (request.status, request.line.outcome, request.line.completed_quantity) == (
        "completed", "completed", 1,
    )  # fmt: skip
    assert first.refund_amount == request.line.quoted.refund_amount > 0
    assert [row["cancelled"] for row in street.sandbox.ledger(street.order.number)] == [1, 0]
    assert not Email.objects.exclude(state="sent").exists()


def check_emails() -> None:
    """Every event has its e-mail, once, and all of them are sent."""
    assert not Email.objects.exclude(state="sent").exists()
    kinds = {email.subject: email.kind for email in Email.objects.filter(kind__contains="_").order_by("pk")}
    for submission in Submission.objects.filter(origin="direct"):
        told = {"applied": {"cancellation_sent", "cancellation_confirmed"}, "refused": {"request_received"}}
        assert kinds.get(submission.uuid) in told[submission.state]
    for change in AddressChange.objects.filter(state="confirmed"):
        assert kinds[name_subject("address_change", change.pk)] == "address_changed"
    for withdrawal in Withdrawal.objects.all():
        assert Email.objects.filter(kind="withdrawal_receipt", subject=withdrawal.uuid).count() == 1
