"""Windows: hours, days by the clock, whole business days; weekends, holidays, and clocks that change."""

from datetime import UTC, date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aftercart.orders.windows import Basis, Unit, Window

ISTANBUL, BERLIN = ZoneInfo("Europe/Istanbul"), ZoneInfo("Europe/Berlin")
HOLIDAY = date(2026, 4, 23)  # a Thursday


def end(length: int, unit: Unit, since: str, zone: ZoneInfo = ISTANBUL) -> str:
    window = Window(Basis.DELIVERY, length, unit)
    found = window.find_end(datetime.fromisoformat(since).replace(tzinfo=zone), zone=zone, holidays={HOLIDAY})
    return found.astimezone(zone).isoformat(timespec="seconds")


@pytest.mark.parametrize(
    ("length", "since", "last"),
    [
        (1, "2026-04-20T10:00", "2026-04-21T23:59:59+03:00"),  # Monday: until the end of Tuesday
        (1, "2026-04-17T10:00", "2026-04-20T23:59:59+03:00"),  # Friday: until the end of Monday
        (1, "2026-04-18T10:00", "2026-04-20T23:59:59+03:00"),  # Saturday: the same
        (1, "2026-04-19T23:59", "2026-04-20T23:59:59+03:00"),  # Sunday: the same
        (1, "2026-04-22T10:00", "2026-04-24T23:59:59+03:00"),  # the day before a holiday
        (2, "2026-04-22T10:00", "2026-04-27T23:59:59+03:00"),  # a holiday and a weekend on the way
        (5, "2026-04-20T00:00", "2026-04-28T23:59:59+03:00"),
        (14, "2026-06-01T12:00", "2026-06-19T23:59:59+03:00"),
        (0, "2026-04-20T10:00", "2026-04-20T23:59:59+03:00"),
    ],
)
def test_business_days_are_whole_and_leave_weekends_and_holidays_out(
    length: int, since: str, last: str
) -> None:
    assert end(length, Unit.BUSINESS_DAYS, since) == last


def test_a_business_day_is_the_shops_and_not_utcs() -> None:
    # Sunday 22:30 UTC is Monday in Istanbul, so that Tuesday is the first business day.
    since = datetime(2026, 4, 19, 22, 30, tzinfo=UTC)
    window = Window(Basis.DELIVERY, 1, Unit.BUSINESS_DAYS)

    assert window.find_end(since, zone=ISTANBUL) == datetime(2026, 4, 21, 20, 59, 59, 999999, tzinfo=UTC)
    assert window.find_end(since, zone=ZoneInfo("UTC")) == datetime(
        2026, 4, 20, 23, 59, 59, 999999, tzinfo=UTC
    )


@pytest.mark.parametrize(
    ("length", "unit", "since", "last"),
    [
        # Clocks go forward on 29 March 2026 at 02:00, and back on 25 October at 03:00.
        (1, Unit.DAYS, "2026-03-28T12:00", "2026-03-29T12:00:00+02:00"),
        (24, Unit.HOURS, "2026-03-28T12:00", "2026-03-29T13:00:00+02:00"),
        (1, Unit.DAYS, "2026-10-24T12:00", "2026-10-25T12:00:00+01:00"),
        (24, Unit.HOURS, "2026-10-24T12:00", "2026-10-25T11:00:00+01:00"),
        (1, Unit.BUSINESS_DAYS, "2026-03-27T12:00", "2026-03-30T23:59:59+02:00"),
        (1, Unit.BUSINESS_DAYS, "2026-10-23T12:00", "2026-10-26T23:59:59+01:00"),
        (90, Unit.MINUTES, "2026-03-29T01:00", "2026-03-29T03:30:00+02:00"),
    ],
)
def test_where_clocks_change_a_day_is_a_day_and_an_hour_an_hour(
    length: int, unit: Unit, since: str, last: str
) -> None:
    assert end(length, unit, since, BERLIN) == last


@given(
    since=st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(BERLIN)),  # noqa: DTZ001 - Hypothesis adds the time zone
    length=st.integers(1, 60),
    unit=st.sampled_from(list(Unit)),
)
def test_a_longer_window_never_ends_sooner(since: datetime, length: int, unit: Unit) -> None:
    ends = [Window(Basis.ORDER, n, unit).find_end(since, zone=BERLIN) for n in (length, length + 1)]

    assert ends[0] < ends[1]
    assert ends[0] >= since.astimezone(UTC)


@given(
    since=st.datetimes(datetime(2020, 1, 1), datetime(2035, 1, 1), timezones=st.just(ISTANBUL)),  # noqa: DTZ001 - Hypothesis adds the time zone
    length=st.integers(1, 30),
)
def test_a_window_of_business_days_holds_that_many(since: datetime, length: int) -> None:
    last = Window(Basis.ORDER, length, Unit.BUSINESS_DAYS).find_end(since, zone=ISTANBUL)
    first, final = since.date().toordinal() + 1, last.astimezone(ISTANBUL).date().toordinal()
    days = [date.fromordinal(n) for n in range(first, final + 1)]

    assert sum(day.weekday() < 5 for day in days) == length
    assert days[-1].weekday() < 5
