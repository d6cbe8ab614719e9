"""How long something is possible: minutes, hours, days or business days, in the shop's time zone. Pure."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Final, Self

from django.db import models
from django.utils.translation import gettext_lazy as _

_FIRST_DAY_OF_THE_WEEKEND: Final = 5
_ONE_DAY: Final = timedelta(days=1)


class Basis(models.TextChoices):
    """What a window begins with."""

    ORDER = "order", _("Order")
    SHIPMENT = "shipment", _("Shipment")
    DELIVERY = "delivery", _("Delivery")


class Unit(models.TextChoices):
    """What a window is measured in."""

    MINUTES = "minutes", _("Minutes")
    HOURS = "hours", _("Hours")
    DAYS = "days", _("Days")
    BUSINESS_DAYS = "business_days", _("Business days")


@dataclass(frozen=True, slots=True)
class Window:
    """A stretch of time from a basis on."""

    basis: Basis
    length: int
    unit: Unit

    @classmethod
    def measure(cls, basis: Basis, length: timedelta) -> Self:
        """Measure a length in the largest unit that it is whole in."""
        for unit, step in ((Unit.DAYS, _ONE_DAY), (Unit.HOURS, timedelta(hours=1))):
            if not length % step:
                return cls(basis, length // step, unit)
        return cls(basis, -(-length // timedelta(minutes=1)), Unit.MINUTES)

    def find_end(self, since: datetime, *, zone: tzinfo, holidays: Collection[date] = ()) -> datetime:
        """Find the last moment of a window, in UTC.

        Minutes and hours are what they are. A day ends at the same time of the clock on the next day, so that
        it can have 23 or 25 hours where clocks change. Business days are whole: the day of the beginning does
        not count, and the window lasts until the end of the last one. Saturdays, Sundays and holidays are none.
        """
        if self.unit is Unit.MINUTES:  # added in UTC: elsewhere Python adds by the clock
            return since.astimezone(UTC) + timedelta(minutes=self.length)
        if self.unit is Unit.HOURS:
            return since.astimezone(UTC) + timedelta(hours=self.length)
        here = since.astimezone(zone)
        if self.unit is Unit.DAYS:
            return (here + timedelta(days=self.length)).astimezone(UTC)  # by the clock, not 24 hours
        day = here.date()
        for _count in range(self.length):
            day += _ONE_DAY
            while day.weekday() >= _FIRST_DAY_OF_THE_WEEKEND or day in holidays:
                day += _ONE_DAY
        midnight = datetime.combine(day + _ONE_DAY, time.min, zone).astimezone(UTC)
        return midnight - timedelta(microseconds=1)
