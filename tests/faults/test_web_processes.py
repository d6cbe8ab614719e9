"""The web server's own processes, real ones: a killed parent leaves nobody listening, a frozen child nobody waiting."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import httpx2
import pytest

from tests.processes import answers, find_free_port, make_environment, running, wait_until

#: One worker of the test run holds the processes.
pytestmark = [pytest.mark.xdist_group("processes"), pytest.mark.django_db]

#: What a frozen process may cost those whose connections it is handed.
LONGEST = 30.0


@contextmanager
def web(log: Path, **environment: str) -> Iterator[tuple[subprocess.Popen[bytes], int]]:
    port = find_free_port()
    folder = log.parent
    environment |= {"PORT": str(port), "WEB_PROCESSES": "2", "TMPDIR": str(folder)}
    values = make_environment("http://127.0.0.1:9", **environment)
    command = f'exec "{sys.executable}" -m aftercart web 2>>"{log}"'
    with running(["/bin/sh", "-c", command], values) as parent:
        wait_until(lambda: is_answering(port), 60)
        wait_until(lambda: len(list(folder.glob("aftercart-web-*/*"))) == 2, 60)  # both beat
        yield parent, port


def list_children(pid: int) -> list[int]:
    return [int(word) for word in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def list_hands(parent: int) -> list[int]:
    """List the processes in which Django works, of each web process one."""
    return [hands for child in list_children(parent) for hands in list_children(child)]


def is_running(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


def is_answering(port: int, *, timeout: float = 2) -> bool:
    return answers(f"http://127.0.0.1:{port}/healthz", timeout=timeout)


def is_listening(port: int) -> bool:
    with socket.socket() as client:
        client.settimeout(2)
        return client.connect_ex(("127.0.0.1", port)) == 0


def test_when_the_parent_is_killed_its_children_end_within_seconds(tmp_path: Path) -> None:
    with web(tmp_path / "log") as (parent, port):
        children = wait_until(lambda: len(found := list_children(parent.pid)) == 2 and found)
        hands = wait_until(lambda: len(found := list_hands(parent.pid)) == 2 and found)
        for pid in (children[0], hands[1]):
            os.kill(pid, signal.SIGSTOP)  # some are frozen as well

        parent.kill()
        parent.wait(10)

        wait_until(lambda: not any(map(is_running, [*children, *hands])), 10)
        wait_until(lambda: not is_listening(port), 10)


@pytest.mark.one_of("losses of a web process")
def test_a_frozen_process_is_replaced_and_costs_others_half_a_minute_at_most(tmp_path: Path) -> None:
    with web(tmp_path / "log") as (parent, port):
        frozen, other = wait_until(lambda: len(found := list_children(parent.pid)) == 2 and found)
        os.kill(frozen, signal.SIGSTOP)
        began = time.monotonic()

        wait_until(lambda: not is_running(frozen), LONGEST)
        wait_until(lambda: all(is_answering(port) for _ in range(20)), LONGEST)

        assert time.monotonic() - began < LONGEST
        assert is_running(other)
        wait_until(lambda: len(list_children(parent.pid)) == 2)
        assert f"Web process {frozen} has been silent" in (tmp_path / "log").read_text()


@pytest.mark.one_of("losses of a web process")
def test_a_web_process_with_frozen_hands_is_replaced_with_them(tmp_path: Path) -> None:
    with web(tmp_path / "log") as (parent, port):
        hands, other = wait_until(lambda: len(found := list_hands(parent.pid)) == 2 and found)
        os.kill(hands, signal.SIGSTOP)

        wait_until(lambda: not is_running(hands), LONGEST)
        wait_until(lambda: len(found := list_hands(parent.pid)) == 2 and hands not in found, LONGEST)

        assert is_answering(port)
        assert is_running(other)
        assert "has been silent" in (tmp_path / "log").read_text()


@pytest.mark.one_of("losses of a web process")
def test_a_web_process_ends_with_its_hands_and_is_replaced(tmp_path: Path) -> None:
    with web(tmp_path / "log") as (parent, port):
        child, other = wait_until(lambda: len(found := list_children(parent.pid)) == 2 and found)
        [hands] = wait_until(lambda: list_children(child))
        os.kill(hands, signal.SIGKILL)

        wait_until(lambda: not is_running(child), 10)
        wait_until(lambda: len(list_hands(parent.pid)) == 2, LONGEST)

        assert is_answering(port)
        assert is_running(other)


def test_an_outage_of_the_database_is_said_once_by_each_process_however_many_requests_meet_it(
    tmp_path: Path,
) -> None:
    nobody = f"postgresql://nobody@127.0.0.1:{find_free_port()}/nothing"

    def ask(port: int, kind: str) -> int:
        url = f"http://127.0.0.1:{port}/orders/completed/abc:def:ghi/"
        headers, cookies = {"Accept": kind}, {"sessionid": "s" * 32}
        return httpx2.get(url, headers=headers, cookies=cookies, timeout=60, verify=False).status_code

    with web(tmp_path / "log", DATABASE_URL=nobody) as (_parent, port), ThreadPoolExecutor(20) as pool:
        kinds = ["application/json", "text/html"] * 20
        statuses = list(pool.map(lambda kind: ask(port, kind), kinds))

    assert statuses == [503] * 40
    lines = (tmp_path / "log").read_text().splitlines()
    said = [line for line in lines if "The database is away" in line]
    assert 1 <= len(said) <= 3, said  # two web processes, and the one that started them
    assert "Traceback" not in "".join(lines)
    assert len(lines) <= 8, lines
