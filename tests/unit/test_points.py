from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from aftercart.loyalty.shares import LinePoints, OrderPoints, limit_points, share_points


def share(points: OrderPoints, **facts: object) -> LinePoints:
    given_facts: dict[str, object] = {
        "currency": "TRY",
        "value": Decimal(100),
        "goods": Decimal(300),
        "gone": Decimal(100),
        "is_all_gone": False,
        "is_refund_as_points": False,
    }
    return share_points(points, **(given_facts | facts))  # type: ignore[arg-type]  # of several types by name


def test_points_spent_come_back_before_money_does() -> None:
    assert share(OrderPoints(spent=Decimal(30))) == LinePoints(returned=Decimal(30))
    assert share(OrderPoints(spent=Decimal(130))) == LinePoints(returned=Decimal(100))
    assert share(OrderPoints(spent=Decimal(130), returned=Decimal(100))) == LinePoints(returned=Decimal(30))


def test_a_refund_as_points_credits_what_is_not_given_back_already() -> None:
    points = OrderPoints(spent=Decimal(30))

    assert share(points, is_refund_as_points=True) == LinePoints(
        returned=Decimal(30), refund_credit=Decimal(70)
    )


def test_points_earned_are_taken_back_pro_rata_and_the_last_line_takes_the_rest() -> None:
    earned = Decimal(10)
    first = share(OrderPoints(earned=earned))
    second = share(OrderPoints(earned=earned, clawed_back=Decimal("3.33")), gone=Decimal(200))
    last = share(OrderPoints(earned=earned, clawed_back=Decimal("6.67")), gone=Decimal(300), is_all_gone=True)

    assert [first.clawed_back, second.clawed_back, last.clawed_back] == [
        Decimal("3.33"),
        Decimal("3.34"),
        Decimal("3.33"),
    ]


def test_when_nothing_is_left_the_points_that_paid_the_shipping_come_back_too() -> None:
    points = OrderPoints(spent=Decimal("149.90"), returned=Decimal(40))

    assert share(points, is_all_gone=True).returned == Decimal("109.90")


def test_an_order_of_gifts_takes_its_points_back_with_its_last_item() -> None:
    points = OrderPoints(earned=Decimal(5))

    assert share(points, value=Decimal(0), goods=Decimal(0), gone=Decimal(0)) == LinePoints()
    assert share(points, value=Decimal(0), goods=Decimal(0), gone=Decimal(0), is_all_gone=True) == LinePoints(
        clawed_back=Decimal(5)
    )


def test_what_was_promised_stays_within_what_the_ledger_holds() -> None:
    points = OrderPoints(spent=Decimal(30), earned=Decimal(10), returned=Decimal(25), clawed_back=Decimal(4))
    wanted = LinePoints(returned=Decimal(20), refund_credit=Decimal(80), clawed_back=Decimal(3))

    assert limit_points(points, wanted, is_all_gone=False) == LinePoints(Decimal(5), Decimal(80), Decimal(3))
    assert limit_points(points, wanted, is_all_gone=True).clawed_back == Decimal(6)
    assert limit_points(OrderPoints(), wanted, is_all_gone=True) == LinePoints(refund_credit=Decimal(80))


@given(
    prices=st.lists(st.integers(0, 100_000), min_size=1, max_size=8),
    spent=st.integers(0, 100_000),
    earned=st.integers(0, 100_000),
    currency=st.sampled_from(["TRY", "JPY", "KWD"]),
)
def test_whatever_is_cancelled_in_whatever_steps_all_points_are_settled_once(
    prices: list[int], spent: int, earned: int, currency: str
) -> None:
    unit = {"TRY": Decimal("0.01"), "JPY": Decimal(1), "KWD": Decimal("0.001")}[currency]
    goods, gone = sum(prices) * unit, Decimal(0)
    returned, clawed_back = Decimal(0), Decimal(0)
    for place, price in enumerate(prices, start=1):
        gone += price * unit
        line = share_points(
            OrderPoints(spent * unit, earned * unit, returned, clawed_back),
            currency=currency,
            value=price * unit,
            goods=goods,
            gone=gone,
            is_all_gone=place == len(prices),
            is_refund_as_points=False,
        )
        assert line.returned >= 0
        assert line.clawed_back >= 0
        returned += line.returned
        clawed_back += line.clawed_back

    assert (returned, clawed_back) == (spent * unit, earned * unit)
