"""Times on the wire: ISO 8601, UTC, microseconds, `Z` (contract section 1)."""

from datetime import UTC, datetime


def format_time(at: datetime | None) -> str | None:
    """Write a time as the contract does, or None."""
    return None if at is None else at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def parse_time(text: str | None) -> datetime | None:
    """Read a time that `format_time` wrote."""
    return None if not text else datetime.fromisoformat(text)
