from datetime import UTC, date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from django.core.exceptions import ValidationError

from aftercart.cancellations.pickups import (
    Calendar,
    find_first_day,
    find_pickup_problem,
    read_slot,
    say_slots,
    validate_slot,
)

#: A Wednesday, half past ten in the morning.
NOW = datetime(2026, 11, 25, 10, 30, tzinfo=ZoneInfo("Europe/Istanbul"))
PAST = "The pickup time is in the past."
CLOSED = "Parcels are not collected on that day."
WORKDAYS = frozenset({1, 2, 3, 4, 5})
SLOTS = (read_slot("09:00-12:00"), read_slot("13:00-17:00"))


def pickup(day: str, start: str = "09:00", end: str = "12:00") -> dict[str, Any]:
    return {"date": day, "hour_range": {"start": start, "end": end}}


@pytest.mark.parametrize(
    ("calendar", "wanted", "problem"),
    [
        (Calendar(), pickup("2026-11-25"), ""),
        (Calendar(), pickup("2026-11-25", "09:00", "10:30"), PAST),
        (Calendar(), pickup("2026-11-24"), PAST),
        (Calendar(), pickup("2026-11-29", "03:00", "03:30"), ""),
        (Calendar(), pickup("2026-11-26", "12:00", "12:00"), "The end must be after the start."),
        (Calendar(weekdays=WORKDAYS), pickup("2026-11-27"), ""),
        (Calendar(weekdays=WORKDAYS), pickup("2026-11-28"), CLOSED),
        (Calendar(closed_dates=frozenset({date(2026, 11, 27)})), pickup("2026-11-27"), CLOSED),
        (Calendar(lead_days=2), pickup("2026-11-27"), ""),
        (
            Calendar(lead_days=2),
            pickup("2026-11-26"),
            "The parcel can be collected from 27 November 2026 on.",
        ),
        (
            Calendar(weekdays=frozenset({1}), lead_days=1, closed_dates=frozenset({date(2026, 11, 30)})),
            pickup("2026-11-25"),
            "The parcel can be collected from 7 December 2026 on.",
        ),
        (Calendar(slots=SLOTS), pickup("2026-11-26", "09:00", "12:00"), ""),
        (Calendar(slots=SLOTS), pickup("2026-11-26", "14:00", "15:00"), ""),
        (
            Calendar(slots=SLOTS),
            pickup("2026-11-26", "11:00", "14:00"),
            "Parcels are collected at these hours: 09:00–12:00, 13:00–17:00.",
        ),
    ],
)
def test_a_pickup_is_held_against_the_calendar(
    calendar: Calendar, wanted: dict[str, Any], problem: str
) -> None:
    assert find_pickup_problem(calendar, wanted, NOW) == problem


def test_the_day_is_that_of_the_shop_not_of_the_server() -> None:
    """At 22:30 in London it is already tomorrow in Istanbul."""
    late = datetime(2026, 11, 25, 22, 30, tzinfo=UTC).astimezone(ZoneInfo("Europe/Istanbul"))

    assert find_pickup_problem(Calendar(), pickup("2026-11-25", "23:00", "23:59"), late) == PAST
    assert find_pickup_problem(Calendar(lead_days=1), pickup("2026-11-26"), late) == (
        "The parcel can be collected from 27 November 2026 on."
    )


def test_the_first_day_is_open_and_not_too_soon() -> None:
    today = NOW.date()

    assert find_first_day(Calendar(), today) == today
    assert find_first_day(Calendar(weekdays=frozenset({1, 2}), lead_days=1), today) == date(2026, 11, 30)
    never = Calendar(
        weekdays=frozenset({1}),
        closed_dates=frozenset(today + timedelta(days=days) for days in range(400)),
    )
    assert find_first_day(never, today) is None
    late = Calendar(lead_days=5, weekdays=never.weekdays, closed_dates=never.closed_dates)
    assert find_pickup_problem(late, pickup("2026-11-26"), NOW) == CLOSED


@pytest.mark.parametrize(
    "text", ["9-12", "09:00-9:00", "12:00-09:00", "09:00-09:00", "24:00-25:00", "", "soon"]
)
def test_hours_that_are_none_are_refused(text: str) -> None:
    with pytest.raises(ValidationError):
        validate_slot(text)


def test_hours_are_read_and_said() -> None:
    validate_slot("09:00-17:30")
    assert read_slot("09:00-17:30") == (time(9), time(17, 30))
    assert say_slots((read_slot("09:00-17:30"),)) == "09:00–17:30"
