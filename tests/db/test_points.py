"""The ledger of points: every effect once, never changed, and the balance is its sum."""

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from typing import Any

import pytest
from django.db import ProgrammingError, transaction

from aftercart.accounts.models import User
from aftercart.actions.cancel.cancel_items import cancel_items
from aftercart.actions.cancel.close_line import complete_line
from aftercart.actions.cancel.credit_points import credit_points
from aftercart.actions.intake.import_orders import ImportResult
from aftercart.actions.requests.deliver_request import deliver_request
from aftercart.actions.requests.reject_request import deliver_rejection, reject_request
from aftercart.actions.sync.sync_order import sync_order
from aftercart.cancellations.models import CancellationRequest, SubmissionLine
from aftercart.cancellations.selectors import build_document
from aftercart.loyalty.models import LoyaltyEntry
from aftercart.loyalty.selectors import get_balance, has_entries, list_balances
from aftercart.loyalty.shares import LinePoints
from aftercart.orders.models import Order, TimelineEntry
from aftercart.orders.timeline import OMS
from tests.import_documents import LATER, make_document, run_import
from tests.shop import Line, Shop, ask, make_command, make_customer, request_units

pytestmark = pytest.mark.django_db

Kind = LoyaltyEntry.Kind


def add_points(order: Order, **amounts: str) -> None:
    for kind, amount in amounts.items():
        LoyaltyEntry.objects.create(
            user=order.user,
            currency=order.currency,
            order=order,
            kind=kind,
            amount=Decimal(amount),
            reference=f"import:{kind}",
        )


def read_ledger(order: Order) -> dict[str, list[Decimal]]:
    """Read an order's entries by kind, oldest first, without those that it began with."""
    found: dict[str, list[Decimal]] = {}
    for entry in (
        LoyaltyEntry.objects.filter(order=order).exclude(reference__startswith="import:").order_by("pk")
    ):
        found.setdefault(entry.kind, []).append(entry.amount)
    return found


def cancel_and_confirm(shop: Shop, *positions: int, as_points: bool = False) -> None:
    command = replace(shop.command(*positions), fully_refund_as_loyalty_money=as_points)
    assert cancel_items(command, shop.fake).status == 204
    shop.fake.decide_items("approve", *shop.fake.posts[-1].body["cancel_items"])
    sync_order(shop.order.pk, shop.fake)


def test_a_refund_as_points_is_credited_when_omnitron_confirms_and_not_before() -> None:
    shop = Shop()
    cancel_items(replace(shop.command(), fully_refund_as_loyalty_money=True), shop.fake)
    sync_order(shop.order.pk, shop.fake)
    assert get_balance(shop.user, "TRY") == Decimal(0)

    shop.fake.decide_items("approve", *shop.fake.posts[-1].body["cancel_items"])
    version = Order.objects.get().version
    sync_order(shop.order.pk, shop.fake)
    sync_order(shop.order.pk, shop.fake)

    assert read_ledger(shop.order) == {"refund_credit": [Decimal(100)]}
    entry = LoyaltyEntry.objects.get()
    assert (entry.user, entry.currency, entry.line) == (shop.user, "TRY", SubmissionLine.objects.get())
    assert get_balance(shop.user, "TRY") == Decimal(100)
    assert Order.objects.get().version == version + 1
    shown = TimelineEntry.objects.get(event="points_booked")
    assert (shown.actor, shown.item, shown.data) == ("omnitron", shop.items[0], {"refund_credit": "100.00"})


def test_what_omnitron_rejects_credits_nothing() -> None:
    shop = Shop()
    cancel_items(replace(shop.command(), fully_refund_as_loyalty_money=True), shop.fake)
    shop.fake.decide_items("reject", *shop.fake.posts[-1].body["cancel_items"])
    sync_order(shop.order.pk, shop.fake)

    assert SubmissionLine.objects.get().outcome == "rejected"
    assert not LoyaltyEntry.objects.exists()
    assert not TimelineEntry.objects.filter(event="points_booked").exists()


