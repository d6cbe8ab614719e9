"""The durable store: one SQLite file in WAL mode, used from the event loop's thread only.

Every write of the server happens inside `Store.transaction`, so it is whole or not there, also after ``kill
-9``.
"""

import datetime as dt
import json
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from aftercart_sandbox.network import Network
from aftercart_sandbox.schema import FIRST_KEYS, SCHEMA, TABLES
from aftercart_sandbox.tables import REASONS
from aftercart_sandbox.values import stamp

Row = sqlite3.Row


class Store:
    """The back office's memory. ``path`` is a file, or ``:memory:``."""

    def __init__(self, path: str) -> None:
        if path != ":memory:":
            Path(path).parent.mkdir(parents=True, exist_ok=True)
        self._db = sqlite3.connect(path, isolation_level=None, timeout=10)
        self._db.row_factory = sqlite3.Row
        self._db.execute("PRAGMA journal_mode=WAL")
        self._db.execute("PRAGMA synchronous=NORMAL")
        self._db.execute("PRAGMA foreign_keys=ON")
        self._last = dt.datetime.min.replace(tzinfo=dt.UTC)
        self.offset = dt.timedelta()
        self.generation = 0
        self.network = Network()
        with self.transaction():
            self._create()
        self.offset = dt.timedelta(seconds=float(self.setting("clock_offset") or 0))

    def _create(self) -> None:
        for statement in SCHEMA:
            self._db.execute(statement)
        if self.one("SELECT 1 FROM reasons") is None:
            for table, first in FIRST_KEYS.items():
                self.run("INSERT INTO sqlite_sequence(name, seq) VALUES(?, ?)", table, first - 1)
            for reason in REASONS:
                self.run("INSERT INTO reasons VALUES(?, ?, ?, ?, ?, 1, ?)", *reason, self.stamp())

    @contextmanager
    def transaction(self) -> Iterator[None]:
        """Commit everything done inside together, or nothing of it."""
        self._db.execute("BEGIN IMMEDIATE")
        try:
            yield
        except BaseException:
            self._db.execute("ROLLBACK")
            raise
        self._db.execute("COMMIT")

    def one(self, sql: str, *values: Any) -> Row | None:
        """Return the first row, or None."""
        row: Row | None = self._db.execute(sql, values).fetchone()
        return row

    def all(self, sql: str, *values: Any) -> list[Row]:
        """Return all rows."""
        return self._db.execute(sql, values).fetchall()

    def count(self, sql: str, *values: Any) -> int:
        """Return the single number that the query gives."""
        return int(self._db.execute(sql, values).fetchone()[0])

    def run(self, sql: str, *values: Any) -> int:
        """Execute a statement; return the key of the row it inserted (only meaningful after an INSERT)."""
        return self._db.execute(sql, values).lastrowid or 0

    def changed(self, sql: str, *values: Any) -> int:
        """Execute a statement and return how many rows it touched."""
        return self._db.execute(sql, values).rowcount

    def insert(self, table: str, row: dict[str, Any]) -> int:
        """Insert (or replace) one row by column name and return its key; the names are never a client's."""
        marks = ", ".join("?" * len(row))
        return self.run(f"INSERT OR REPLACE INTO {table}({', '.join(row)}) VALUES({marks})", *row.values())

    def get(self, table: str, pk: int) -> Row:
        """Return the row of this key, which is there; the table's name is never a client's."""
        return self.all(f"SELECT * FROM {table} WHERE pk = ?", pk)[0]  # noqa: S608 - only names of our own are put in

    def update(self, table: str, pk: int, **values: Any) -> None:
        """Change one row by column name."""
        changes = ", ".join(f"{name} = ?" for name in values)
        self.run(f"UPDATE {table} SET {changes} WHERE pk = ?", *values.values(), pk)  # noqa: S608 - as above

    def setting(self, key: str) -> str | None:
        """Return a durable setting as text, or None."""
        row = self.one("SELECT value FROM settings WHERE key = ?", key)
        return None if row is None else str(row["value"])

    def set_setting(self, key: str, value: str | None) -> None:
        """Keep a durable setting; None removes it."""
        if value is None:
            self.run("DELETE FROM settings WHERE key = ?", key)
        else:
            self.run("INSERT OR REPLACE INTO settings(key, value) VALUES(?, ?)", key, value)

    def now(self) -> dt.datetime:
        """Return the back office's present: UTC plus the clock's offset; never the same moment twice."""
        self._last = max(dt.datetime.now(dt.UTC) + self.offset, self._last + dt.timedelta(microseconds=1))
        return self._last

    def stamp(self) -> str:
        """Return `now` as the API writes moments."""
        return stamp(self.now())

    def shift_clock(self, seconds: float) -> None:
        """Set the clock's offset from real time, durably; it may also go back."""
        self.set_setting("clock_offset", str(seconds))
        self.offset = dt.timedelta(seconds=seconds)
        self._last = dt.datetime.min.replace(tzinfo=dt.UTC)

    def wipe(self) -> None:
        """Forget everything but who is logged in; keys too, so the next order is the first again."""
        self.generation += 1
        for table in reversed(TABLES):
            if table != "tokens":
                self._db.execute(f"DROP TABLE IF EXISTS {table}")
        self._db.execute("DELETE FROM sqlite_sequence")
        self.offset = dt.timedelta()
        self._last = dt.datetime.min.replace(tzinfo=dt.UTC)
        self._create()

    def clear_ledger(self) -> None:
        """Begin an empty ledger; its rows can not be deleted one by one (a trigger forbids it)."""
        self._db.execute("DROP TABLE ledger")
        for statement in SCHEMA:
            self._db.execute(statement)

    def close(self) -> None:
        """Close the file."""
        self._db.close()


def pick(row: Row, *names: str) -> dict[str, Any]:
    """Return some of a row's columns by name."""
    return {name: row[name] for name in names}


def dump(value: Any) -> str:
    """Return JSON text as it is kept and sent; plain ASCII, so that any string survives."""
    return json.dumps(value, separators=(",", ":"))
