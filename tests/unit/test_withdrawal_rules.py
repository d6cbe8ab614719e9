"""When a withdrawal period ends: the day of delivery does not count, the last day counts whole."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

from aftercart.orders.withdrawal_rules import GoodFacts, WithdrawalTerms, find_period_end, is_in_time

ISTANBUL = ZoneInfo("Europe/Istanbul")
TERMS = WithdrawalTerms(days=14, zone=ISTANBUL)


def delivered(*days: datetime | None) -> list[GoodFacts]:
    return [GoodFacts("550", 1, day) for day in days]


def test_nothing_ends_before_everything_is_delivered() -> None:
    day = datetime(2026, 3, 2, 12, tzinfo=UTC)

    assert find_period_end(delivered(None), TERMS) is None
    assert find_period_end(delivered(day, None), TERMS) is None
    assert is_in_time(None, datetime(2099, 1, 1, tzinfo=UTC))


def test_it_ends_with_the_fourteenth_day_after_the_last_delivery_in_the_shops_time() -> None:
    first = datetime(2026, 2, 1, 12, tzinfo=UTC)
    late_on_monday = datetime(2026, 3, 2, 20, 59, tzinfo=UTC)  # still Monday in Istanbul
    early_on_tuesday = late_on_monday + timedelta(minutes=1)

    assert find_period_end(delivered(first, late_on_monday), TERMS) == datetime(2026, 3, 17, tzinfo=ISTANBUL)
    assert find_period_end(delivered(early_on_tuesday), TERMS) == datetime(2026, 3, 18, tzinfo=ISTANBUL)


def test_a_last_day_on_a_weekend_moves_to_monday() -> None:
    saturday = datetime(2026, 3, 7, 9, tzinfo=UTC)
    sunday = datetime(2026, 3, 8, 9, tzinfo=UTC)

    for day in (saturday, sunday):
        assert find_period_end(delivered(day), TERMS) == datetime(2026, 3, 24, tzinfo=ISTANBUL)


def test_what_is_cancelled_does_not_count() -> None:
    kept, gone = datetime(2026, 3, 2, 12, tzinfo=UTC), datetime(2026, 3, 20, 12, tzinfo=UTC)
    goods = [GoodFacts("550", 1, kept), GoodFacts("600", 0, gone), GoodFacts("100", 0, None)]

    assert find_period_end(goods, TERMS) == datetime(2026, 3, 17, tzinfo=ISTANBUL)
    assert find_period_end(goods[1:], TERMS) is None


def test_the_last_moment_is_in_time_and_the_next_is_not() -> None:
    end = datetime(2026, 3, 17, tzinfo=ISTANBUL)

    assert is_in_time(end, end - timedelta(microseconds=1))
    assert not is_in_time(end, end)
