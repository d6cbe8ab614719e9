"""The one connection on which the front asks: many at once, long answers, failures."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any
from unittest import mock

import psycopg
import pytest
from django.db import connection

from aftercart.front.lane import Lane, LaneLost

pytestmark = pytest.mark.django_db(transaction=True)


def run_lane(statements: dict[bytes, bytes], use: Callable[[Lane], Awaitable[Any]]) -> Any:
    """Use a lane with other statements."""

    async def run() -> Any:
        parameters = connection.get_connection_params()
        lane = Lane(lambda: psycopg.connect(**{**parameters, "autocommit": True}), statements)
        try:
            await lane._open(asyncio.get_running_loop())
            return await use(lane)
        finally:
            lane.close()

    return asyncio.run(run())


def test_many_who_ask_at_once_get_each_their_own_answer() -> None:
    async def use(lane: Lane) -> list[Any]:
        return await asyncio.gather(*(lane.ask(b"echo", [str(n).encode()]) for n in range(300)))

    rows = run_lane({b"echo": b"SELECT $1::text WHERE $1::text <> '7'"}, use)
    assert rows == [[] if n == 7 else [(str(n).encode(),)] for n in range(300)]


def test_an_answer_longer_than_any_buffer_is_whole() -> None:
    async def use(lane: Lane) -> Any:
        return await asyncio.gather(*(lane.ask(b"long", [b"x" * 300_000]) for _ in range(5)))

    assert run_lane({b"long": b"SELECT repeat($1::text, 10)"}, use) == [[(b"x" * 3_000_000,)]] * 5


def test_a_statement_that_fails_or_takes_too_long_leaves_nobody_waiting() -> None:
    async def use(lane: Lane) -> list[Any]:
        with mock.patch("aftercart.front.lane._PATIENCE", 0.2):
            slow = await asyncio.gather(
                lane.ask(b"sleep", [b"2"]), lane.ask(b"divide", [b"1"]), return_exceptions=True
            )
        lane._retry_at = 0.0
        await lane._open(asyncio.get_running_loop())
        return [*slow, *await asyncio.gather(lane.ask(b"divide", [b"0"]), return_exceptions=True)]

    statements = {b"sleep": b"SELECT pg_sleep($1::float)", b"divide": b"SELECT 1 / $1::int"}
    assert [type(found) for found in run_lane(statements, use)] == [LaneLost, LaneLost, LaneLost]