def test_a_refund_of_money_credits_nothing_where_no_points_were_in_play() -> None:
    shop = Shop()
    cancel_and_confirm(shop)

    assert SubmissionLine.objects.get().outcome == "completed"
    assert not LoyaltyEntry.objects.exists()


def test_spent_points_come_back_first_and_earned_ones_go_pro_rata() -> None:
    shop = Shop([Line(price="100.00"), Line(price="50.00"), Line(price="50.00")])
    add_points(shop.order, spent="-130.00", earned="7.00")

    cancel_and_confirm(shop, 0)
    assert read_ledger(shop.order) == {"returned": [Decimal(100)], "clawed_back": [Decimal("-3.50")]}
    cancel_and_confirm(shop, 1, as_points=True)
    assert read_ledger(shop.order) == {
        "returned": [Decimal(100), Decimal(30)],
        "clawed_back": [Decimal("-3.50"), Decimal("-1.75")],
        "refund_credit": [Decimal(20)],
    }
    cancel_and_confirm(shop, 2)
    assert read_ledger(shop.order)["clawed_back"] == [Decimal("-3.50"), Decimal("-1.75"), Decimal("-1.75")]
    assert get_balance(shop.user, "TRY") == Decimal(20)


def test_a_claw_back_may_leave_a_customer_owing_points() -> None:
    shop = Shop()
    add_points(shop.order, earned="10.00")
    other = Shop([Line(price="8.00")])
    Order.objects.filter(pk=other.order.pk).update(user=shop.user)
    other.order.refresh_from_db()
    add_points(other.order, spent="-8.00")

    cancel_and_confirm(shop)

    assert get_balance(shop.user, "TRY") == Decimal(-8)


def test_a_completed_request_credits_its_units_alone() -> None:
    shop = Shop([Line(quantity=4, price="25.00")])
    item = shop.items[0]
    command = make_command(shop.order, ask(item, shop.cancel_reason, quantity=3))
    cancel_items(replace(command, fully_refund_as_loyalty_money=True), shop.fake)
    request = CancellationRequest.objects.get()
    deliver_request(request.pk, shop.fake)
    request.refresh_from_db()
    shop.fake.decide_request("approve", request.remote_pks[0])

    sync_order(shop.order.pk, shop.fake)

    assert read_ledger(shop.order) == {"refund_credit": [Decimal(75)]}


def test_what_omnitron_does_not_tell_is_worked_out_from_what_was_paid() -> None:
    shop = Shop(
        [Line(price="100.00"), Line(price="50.00")], order_fields={"shipping_amount": Decimal("29.90")}
    )
    Order.objects.filter(pk=shop.order.pk).update(amount=Decimal("159.90"))  # 20 of discount, 29.90 shipping
    line = open_line(shop, as_points=True)

    complete(shop, line)

    assert read_ledger(shop.order) == {"refund_credit": [Decimal("86.67")]}


def test_what_was_quoted_is_what_is_booked() -> None:
    shop = Shop([Line(price="100.00"), Line(price="50.00")])
    add_points(shop.order, spent="-30.00", earned="5.00")
    line = open_line(shop, as_points=True)
    quoted = LinePoints(returned=Decimal(12), refund_credit=Decimal("80.01"), clawed_back=Decimal("3.33"))

    for _ in range(2):
        with transaction.atomic():
            credit_points(shop.order, line.order_item, OMS, line=line, quantity=1, quoted=quoted)

    assert read_ledger(shop.order) == {
        "returned": [Decimal(12)],
        "refund_credit": [Decimal("80.01")],
        "clawed_back": [Decimal("-3.33")],
    }


def test_an_item_that_omnitron_cancels_by_itself_settles_its_points_once() -> None:
    shop = Shop()
    add_points(shop.order, spent="-40.00", earned="5.00")
    remote = shop.fake.get_order(500_001)
    shop.fake.backoffice.items[remote.items[0].pk].remote = replace(remote.items[0], status="100")
    shop.fake.backoffice.refresh(remote.pk)

    sync_order(shop.order.pk, shop.fake)
    sync_order(shop.order.pk, shop.fake)

    assert read_ledger(shop.order) == {"returned": [Decimal(40)], "clawed_back": [Decimal(-5)]}
    assert get_balance(shop.user, "TRY") == Decimal(0)


