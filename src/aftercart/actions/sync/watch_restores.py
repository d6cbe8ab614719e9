"""Notice that the database has gone back in time: a restored backup knows nothing of what was sent after it.

The database holds a count that rises every minute, and each host the last one that it has seen. One that finds the
database behind puts sending on hold, until `aftercart reconcile --before-sending` has read the OMS.
"""

import json
import logging
import os
from contextlib import suppress
from pathlib import Path

from django.conf import settings
from django.db import DatabaseError, connection, transaction
from django.db.models import F

from aftercart.actions.sync.hold_sending import hold_sending
from aftercart.cancellations.models import Installation

_logger = logging.getLogger(__name__)
_REASON = "The database is older than this host has seen it: a backup was restored."


def watch_restores() -> bool:
    """Compare the count with the last one seen here, and let it rise; return whether the database was restored."""
    seen_file = settings.VAR / "last-seen.json"
    with transaction.atomic():
        Installation.objects.get_or_create(pk=1)
        Installation.objects.filter(pk=1).update(count=F("count") + 1)
        row = Installation.objects.get(pk=1)
        is_restored = _read(seen_file).get(str(row.uuid), 0) >= row.count
        if is_restored:
            hold_sending(_REASON)
    if is_restored:
        _logger.error("%s Sending is on hold.", _REASON)
    _write(seen_file, {str(row.uuid): row.count})
    return is_restored


def watch_restores_if_possible() -> None:
    """Do it when a process starts, where the database is there and has its tables; then let go of it."""
    with suppress(DatabaseError, OSError):
        watch_restores()
    connection.close()


def _read(file: Path) -> dict[str, int]:
    try:
        found = json.loads(file.read_text("utf-8"))
        return {str(name): int(count) for name, count in found.items()}
    except (OSError, ValueError, TypeError, AttributeError):
        return {}  # nothing has been seen here yet, or nothing that makes sense


def _write(file: Path, seen: dict[str, int]) -> None:
    """Write it whole or not at all. A host that cannot keep it notices nothing, which the others may."""
    partial = file.with_suffix(f".{os.getpid()}.partial")
    with suppress(OSError):
        partial.write_text(json.dumps(seen), "utf-8")
        partial.replace(file)
