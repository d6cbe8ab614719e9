"""Whether our books agree with the sandbox's ledger once a death has been recovered from."""

from decimal import Decimal

from aftercart.actions.mail.notify_customer import name_subject
from aftercart.actions.sync.sync_order import sync_order
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
from tests.faults.conftest import OrderScenario
from tests.faults.points import make_client, recover
from tests.shop import get_items


def check_books(scenario: OrderScenario) -> None:
    """Compare our books with the sandbox's."""
    assert Submission.objects.filter(state__in=UNDER_WAY).count() == 0
    assert not CancellationRequest.objects.filter(status="verifying").exists()
    assert not [request for request in CancellationRequest.objects.all() if request.is_approved_here]
    assert AddressChange.objects.filter(state="pending").count() == 0
    assert IdempotencyRecord.objects.filter(status_code=None).count() == 0
    accepted = {
        int(row["remote_id"]): row["cancels_accepted"]
        for row in scenario.sandbox.ledger(scenario.order.number)
    }
    assert max(accepted.values()) <= 1
    for submission in Submission.objects.all():
        for line in submission.list_carried():
            assert accepted[line.order_item_id] == (line.carrier.state == "applied"), submission.state
            if submission == line.carrier and submission.state == "refused" and line.is_open:
                assert line.request.is_delivered
    check_emails()
    check_address(scenario)
    for item in scenario.items:
        assert (item.status == "50") == (accepted[item.pk] == 1), item.status


def check_address(scenario: OrderScenario) -> None:
    """Omnitron sends the order where the last change that it took says, and so do we."""
    last = AddressChange.objects.filter(state="confirmed").first()
    if last is None:
        return
    with make_client(scenario.sandbox).dialogue() as dialogue:
        remote = dialogue.read_order(channel_id=scenario.order.channel_id, number=scenario.order.number)
    order = Order.objects.get(pk=scenario.order.pk)
    assert order.shipping_address == last.address
    assert remote.shipping_address_pk == last.address["pk"]
    assert order.address_due_at is None


def check_points(scenario: OrderScenario) -> None:
    """Compare the ledger of points with what was decided: a refund of 100 as points, 30 of them spent before."""
    assert Submission.objects.filter(state__in=UNDER_WAY).count() == 0
    assert [item.status for item in get_items(scenario.order)] == ["100"]
    entries = LoyaltyEntry.objects.filter(order=scenario.order).order_by("amount")
    assert [(entry.kind, entry.amount) for entry in entries] == [
        ("spent", Decimal(-30)),
        ("clawed_back", Decimal(-5)),
        ("earned", Decimal(5)),
        ("returned", Decimal(30)),
        ("refund_credit", Decimal(70)),
    ]


def check_completed_there(scenario: OrderScenario) -> None:
    """What Omnitron has completed is completed here, whatever our staff has decided meanwhile."""
    client = make_client(scenario.sandbox)
    sync_order(scenario.order.pk, client)
    recover(client)
    first, second = get_items(scenario.order)
    assert (first.status, first.cancelled_quantity, second.status) == ("100", 1, "400")
    request = CancellationRequest.objects.get()
    assert (request.status, request.line.outcome, request.line.completed_quantity) == (
        "completed", "completed", 1,
    )  # fmt: skip
    assert first.refund_amount == request.line.quoted.refund_amount > 0
    assert [row["cancelled"] for row in scenario.sandbox.ledger(scenario.order.number)] == [1, 0]
    assert not Email.objects.exclude(state="sent").exists()


def check_emails() -> None:
    """Every event has its e-mail, once, and all of them are sent."""
    assert not Email.objects.exclude(state="sent").exists()
    kinds = {email.subject: email.kind for email in Email.objects.filter(kind__contains="_").order_by("pk")}
    for submission in Submission.objects.filter(origin="direct"):
        shown = {"applied": {"cancellation_sent", "cancellation_confirmed"}, "refused": {"request_received"}}
        assert kinds.get(submission.uuid) in shown[submission.state]
    for change in AddressChange.objects.filter(state="confirmed"):
        assert kinds[name_subject("address_change", change.pk)] == "address_changed"
    for withdrawal in Withdrawal.objects.all():
        assert Email.objects.filter(kind="withdrawal_receipt", subject=withdrawal.uuid).count() == 1
