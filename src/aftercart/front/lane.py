"""One connection to PostgreSQL for an event loop: prepared statements, sent one after the other without waiting.

libpq's pipeline mode, watched by the loop itself: no thread is taken, and nothing is set up for each statement. When
anything goes wrong, everybody who waits gets the error, and the connection is made anew.
"""

import asyncio
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import psycopg
from psycopg.pq import ExecStatus

#: Seconds after which an answer is not waited for any more, and between two tries to connect.
_PATIENCE: Final = 2.0
_PAUSE: Final = 1.0
_BINARY: Final = 1

Row = tuple[bytes | None, ...]


class LaneLost(Exception):
    """There is no connection, or what was asked has no answer."""


class Lane:
    """For its event loop's thread only."""

    def __init__(
        self, connect: Callable[[], psycopg.Connection[Any]], statements: Mapping[bytes, bytes]
    ) -> None:
        self._connect = connect
        self._statements = statements
        self._connection: psycopg.Connection[Any] | None = None
        #: Of the connection; libpq forgets it once it is lost, and the loop must not watch it any more.
        self._socket = -1
        self._waiting: deque[tuple[asyncio.Future[list[Row]], float]] = deque()
        self._rows: list[Row] = []
        self._opening: asyncio.Task[None] | None = None
        self._retry_at = 0.0
        self._watch: asyncio.TimerHandle | None = None

    async def ask(self, statement: bytes, parameters: Sequence[bytes]) -> list[Row]:
        """Return the rows of a statement's answer, as PostgreSQL's binary values.

        Raises `LaneLost`, at once while there is no connection.
        """
        loop = asyncio.get_running_loop()
        if self._connection is None:
            if self._opening is None and loop.time() >= self._retry_at:
                self._opening = loop.create_task(self._open(loop))
            raise LaneLost
        answer: asyncio.Future[list[Row]] = loop.create_future()
        self._waiting.append((answer, loop.time()))
        try:
            # Parameters are texts, of which PostgreSQL knows the types.
            self._connection.pgconn.send_query_prepared(statement, parameters, result_format=_BINARY)
            self._connection.pgconn.pipeline_sync()
            self._flush(loop)
        except psycopg.Error:
            self.close()
        if self._watch is None:
            self._watch = loop.call_later(_PATIENCE, self._look)
        return await answer

    async def _open(self, loop: asyncio.AbstractEventLoop) -> None:
        self._retry_at = loop.time() + _PAUSE
        try:
            connection = await asyncio.to_thread(self._prepare)
        except (psycopg.Error, OSError):
            return
        finally:
            self._opening = None
        self._connection, self._socket = connection, connection.pgconn.socket
        loop.add_reader(self._socket, self._read)

    def _prepare(self) -> psycopg.Connection[Any]:
        connection = self._connect()
        for name, statement in self._statements.items():
            result = connection.pgconn.prepare(name, statement)
            if result.status != ExecStatus.COMMAND_OK:
                connection.close()
                raise psycopg.OperationalError("a statement could not be prepared")
        connection.pgconn.nonblocking = 1
        connection.pgconn.enter_pipeline_mode()
        return connection

    def _flush(self, loop: asyncio.AbstractEventLoop) -> None:
        """Send what is to be sent; the rest as soon as the connection takes more."""
        assert self._connection is not None  # noqa: S101 - whoever calls this has just used it
        if self._connection.pgconn.flush():
            loop.add_writer(self._socket, self._go_on, loop)
        else:
            loop.remove_writer(self._socket)

    def _go_on(self, loop: asyncio.AbstractEventLoop) -> None:
        try:
            self._flush(loop)
        except psycopg.Error:
            self.close()

    def _read(self) -> None:
        assert self._connection is not None  # noqa: S101 - it is watched for as long as it is there
        pgconn = self._connection.pgconn
        try:
            pgconn.consume_input()
            while self._waiting and not pgconn.is_busy():
                self._take(pgconn.get_result())
        except psycopg.Error:
            self.close()

    def _take(self, result: Any) -> None:
        """Take a part of the oldest answer: its rows, the end of them (None), and the end of the statement."""
        if result is None:
            return
        match result.status:
            case ExecStatus.TUPLES_OK:
                columns = range(result.nfields)
                self._rows = [
                    tuple(result.get_value(row, column) for column in columns)
                    for row in range(result.ntuples)
                ]
            case ExecStatus.PIPELINE_SYNC:
                answer, _since = self._waiting.popleft()
                rows, self._rows = self._rows, []
                if not answer.done():
                    answer.set_result(rows)
            case _:  # whatever it is, what is prepared may be of another schema by now
                raise psycopg.OperationalError("a statement failed")

    def _look(self) -> None:
        """Give up what takes too long: the other end may be frozen, or cut off."""
        self._watch = None
        if not self._waiting:
            return
        loop = asyncio.get_running_loop()
        if loop.time() - self._waiting[0][1] >= _PATIENCE:
            self.close()
        else:
            self._watch = loop.call_later(_PATIENCE, self._look)

    def close(self) -> None:
        """Close the connection; who waits for an answer gets none."""
        connection, self._connection, self._rows = self._connection, None, []
        if connection is not None:
            loop = asyncio.get_event_loop()
            loop.remove_reader(self._socket)
            loop.remove_writer(self._socket)
            connection.close()
        while self._waiting:
            answer, _since = self._waiting.popleft()
            if not answer.done():
                answer.set_exception(LaneLost())
