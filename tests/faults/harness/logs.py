"""Check 6: no exception without a log line, no 500, and no exception that an outage does not explain."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from tests.faults.harness.books import Violation
from tests.faults.harness.customers import Attempt, Journal

LOGS = "6 exception"
_SERVER_ERROR, _UNAVAILABLE = 500, 503
_TIME = re.compile(r"\d{4}-\d{2}-\d{2}T\d{2}:\d{2}:\d{2}\.\d+Z")
#: What begins a record of a log, ours or the web server's; what does not goes on with the one before.
_END = "[end of the log]"
_RECORD = re.compile(r"\d{4}-\d{2}-\d{2}[T ]|\[")
_EXCEPTION = re.compile(r"^([\w.]+(?:Error|Exception|Timeout|Closed|Shutdown|Failure|Interrupt\w*))\b")
#: What a database that goes away looks like to psycopg, its pool, Django and Procrastinate.
_OUTAGE = re.compile(
    r"OperationalError|InterfaceError|PoolTimeout|PoolClosed|AdminShutdown|CrashShutdown|ConnectorException"
    r"|CannotConnectNow|the database system is|terminating connection|connection (?:is|was) (?:lost|closed)"
)
#: An outage is felt until every pool has found out, and whoever waits for a row has given up (`lock_timeout`, 10 s).
_AFTER = 12.0
#: So long a worker waits for a connection before it ends, to be started again (psycopg_pool's own limit).
_PATIENCE = 30.0


@dataclass(frozen=True, slots=True)
class Trace:
    """A traceback of a log: when, where, its last line, and all of it."""

    at: float
    program: str
    last: str
    text: str


def read_traces(folder: Path) -> Iterator[Trace]:
    """Read every traceback of every log; exceptions that follow from each other are one."""
    for path in sorted(folder.glob("*.log")):
        at, block = 0.0, list[str]()
        for line in [*path.read_text(errors="replace").splitlines(), _END]:
            if _RECORD.match(line):
                if block:
                    yield Trace(at, path.stem, _find_last(block), "\n".join(block))
                block = []
            elif block or line.startswith("Traceback"):
                block.append(line)
            if found := _TIME.search(line):
                at = datetime.fromisoformat(found[0]).astimezone(UTC).timestamp()


def _find_last(block: Sequence[str]) -> str:
    """Find the exception that was logged: the last of those that a traceback tells of."""
    return next((line for line in reversed(block) if _EXCEPTION.match(line)), block[-1])


def check_logs(
    folder: Path, journal: Journal, outages: Sequence[tuple[float, float]], deaths: Sequence[str]
) -> Iterator[Violation]:
    """Look through logs, answers and deaths."""
    for trace in read_traces(folder):
        if not (_OUTAGE.search(trace.text) and _is_during(outages, trace.at)):
            yield Violation(LOGS, f"{trace.program} logged {trace.last[:200]}")
    for what, attempt in _list_answers(journal):
        if attempt.status is None or attempt.status < _SERVER_ERROR:
            continue
        if attempt.status != _UNAVAILABLE or not _is_during(outages, attempt.at, attempt.at + attempt.took):
            when = f"{datetime.fromtimestamp(attempt.at, UTC):%H:%M:%S} after {attempt.took:.1f} s"
            yield Violation(
                LOGS, f"{what} of {when} was answered {attempt.status}: {str(attempt.body)[:200]}"
            )
    for death in deaths:
        at, text = death.split(" ", 1)
        patience = _PATIENCE if text.startswith("worker-") else 0.0
        if not _is_during(outages, float(at) - patience, float(at)):
            yield Violation(LOGS, text)


def _list_answers(journal: Journal) -> Iterator[tuple[str, Attempt]]:
    for asked in journal.asked_for:
        for attempt in asked.attempts:
            yield f"{asked.kind} of order {asked.number}", attempt
    for attempt in journal.reads:
        yield "a read", attempt


def _is_during(outages: Sequence[tuple[float, float]], began: float, ended: float | None = None) -> bool:
    return any(start <= (ended or began) and began <= end + _AFTER for start, end in outages)
