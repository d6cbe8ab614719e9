"""The middle of a cancellation: what is planned, judged, priced and said of a case. Nothing here has a database."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest

from aftercart.accounts.models import User
from aftercart.actions.cancel.decide_cancellation import Decision, decide_cancellation, enforce
from aftercart.actions.commands import Caller, CancellationCase, CancellationCommand, ItemRequest
from aftercart.cancellations.models import CancellationReason, EasyReturnCompany
from aftercart.lib.quote_tokens import read_quote
from aftercart.orders.errors import CancellationRefused, InputInvalid, QuoteStale
from aftercart.orders.models import Order, OrderItem
from aftercart.orders.paid import gather_paid
from aftercart.orders.policy.clauses import Policy, PolicyBook, make_default_clauses
from aftercart.orders.policy.topics import Basics, Effect
from aftercart.orders.selectors import gather_facts, gather_order_facts

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)
BASICS = Basics(
    cancel_statuses=frozenset({"400"}), refund_statuses=frozenset({"550"}), return_window=timedelta(days=14)
)
CANCEL = CancellationReason(pk=1, cancellation_type="cancel", subject="Changed my mind")
DAMAGED = CancellationReason(
    pk=2, cancellation_type="refund", subject="Damaged", extra_information_needed=True
)
NOT_GIVEN = CancellationReason(
    pk=3, cancellation_type="refund", subject="Not given", code="reason_not_given", is_active=False
)
COURIER = EasyReturnCompany(pk=5, name="Courier", value="courier")
HOME = {"line": "Street 1", "country": {"code": "tr"}}


def make_item(pk: int, status: str = "400", quantity: int = 1, price: str = "50.00") -> OrderItem:
    return OrderItem(
        pk=pk,
        status=status,
        sku=f"SKU-{pk}",
        quantity=quantity,
        price=Decimal(price),
        total_amount=Decimal(price) * quantity,
        tax_rate=Decimal(20),
        delivered_at=NOW - timedelta(days=1) if status == "550" else None,
    )


def make_case(
    *items: OrderItem, in_progress: frozenset[int] = frozenset(), basics: Basics = BASICS, **named: Any
) -> CancellationCase:
    order = Order(
        pk=7,
        version=3,
        status="400",
        currency="TRY",
        amount=sum((item.total_amount for item in items), Decimal(0)) + Decimal("29.90"),
        shipping_amount=Decimal("29.90"),
        discount_amount=Decimal(0),
        installment_interest_amount=Decimal(0),
        created_date=NOW - timedelta(hours=1),
        payment_option={"payment_type": named.pop("payment_type", "credit_card")},
        shipping_address=HOME,
    )
    return CancellationCase(
        order=order,
        items={item.pk: item for item in items},
        facts=gather_facts(order, items, in_progress),
        paid=gather_paid(order, items),
        policy=Policy(PolicyBook(make_default_clauses(basics)), gather_order_facts(order)),
        version_pk=1,
        now=NOW,
        reasons={1: CANCEL, 2: DAMAGED},
        **named,
    )


def cancel(item: int, **fields: Any) -> ItemRequest:
    return ItemRequest(item, CANCEL.pk, "cancel", **fields)


def give_back(item: int, reason: int = DAMAGED.pk, **fields: Any) -> ItemRequest:
    return ItemRequest(item, reason, "refund", description="Broken", **fields)


def decide(case: CancellationCase, *asked: ItemRequest, **fields: Any) -> Decision:
    caller = Caller(User(pk=9), "fingerprint")
    return decide_cancellation(case, CancellationCommand(caller, asked, number="N", **fields))


def list_codes(decided: Decision) -> list[tuple[int, str, Effect]]:
    return [(finding.order_item, finding.code, finding.effect) for finding in decided.priced.findings]


def test_units_that_may_go_are_planned_found_in_order_and_priced() -> None:
    decided = decide(make_case(make_item(1, quantity=2), make_item(2)), cancel(1, quantity=2))

    [line] = decided.lines
    assert (line.order_item_id, line.reason_id, line.quantity) == (1, CANCEL.pk, 2)
    assert line._state.adding
    assert list_codes(decided) == []
    assert (decided.priced.quote.total, decided.priced.way, decided.priced.destination) == (
        Decimal("100.00"),
        "direct",
        "payment_method",
    )
    enforce(decided, "")


def test_all_of_an_order_takes_its_delivery_along_whoever_names_no_quantity() -> None:
    decided = decide(make_case(make_item(1, quantity=3), make_item(2)), cancel(1), cancel(2))

    assert [line.quantity for line in decided.lines] == [3, 1]
    assert decided.priced.quote.total == Decimal("229.90")


def test_every_complaint_is_made_at_once() -> None:
    case = make_case(make_item(1, quantity=2), payment_type="credit_card")

    with pytest.raises(InputInvalid) as caught:
        decide(
            case, cancel(1, quantity=3, iban="TR1", holder_name="A"), cancel(1), cancel(8), give_back(1, 4)
        )

    assert caught.value.fields == {
        "cancel_order_items": [
            "Item 1, quantity: You can cancel or return at most 2 of this item.",
            "Item 1, iban: This payment is refunded to the original payment method; please leave out the IBAN.",
            "Item 1, order_item: This item is listed twice.",
            'Item 8, order_item: Invalid pk "8" - object does not exist.',
            "Item 1, order_item: This item is listed twice.",
            'Item 1, reason: Invalid pk "4" - object does not exist.',
        ]
    }


def test_what_the_rules_refuse_is_priced_beside_the_rest_and_stops_all_of_it() -> None:
    case = make_case(make_item(1), make_item(2, status="500"), make_item(3), in_progress=frozenset({3}))

    decided = decide(case, cancel(1), cancel(2), cancel(3))

    assert list_codes(decided) == [
        (3, "cancellation_in_progress", Effect.REFUSE),
        (2, "status_not_allowed", Effect.REFUSE),
    ]
    assert [line.quote is not None for line in decided.priced.lines] == [True, False, False]
    assert decided.priced.quote.total == Decimal("50.00")
    with pytest.raises(CancellationRefused) as caught:
        enforce(decided, "")
    assert caught.value.code == "cancellation_in_progress"


def test_a_return_is_collected_where_it_was_delivered_by_the_first_company() -> None:
    decided = decide(make_case(make_item(1, status="550"), companies={5: COURIER}), give_back(1))

    [line] = decided.lines
    assert (line.shipping_company_id, line.pickup_address, line.pickup_date) == (5, HOME, None)
    assert list_codes(decided) == []


def test_a_return_that_nobody_can_collect_is_left_to_the_team() -> None:
    decided = decide(make_case(make_item(1, status="550")), give_back(1))

    assert list_codes(decided) == [(1, "collection_not_chosen", Effect.REVIEW)]
    assert decided.priced.way == "review"


@pytest.mark.parametrize(
    ("address", "complaint"),
    [
        (None, 'Invalid pk "4" - object does not exist.'),
        (
            {"country": {"code": "de"}},
            "We can only collect returns in the country the order was delivered to.",
        ),
    ],
)
def test_no_parcel_is_collected_where_nobody_goes(address: dict[str, Any] | None, complaint: str) -> None:
    case = make_case(make_item(1, status="550"), companies={5: COURIER}, pickup_address=address)

    with pytest.raises(InputInvalid) as caught:
        decide(case, give_back(1), pickup_address=4)

    assert caught.value.fields == {"pickup_address": [complaint]}


def test_a_reason_that_was_let_through_counts_as_none(settings: Any) -> None:
    settings.UNKNOWN_REASONS = "review"
    case = make_case(
        make_item(1, status="550"), companies={5: COURIER}, unnamed_reasons={"refund": NOT_GIVEN}
    )

    decided = decide(case, give_back(1, reason=4))

    assert decided.lines[0].reason == NOT_GIVEN
    assert list_codes(decided) == [(1, "reason_not_given", Effect.REVIEW)]


def test_points_are_given_for_money_and_for_nothing_else() -> None:
    paid, unpaid = (
        decide(make_case(make_item(1), payment_type=kind), cancel(1), fully_refund_as_loyalty_money=True)
        for kind in ("credit_card", "pay_on_delivery")
    )

    assert (list_codes(paid), paid.priced.destination) == ([], "loyalty")
    assert paid.priced.quote.points_credited == Decimal("79.90")
    assert list_codes(unpaid) == [(1, "points_need_payment", Effect.REFUSE)]
    assert unpaid.priced.destination == "none"


def test_a_quote_binds_for_as_long_as_the_same_case_gives_the_same() -> None:
    case = make_case(make_item(1), make_item(2))
    token = decide(case, cancel(1)).priced.token

    enforce(decide(case, cancel(1)), token)
    said = read_quote(token)
    assert (said.user, said.order, said.version) == (9, 7, 3)
    for other in (
        decide(case, cancel(2)),
        decide(replace(case, now=NOW + timedelta(hours=1)), cancel(1)),
        decide(make_case(make_item(1, price="49.00"), make_item(2)), cancel(1)),
    ):
        with pytest.raises(QuoteStale):
            enforce(other, token)
    with pytest.raises(InputInvalid):
        enforce(decide(case, cancel(1)), "forged")
