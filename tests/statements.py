"""The SQL statements of a piece of work, by transaction."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any

from django.db import connection
from django.db.transaction import Atomic


@dataclass(slots=True)
class Statements:
    """What was executed: SQL, and the transaction that it belonged to, None outside of any."""

    executed: list[tuple[Atomic | None, str]] = field(default_factory=list)

    @property
    def transactions(self) -> list[int]:
        """Count the statements of each transaction, in their order; savepoints are statements, too."""
        found: list[list[Any]] = []
        for block, _sql in self.executed:
            if block is not None and (not found or found[-1][0] is not block):
                found.append([block, 0])
            if block is not None:
                found[-1][1] += 1
        return [count for _block, count in found]

    @property
    def apart(self) -> int:
        """Count the statements outside of any transaction; what a test's own transaction makes of one is none."""
        return sum(block is None and "SAVEPOINT" not in sql for block, sql in self.executed)

    def describe(self) -> str:
        """List them, for a failing test."""
        return "\n".join(f"{'-' if block is None else '*'} {sql[:300]}" for block, sql in self.executed)


@contextmanager
def recording_statements() -> Iterator[Statements]:
    """Record what this thread executes."""
    found = Statements()

    def record(execute: Callable[..., Any], sql: Any, params: Any, many: Any, context: Any) -> Any:
        blocks = [block for block in connection.atomic_blocks if not getattr(block, "_from_testcase", False)]
        found.executed.append((blocks[0] if blocks else None, str(sql)))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(record):
        yield found