def test_a_guest_has_no_ledger() -> None:
    shop = Shop()
    line = open_line(shop, as_points=True)
    Order.objects.filter(pk=shop.order.pk).update(user=None)

    complete(shop, line)

    assert not LoyaltyEntry.objects.exists()


def open_line(shop: Shop, *, as_points: bool) -> SubmissionLine:
    cancel_items(replace(shop.command(0), fully_refund_as_loyalty_money=as_points), shop.fake)
    return SubmissionLine.objects.select_related("order_item").get()


def complete(shop: Shop, line: SubmissionLine) -> None:
    with transaction.atomic():
        complete_line(Order.objects.get(pk=shop.order.pk), line, OMS)


def test_a_line_completed_a_second_time_credits_nothing_more() -> None:
    shop = Shop()
    line = open_line(shop, as_points=True)
    complete(shop, line)
    line.order_item.cancelled_quantity = 0
    complete(shop, line)

    assert read_ledger(shop.order) == {"refund_credit": [Decimal(100)]}


@pytest.mark.parametrize("change", [{"amount": Decimal(5)}, {"kind": "returned"}, {"currency": "EUR"}])
def test_an_entry_cannot_be_changed(change: dict[str, Any]) -> None:
    shop = Shop()
    add_points(shop.order, earned="10.00")

    with pytest.raises(ProgrammingError, match="cannot be changed"), transaction.atomic():
        LoyaltyEntry.objects.update(**change)
    with pytest.raises(ProgrammingError, match="cannot be changed"), transaction.atomic():
        LoyaltyEntry.objects.update(user=make_customer())
    with pytest.raises(ProgrammingError, match="cannot be changed"), transaction.atomic():
        LoyaltyEntry.objects.all()._raw_delete("default")

    assert get_balance(shop.user, "TRY") == Decimal(10)


def test_a_deleted_customer_and_order_leave_their_entries() -> None:
    shop = Shop()
    add_points(shop.order, earned="10.00")

    shop.order.delete()
    shop.user.delete()

    entry = LoyaltyEntry.objects.get()
    assert (entry.user, entry.order, entry.amount) == (None, None, Decimal(10))


def test_the_balance_can_be_rebuilt_from_the_ledger_entry_by_entry() -> None:
    shop = Shop([Line(price="100.00"), Line(price="50.00")])
    add_points(shop.order, spent="-60.00", earned="9.99")
    LoyaltyEntry.objects.create(user=shop.user, currency="EUR", kind=Kind.ADJUSTMENT, amount=Decimal("4.5"))
    stranger = make_customer()
    LoyaltyEntry.objects.create(user=stranger, currency="TRY", kind=Kind.EARNED, amount=Decimal(1000))
    cancel_and_confirm(shop, 0, as_points=True)
    cancel_and_confirm(shop, 1)

    rebuilt: Counter[str] = Counter()
    for entry in LoyaltyEntry.objects.filter(user=shop.user):
        rebuilt[entry.currency] += entry.amount  # type: ignore[assignment]  # a Counter adds up anything

    assert list_balances(shop.user) == [("EUR", Decimal("4.5")), ("TRY", rebuilt["TRY"])]
    # Nothing is left of the order: all that is left of its points is the refund that was asked for in points.
    assert get_balance(shop.user, "TRY") == rebuilt["TRY"] == Decimal(40)
    assert (has_entries(shop.user), has_entries(make_customer())) == (True, False)


# --- import ------------------------------------------------------------------------------------------------


POINTS = [
    {"pk": 7, "transaction_type": {"value": "spent", "label": "Spent"}, "amount": "30.00"},
    {"pk": 8, "type": "EARNED", "amount": 5, "created_date": "2026-03-02T08:00:00Z"},
    {"pk": 9, "type": "tier_bonus", "amount": "many"},
]


