"""What binds log lines together: the id of the request that began it all, and the submission that it is about."""

import re
import uuid
from collections.abc import Iterator
from contextlib import contextmanager

from structlog.contextvars import bind_contextvars, clear_contextvars, get_contextvars

_WELL_FORMED = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/+=@-]{0,127}", re.ASCII)


def is_request_id(text: str) -> bool:
    """Return whether somebody else's id can be taken over: it goes into headers, logs and jobs."""
    return _WELL_FORMED.fullmatch(text) is not None


def make_request_id() -> str:
    """Make an id that nobody has."""
    return uuid.uuid4().hex


def get_request_id() -> str | None:
    """Return the id of the request that this is done for; None outside of all."""
    found: str | None = get_contextvars().get("request_id")
    return found


@contextmanager
def correlated(request_id: str) -> Iterator[None]:
    """Have the log lines, jobs and calls to the OMS of a block bear this id, and nothing of what came before."""
    clear_contextvars()
    bind_contextvars(request_id=request_id)
    try:
        yield
    finally:
        clear_contextvars()


def correlate_submission(submission: uuid.UUID) -> None:
    """Have what is logged from here on, until the end of the request or job, name the submission."""
    bind_contextvars(submission=str(submission))
