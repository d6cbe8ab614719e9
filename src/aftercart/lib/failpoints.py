"""Named points of a submission's life at which a test can have the process killed or frozen. Nothing in production.

`AFTERCART_FAILPOINTS` names a folder; a file `armed/<point>` in it kills the first process that comes to the
point, with SIGKILL, or, if the file says `freeze`, stops it with SIGSTOP until it gets SIGCONT. Only tests set
it (tests/faults/harness); unset, as always elsewhere, a point costs one look at a global.
"""

import os
import signal
import time
from pathlib import Path
from typing import Literal, get_args

Point = Literal[
    "prepare.judged",
    "prepare.committed",
    "send.planned",
    "send.marked",
    "outbound.sending",
    "send.answered",
    "send.late",
    "settle.booked",
    "settle.committed",
    "verify.read",
    "deliver.looked",
    "deliver.created",
    "approve.withdrawn",
    "approve.prepared",
    "reject.sent",
    "spare.settled",
    "address.sending",
    "address.sent",
    "sync.read",
    "sync.booked",
    "points.booked",
    "recover.settling",
    "recover.enqueuing",
    "email.claimed",
    "email.handed_over",
    "withdraw.recorded",
]
POINTS: tuple[Point, ...] = get_args(Point)

VARIABLE = "AFTERCART_FAILPOINTS"
_folder = "" if os.environ.get("AFTERCART_ENV") == "production" else os.environ.get(VARIABLE, "")


def failpoint(name: Point) -> None:
    """Die or freeze here, if a test wants it."""
    if _folder:
        _strike(name)


def _strike(name: Point) -> None:
    """Claim the point by a rename, so that exactly one process is struck by it, and die or freeze."""
    folder = Path(_folder)
    claimed = folder / "fired" / f"{name}-{os.getpid()}-{time.time_ns()}"
    try:
        (folder / "armed" / name).rename(claimed)
    except FileNotFoundError:
        return
    is_frozen = claimed.read_text().strip() == "freeze"
    # To this thread: one that is sent to the process may reach another first, and this one gets a bit further.
    signal.raise_signal(signal.SIGSTOP if is_frozen else signal.SIGKILL)
