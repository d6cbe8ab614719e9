"""When a company collects returns: pure. Days and hours are those of the shop's time zone."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any, Final

from django.core.exceptions import ValidationError
from django.utils.formats import date_format
from django.utils.functional import Promise
from django.utils.translation import gettext as _
from django.utils.translation import gettext_lazy

#: From Monday, which ISO 8601 counts as 1.
WEEKDAYS: Final[tuple[tuple[int, str | Promise], ...]] = (
    (1, gettext_lazy("Monday")),
    (2, gettext_lazy("Tuesday")),
    (3, gettext_lazy("Wednesday")),
    (4, gettext_lazy("Thursday")),
    (5, gettext_lazy("Friday")),
    (6, gettext_lazy("Saturday")),
    (7, gettext_lazy("Sunday")),
)
_SLOT: Final = re.compile(r"([01]\d|2[0-3]):[0-5]\d-([01]\d|2[0-3]):[0-5]\d")
#: How far a day is looked for before a calendar counts as one without any.
_FARTHEST: Final = 366

Slot = tuple[time, time]


def validate_slot(text: str) -> None:
    """Want hours as in `09:00-12:00`, the end after the start."""
    if not _SLOT.fullmatch(text) or text[:5] >= text[6:]:
        raise ValidationError(_("Write hours as in 09:00-12:00."), code="invalid_slot")


def read_slot(text: str) -> Slot:
    """Read hours that have been validated."""
    start, end = text.split("-")
    return time.fromisoformat(start), time.fromisoformat(end)


@dataclass(frozen=True, slots=True)
class Calendar:
    """When somebody collects. No weekdays: on all of them; no slots: at any hour.

    `lead_days` are the days between the order of a collection and the first possible one: 0 is the same day.
    """

    weekdays: frozenset[int] = frozenset()
    slots: tuple[Slot, ...] = ()
    lead_days: int = 0
    closed_dates: frozenset[date] = frozenset()

    def is_open(self, day: date) -> bool:
        """Return whether somebody collects on a day."""
        return (not self.weekdays or day.isoweekday() in self.weekdays) and day not in self.closed_dates


def find_first_day(calendar: Calendar, today: date) -> date | None:
    """Find the first day on which a collection can be ordered today; None if there is none for a year."""
    return next(_list_days(calendar, today), None)


def _list_days(calendar: Calendar, today: date) -> Iterator[date]:
    days = (today + timedelta(days=calendar.lead_days + more) for more in range(_FARTHEST))
    return filter(calendar.is_open, days)


def find_next_slot(calendar: Calendar, now: datetime) -> dict[str, Any] | None:
    """Find the next time at which somebody collects; None for a calendar without hours, or without a day.

    `now` is in the shop's time zone; the answer is a pickup as `find_pickup_problem` takes it.
    """
    for day in _list_days(calendar, now.date()) if calendar.slots else ():
        for start, end in calendar.slots:
            if datetime.combine(day, start, now.tzinfo) > now:
                hours = {"start": f"{start:%H:%M}", "end": f"{end:%H:%M}"}
                return {"date": day.isoformat(), "hour_range": hours}
    return None


def is_changeable(calendar: Calendar, pickup: dict[str, Any] | None, now: datetime) -> bool:
    """Return whether another time can still be chosen: until the last day on which this one could be ordered.

    `pickup` and `now` as `find_pickup_problem` takes them. Where no time was chosen, one can be.
    """
    if not pickup:
        return True
    day, start = date.fromisoformat(pickup["date"]), time.fromisoformat(pickup["hour_range"]["start"])
    is_ahead = now.date() + timedelta(days=calendar.lead_days) <= day
    return is_ahead and now < datetime.combine(day, start, now.tzinfo)


def find_pickup_problem(calendar: Calendar, pickup: dict[str, Any], now: datetime) -> str:
    """Say why a pickup cannot be, or "" if it can.

    `pickup` is `{"date", "hour_range": {"start", "end"}}` in ISO form, `now` in the shop's time zone.
    """
    day = date.fromisoformat(pickup["date"])
    start, end = (time.fromisoformat(pickup["hour_range"][name]) for name in ("start", "end"))
    if start >= end:
        return _("The end must be after the start.")
    if datetime.combine(day, end, now.tzinfo) <= now:
        return _("The pickup time is in the past.")
    if day < now.date() + timedelta(days=calendar.lead_days):
        return _say_first_day(calendar, now.date())
    if not calendar.is_open(day):
        return _("Parcels are not collected on that day.")
    if calendar.slots and not any(first <= start and end <= last for first, last in calendar.slots):
        return _("Parcels are collected at these hours: %(hours)s.") % {"hours": say_slots(calendar.slots)}
    return ""


def _say_first_day(calendar: Calendar, today: date) -> str:
    first = find_first_day(calendar, today)
    if first is None:
        return _("Parcels are not collected on that day.")
    return _("The parcel can be collected from %(day)s on.") % {"day": date_format(first, "j F Y")}


def say_slots(slots: tuple[Slot, ...]) -> str:
    """Write hours for people, as in "09:00–12:00, 13:00–17:00"."""
    return ", ".join(f"{start:%H:%M}–{end:%H:%M}" for start, end in slots)
