"""The processes of a trial: started, killed, and started again by whoever holds the cluster (one thread)."""

import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import quote

from aftercart.lib import failpoints, postgres
from tests.faults.harness.program import Program
from tests.postgres import copy_cluster

ROOT = Path(__file__).parents[3]
CHANNEL = 1
#: Short, so that a minute holds many lives. What is injected never outlasts the grace (see chaos).
TIMES = {
    "OMNITRON_DIALOGUE_SECONDS": "2",
    "OMNITRON_CONNECT_SECONDS": "1",
    "OMNITRON_BREAKER_SECONDS": "2",
    "OMNITRON_POLL_SECONDS": "5",
    "OMNITRON_READS_PER_MINUTE": "100000",  # what comes of faults is to be seen within seconds
    "VERIFY_GRACE_SECONDS": "8",
}
#: Every commit survives the crashes of a trial: the machine itself does not fail.
_POSTGRES_OPTIONS = (
    "synchronous_commit=on",
    "max_connections=150",
    "max_wal_size=128MB",
    "min_wal_size=32MB",
)
#: What a trial's database takes, and some room: a disk that can be filled.
_DISK_MEGABYTES = 1024
_PAGE = 4096
_START_SECONDS = 300.0


class Cluster:
    """All processes of a trial, in a folder. Not for several threads."""

    def __init__(self, folder: Path, ports: Sequence[int], mutation: str) -> None:
        self.folder = folder
        self._disk = folder / "disk"
        #: Whether the database has a disk of its own, which can be filled: only root can mount one.
        self.has_small_disk = False
        self.data = self._disk / "postgres"
        self.failpoints = folder / "failpoints"
        self.web_ports = tuple(ports[:2])
        self.sandbox_port = ports[2]
        self.mutation = mutation
        # What Aftercart reaches through wires that can be cut: a port for Omnitron, a folder for PostgreSQL's socket.
        self._wire_port = ports[3]
        self._wire_folder = Path(tempfile.mkdtemp(prefix="wire-"))
        self.kills: Counter[str] = Counter()
        self.deaths: list[str] = []
        #: When the database was away: (from, to), in seconds since the epoch.
        self.outages: list[tuple[float, float]] = []
        self.programs: list[Program] = []
        self.frozen: set[int] = set()
        self.cut: set[str] = set()
        for name in ("armed", "fired", "logs"):
            (self.failpoints / name if name != "logs" else folder / name).mkdir(parents=True, exist_ok=True)

    @property
    def database_url(self) -> str:
        """Where the database is, for a `DATABASE_URL`."""
        return _make_database_url(postgres.get_socket_folder(self.data))

    @property
    def is_calm(self) -> bool:
        """Whether every process runs and every wire is whole."""
        return not self.frozen and not self.cut

    def make_environment(self, name: str, **more: str) -> dict[str, str]:
        """Make the environment of one process."""
        return {
            **os.environ,
            **TIMES,
            "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
            "PYTHONUNBUFFERED": "1",
            "DJANGO_SETTINGS_MODULE": "tests.faults.harness.settings",
            "AFTERCART_VAR": str(self.folder / "var"),
            "DATABASE_URL": self.database_url,
            "PGAPPNAME": name,
            "SECRET_KEY": "the secret of a trial that nobody else will ever see",
            "OMNITRON_URL": f"http://127.0.0.1:{self.sandbox_port}",
            "LOG_LEVEL": "WARNING",
            "LOG_FORMAT": "text",
            "AFTERCART_TRIAL_MUTATION": self.mutation,
            **more,
        }

    def start_database(self) -> None:
        """Start a PostgreSQL that is migrated; before Django is set up, whose settings name it."""
        self._mount_disk()
        copy_cluster(self._disk, ROOT / ".pytest_cache")
        postgres.prepare(self.data)
        command = postgres.server_command(self.data, _POSTGRES_OPTIONS)
        environment, options = dict(os.environ), postgres.popen_options()
        self._add("postgres", "postgres", command, environment, stop_signal=signal.SIGINT, options=options)
        postgres.wait_until_ready(self.data, self.get("postgres").process)

    def _mount_disk(self) -> None:
        self._disk.mkdir(exist_ok=True)
        command = ["mount", "-t", "tmpfs", "-o", f"size={_DISK_MEGABYTES}m", "tmpfs", str(self._disk)]
        self.has_small_disk = os.geteuid() == 0 and subprocess.run(command, check=False).returncode == 0

    def fill_disk(self) -> None:
        """Take all that is left of the database's disk."""
        self.kills["disk: full"] += 1
        size, step = 0, _DISK_MEGABYTES << 20
        with (self._disk / "filler").open("wb") as filler:
            while step >= _PAGE:  # ever smaller pieces, as long as there is room for them
                try:
                    os.posix_fallocate(filler.fileno(), size, step)
                    size += step
                except OSError:
                    step //= 2

    def free_disk(self) -> None:
        """Give it back."""
        (self._disk / "filler").unlink(missing_ok=True)

    def list_database_pids(self) -> list[int]:
        """List PostgreSQL's processes, the one that starts the others first."""
        parent = self.get("postgres").pid
        found = subprocess.run(["ps", "-o", "pid=", "--ppid", str(parent)], capture_output=True, check=False)
        return [parent, *(int(pid) for pid in found.stdout.split())]

    def start_sandbox(self) -> None:
        """Start the Omnitron sandbox, and wait for it."""
        store = str(self.folder / "omnitron.sqlite3")
        command = [
            sys.executable,
            "-m",
            "aftercart_sandbox",
            "--port",
            str(self.sandbox_port),
            "--store",
            store,
        ]
        self._add("sandbox", "sandbox", command, self.make_environment("sandbox"), port=self.sandbox_port)
        self.wait_for_sandbox()

    def start_wires(self) -> None:
        """Start what Aftercart reaches Omnitron and PostgreSQL through."""
        socket_name = ".s.PGSQL.5432"
        database = postgres.get_socket_folder(self.data) / socket_name
        ends = {
            "omnitron": (str(self._wire_port), str(self.sandbox_port)),
            "database": (str(self._wire_folder / socket_name), str(database)),
        }
        for name, (near, far) in ends.items():
            command = [sys.executable, "-m", "tests.faults.harness.wire", near, far]
            self._add(f"wire-{name}", "wire", command, self.make_environment(f"wire-{name}"))
        wait_until(lambda: answers(self._wire_port, "/sandbox/health/"), "the wire to Omnitron")
        wait_until((self._wire_folder / socket_name).exists, "the wire to the database")

    def start_aftercart(self) -> None:
        """Start web servers and workers, and wait for the web."""
        armed = {
            failpoints.VARIABLE: str(self.failpoints),
            "DATABASE_URL": _make_database_url(self._wire_folder),
            "OMNITRON_URL": f"http://127.0.0.1:{self._wire_port}",
        }
        python = [sys.executable, "-m", "aftercart"]
        for number, port in enumerate(self.web_ports, start=1):
            name = f"web-{number}"
            environment = self.make_environment(name, PORT=str(port), WEB_PROCESSES="1", **armed)
            self._add(name, "web", [*python, "web"], environment, port=port)
        for number in (1, 2):
            name = f"worker-{number}"
            self._add(name, "worker", [*python, "worker"], self.make_environment(name, **armed))
        for port in self.web_ports:
            wait_until(lambda port=port: answers(port, "/readyz"), f"the web server on {port}")  # type: ignore[misc]  # bound at once, for the loop goes on

    def _add(
        self, name: str, kind: str, command: Sequence[str], environment: Mapping[str, str], **more: Any
    ) -> None:
        log = self.folder / "logs" / f"{name}.log"
        program = Program(name, kind, command, environment, log, **more)
        self.programs.append(program)
        program.start()

    def get(self, name: str) -> Program:
        """Give a program by its name."""
        return next(program for program in self.programs if program.name == name)

    def of_kind(self, kind: str) -> list[Program]:
        """Give the programs of a kind."""
        return [program for program in self.programs if program.kind == kind]

    def wait_for_sandbox(self) -> None:
        """Wait until the sandbox answers."""
        wait_until(lambda: answers(self.sandbox_port, "/sandbox/health/"), "the sandbox")

    def revive(self) -> None:
        """Start again what has died: by a failpoint, or (which is reported) by itself."""
        for program in self.programs:
            if not program.has_ended():
                continue
            assert program.process is not None
            code = program.process.returncode
            if program.kind == "web" and code == 1 and program.gave_up():
                self.kills["web: gave up, its child killed twice"] += 1
            elif code != -signal.SIGKILL:
                # Whatever ends by itself says so last; we may look much later. It may also say nothing.
                at = max(program.log.stat().st_mtime, program.seen_at)
                self.deaths.append(f"{at:.2f} {program.name} ended by itself with {code}")
            program.kill()
            program.start()

    def kill_program(self, program: Program) -> None:
        """Kill one with its children, and start it again; the database and the sandbox are waited for."""
        self.kills[f"{program.kind}: kill -9"] += 1
        program.kill()
        program.start()
        if program.kind == "sandbox":
            self.wait_for_sandbox()

    def freeze(self, pids: Iterable[int]) -> list[int]:
        """Stop processes where they are; give those that were there to be stopped."""
        stopped = [pid for pid in pids if _signal(pid, signal.SIGSTOP)]
        self.frozen.update(stopped)
        return stopped

    def thaw(self, pids: Iterable[int]) -> None:
        """Let stopped processes go on, if they have not been killed."""
        for pid in pids:
            _signal(pid, signal.SIGCONT)
            self.frozen.discard(pid)

    def cut_wire(self, name: str) -> None:
        """Cut a wire; what is sent while it is cut arrives later, or not at all."""
        self._signal_wire(name, "cut", signal.SIGUSR1)

    def hold_wire(self, name: str) -> None:
        """Hold the connections that a wire carries, and let new ones pass."""
        self._signal_wire(name, "held", signal.SIGHUP)

    def _signal_wire(self, name: str, fault: str, number: signal.Signals) -> None:
        self.kills[f"wire-{name}: {fault}"] += 1
        self.cut.add(name)
        _signal(self.get(f"wire-{name}").pid, number)

    def heal_wire(self, name: str) -> None:
        """Heal a wire."""
        _signal(self.get(f"wire-{name}").pid, signal.SIGUSR2)
        self.cut.discard(name)

    @contextmanager
    def outage(self) -> Iterator[None]:
        """Note that the database is away, and wait until it is back."""
        began = time.time()
        yield
        postgres.wait_until_ready(self.data, self.get("postgres").process)
        self.outages.append((began, time.time()))

    def restart_database(self) -> None:
        """Stop PostgreSQL at once, without a checkpoint, and start it again: it recovers from its log."""
        self.kills["postgres: immediate restart"] += 1
        program = self.get("postgres")
        assert program.process is not None
        with self.outage():
            program.process.send_signal(signal.SIGQUIT)
            program.process.wait(30)
            # Its folder another run of pytest may have closed to others meanwhile.
            postgres.prepare(self.data)
            program.start()

    def crash_backend(self, pid: int) -> None:
        """Kill one of PostgreSQL's own processes: it then ends all connections and recovers by itself."""
        self.kills["postgres: backend kill -9"] += 1
        with self.outage():
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
            time.sleep(0.3)  # until it has noticed, it still says that it is ready

    def stop(self) -> None:
        """Stop everything, the database last."""
        self.thaw(list(self.frozen))
        for program in reversed(self.programs):
            program.stop()
        shutil.rmtree(self._wire_folder, ignore_errors=True)
        if self.has_small_disk:
            kept = self.folder / "postgres"
            shutil.copytree(self.data, kept)  # what is looked at after a violation
            subprocess.run(["umount", str(self._disk)], check=True)


def _make_database_url(folder: Path) -> str:
    return f"postgresql://{postgres.ROLE}@{quote(str(folder), safe='')}/{postgres.DATABASE}"


def _signal(pid: int, number: signal.Signals) -> bool:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return False
    return True


def find_free_port() -> int:
    """Find a port that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def answers(port: int, path: str) -> bool:
    """Return whether a server answers 200."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except (OSError, http.client.HTTPException):
        return False
    finally:
        connection.close()


def wait_until(condition: Callable[[], bool], what: str) -> None:
    """Wait for a truth; raise `TimeoutError` when it does not come."""
    end = time.monotonic() + _START_SECONDS
    while not condition():
        if time.monotonic() > end:
            raise TimeoutError(f"{what} did not come within {_START_SECONDS:.0f} s")
        time.sleep(0.05)