def read_imported() -> list[tuple[str, Decimal, str]]:
    entries = LoyaltyEntry.objects.order_by("amount")
    return [(entry.kind, entry.amount, entry.reference) for entry in entries]


def test_an_imported_order_brings_its_points_once() -> None:
    document = make_document(loyaltytransaction_set=POINTS)
    assert run_import(document) == (ImportResult(created=1), [])
    expected = [("spent", Decimal(-30), "import:pk:7"), ("earned", Decimal(5), "import:pk:8")]
    assert read_imported() == expected

    assert run_import(document) == (ImportResult(unchanged=1), [])
    assert run_import({**document, "modified_date": LATER, "notes": "x"}) == (ImportResult(updated=1), [])

    assert read_imported() == expected
    assert get_balance(User.objects.get(), "TRY") == Decimal(-25)
    # What the ledger does not understand is passed on as before.
    assert Order.objects.get().details["loyaltytransaction_set"] == POINTS


def test_a_newer_document_adds_what_is_new_and_rewrites_nothing() -> None:
    first = {"type": "earned", "amount": "5.00"}
    run_import(make_document(loyaltytransaction_set=[first]))

    changed = [{**first, "amount": "6.00"}, {"type": "spent", "amount": "-2.50"}]
    run_import(make_document(loyaltytransaction_set=changed, modified_date=LATER))

    assert read_imported() == [("spent", Decimal("-2.5"), "import:1"), ("earned", Decimal(5), "import:0")]


def test_a_document_of_ours_that_is_imported_again_adds_nothing() -> None:
    nameless = {"type": "earned", "amount": "5.00"}
    run_import(make_document(loyaltytransaction_set=[*POINTS, nameless]))
    order = Order.objects.get()
    for kind, amount in (("returned", "30.00"), ("clawed_back", "-5.00"), ("refund_credit", "70.00")):
        LoyaltyEntry.objects.create(
            user=order.user, order=order, currency="TRY", kind=kind, amount=Decimal(amount)
        )
    before = read_imported()
    assert len(before) == 6

    shown = build_document(order)["loyaltytransaction_set"]
    assert len(shown) == 6
    result = run_import(make_document(loyaltytransaction_set=shown, modified_date=LATER))

    assert result == (ImportResult(updated=1), [])
    assert read_imported() == before


def test_a_guests_order_brings_no_points() -> None:
    assert run_import(make_document(user=None, loyaltytransaction_set=POINTS))[0] == ImportResult(created=1)

    assert not LoyaltyEntry.objects.exists()


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ({"type": "earned"}, "loyaltytransaction_set[0].amount: is required"),
        ({"type": "earned", "amount": "lots"}, "loyaltytransaction_set[0].amount: not an amount"),
        ({"type": "spent", "amount": True}, "loyaltytransaction_set[0].amount: not an amount"),
        ({"type": "spent", "amount": "1", "pk": "x"}, "loyaltytransaction_set[0].pk: not a whole number"),
    ],
)
def test_points_that_make_no_sense_are_a_bad_line(row: dict[str, Any], reason: str) -> None:
    result, bad = run_import(make_document(loyaltytransaction_set=[row]))

    assert (result, [line.reason for line in bad]) == (ImportResult(bad=1), [reason])
    assert not Order.objects.exists()


def test_points_of_a_rejection_that_omnitron_overrules_are_returned_once() -> None:
    shop = Shop([Line(quantity=3)], split_units=True)
    add_points(shop.order, spent="-150.00")
    request = request_units(shop, 1)
    reject_request(request.pk, make_customer(), "Already packed.")
    shop.fake.decide_request("approve", request.remote_pks[0], "")
    sync_order(shop.order.pk, shop.fake)

    deliver_rejection(request.pk, shop.fake)
    sync_order(shop.order.pk, shop.fake)

    assert read_ledger(shop.order) == {"returned": [Decimal(100)]}
