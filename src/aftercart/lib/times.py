"""Times on the wire: ISO 8601, UTC, microseconds, `Z` (contract section 1); and which times there can be."""

from datetime import UTC, datetime, time, tzinfo
from typing import Final

#: No time of an order lies outside these. Python's calendar ends at year 9999, so that a window added to a
#: time near it, or another time zone, would raise; PostgreSQL's goes on where Python's cannot read it.
EARLIEST: Final = datetime(1970, 1, 1, tzinfo=UTC)
LATEST: Final = datetime(2100, 1, 1, tzinfo=UTC)


def is_plausible(at: datetime) -> bool:
    """Return whether an aware time lies between `EARLIEST` and `LATEST`, both included."""
    return EARLIEST <= at <= LATEST


def clamp(at: datetime) -> datetime:
    """Return the plausible time that is nearest to an aware time, in UTC."""
    return at.astimezone(UTC) if is_plausible(at) else (EARLIEST if at < EARLIEST else LATEST)


def format_time(at: datetime | None) -> str | None:
    """Write a time as the contract does, or None."""
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_time(text: str | None) -> datetime | None:
    """Read a time that `format_time` wrote."""
    return None if not text else datetime.fromisoformat(text)


def read_day_or_time(text: str, of_day: time, zone: tzinfo) -> datetime:
    """Read an ISO 8601 day, as this time of it, or time; without an offset, of this zone.

    Raises ValueError for anything else. What is not plausible becomes the nearest that is.
    """
    read = datetime.fromisoformat(text.upper())
    if len(text) <= len("2024-01-31"):
        read = datetime.combine(read.date(), of_day)
    return clamp(read if read.tzinfo else read.replace(tzinfo=zone))
