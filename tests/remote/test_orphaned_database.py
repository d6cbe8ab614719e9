"""The embedded PostgreSQL after a run that was killed: the next one takes its data over, and only then."""

import os
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import psycopg
import pytest

from aftercart.lib import postgres
from aftercart.lib.postgres import PostgresError, owning, running
from tests.processes import find_free_port

#: Serves a data folder as a run does, until it is killed; nothing tells its server of that.
RUN = """
import subprocess, sys
from pathlib import Path
from aftercart.lib import postgres
data = Path(sys.argv[1])
with postgres.owning(data):
    server = subprocess.Popen(
        postgres.server_command(data), start_new_session=True, stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL, **postgres.popen_options()
    )
    postgres.wait_until_ready(data, server)
    print(server.pid, flush=True)
    server.wait()
"""


@pytest.fixture
def data(tmp_path: Path) -> Path:
    folder = tmp_path / "postgres"
    postgres.prepare(folder)
    return folder


@pytest.fixture
def run(data: Path) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """Have a run, with the process id of its server; neither outlives the test."""
    process = subprocess.Popen([sys.executable, "-c", RUN, str(data)], stdout=subprocess.PIPE, text=True)
    with process, ExitStack() as stack:
        assert process.stdout is not None
        server = int(process.stdout.readline())
        stack.callback(stop, server)
        stack.callback(process.kill)
        yield process, server


def stop(pid: int) -> None:
    try:
        os.kill(pid, signal.SIGINT)
    except ProcessLookupError:
        return


def wait_until_gone(server: int) -> None:
    """Wait until the processes of a killed server have noticed."""
    pause = threading.Event()
    for _ in range(600):
        said = subprocess.run(
            ["ps", "-o", "stat=", "-g", str(server)], capture_output=True, text=True, check=False
        )
        if all(state.startswith("Z") for state in said.stdout.split()):
            return
        pause.wait(0.1)
    pytest.fail("they did not end within a minute")


def execute(data: Path, statement: str) -> list[tuple[object, ...]]:
    with psycopg.connect(
        host=str(postgres.get_socket_folder(data)), user=postgres.ROLE, dbname=postgres.DATABASE
    ) as connection:
        done = connection.execute(statement)
        return done.fetchall() if done.description else []


def get_server(data: Path) -> int:
    return int((data / "postmaster.pid").read_text().split()[0])


def test_a_server_that_a_killed_run_has_left_is_stopped_and_its_data_served_on(
    data: Path, run: tuple[subprocess.Popen[str], int]
) -> None:
    process, server = run
    execute(data, "CREATE TABLE kept AS SELECT 1 AS one")
    process.kill()
    process.wait()
    assert postgres.is_ready(data)  # nobody has told it
    assert get_server(data) == server

    with owning(data):
        assert not (data / "postmaster.pid").exists()
    with running(data):
        assert get_server(data) != server
        assert execute(data, "SELECT one FROM kept") == [(1,)]


def test_a_server_whose_run_lives_is_left_alone_and_the_next_run_says_so(
    data: Path, run: tuple[subprocess.Popen[str], int]
) -> None:
    with (
        pytest.raises(PostgresError, match=r"Another Aftercart is running in .* gives this one its own\."),
        owning(data),
    ):
        pytest.fail("two own it")

    assert get_server(data) == run[1]
    assert execute(data, "SELECT 1") == [(1,)]
    with running(data):  # a command beside the run uses its server
        assert get_server(data) == run[1]
    assert postgres.is_ready(data)


def test_a_server_that_is_killed_with_its_run_is_recovered(
    data: Path, run: tuple[subprocess.Popen[str], int]
) -> None:
    process, server = run
    execute(data, "CREATE TABLE kept AS SELECT 1 AS one")
    os.kill(server, signal.SIGKILL)
    process.wait()
    wait_until_gone(server)
    assert (data / "postmaster.pid").exists()

    with running(data):
        assert execute(data, "SELECT one FROM kept") == [(1,)]


def test_a_process_that_bears_the_id_of_a_crashed_server_by_now_is_not_stopped(data: Path) -> None:
    with subprocess.Popen([sys.executable, "-c", "import time; time.sleep(600)"]) as stranger:
        (data / "postmaster.pid").write_text(f"{stranger.pid}\n{data}\n0\n5432\n{data}\n\n0\nready\n")
        with owning(data):
            assert stranger.poll() is None
        stranger.kill()
    (data / "postmaster.pid").unlink()


@contextmanager
def running_all(folder: Path, ports: dict[str, str]) -> Iterator["subprocess.Popen[bytes]"]:
    """Run what `make run` runs, until it says what to open; kill it in the end, if it still runs."""
    environment = {
        **os.environ,
        **ports,
        "AFTERCART_VAR": str(folder),
        "WEB_PROCESSES": "1",
        "DATABASE_URL": "",
    }
    log = folder / "run.log"
    with log.open("wb") as said:
        process = subprocess.Popen(
            [sys.executable, "-m", "aftercart", "run"], env=environment, stdout=said, stderr=said
        )
    try:
        pause = threading.Event()
        while b"All of the demo" not in log.read_bytes():
            assert process.poll() is None, log.read_text()
            pause.wait(0.2)
        yield process
    finally:
        process.kill()
        process.wait()


@pytest.mark.deep
@pytest.mark.timeout(600)
def test_the_run_after_a_run_that_was_killed_serves_the_same_shop(tmp_path: Path) -> None:
    """On the same ports, at once: what the killed one had started has to go first."""
    ports = {name: str(find_free_port()) for name in ("PORT", "SANDBOX_PORT")}
    data = tmp_path / "postgres"

    with running_all(tmp_path, ports):
        first = get_server(data)
        orders = execute(data, "SELECT count(*) FROM orders_order")

    with running_all(tmp_path, ports) as process:
        assert get_server(data) != first
        assert execute(data, "SELECT count(*) FROM orders_order") == orders
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == 0
    assert not (data / "postmaster.pid").exists()
