"""Assemble a local Aftercart: what `aftercart run` starts, and the demo that it shows."""

import http.client
import json
import os
import signal
import sys
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from typing import Any

from django.conf import settings
from django.core.management import call_command
from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)
from rich.text import Text

from aftercart.actions.intake.import_orders import (
    BadLinesFile,
    ImportResult,
    bad_lines_path,
    import_orders,
    open_lines,
)
from aftercart.actions.upkeep.rotate_keys import RotationResult, rotate_keys
from aftercart.command_setup import close_connections
from aftercart.demo.seed import seed_demo
from aftercart.demo.summary import demo_summary, sandbox_documents, shop_customers
from aftercart.lib import postgres
from aftercart.lib.clock import get_now
from aftercart.lib.garbage import collecting_rarely
from aftercart.lib.identity import has_own_accounts
from aftercart.lib.json_lines import measure_plain
from aftercart.lib.threads import switching_often
from aftercart.orders.models import Order
from aftercart.processes import (
    commerce_command,
    raise_descriptor_limit,
    sandbox_command,
    web_command,
    worker_command,
)
from aftercart.supervisor import Service, ServiceFailed, Supervisor

#: Beyond so many orders the sandbox is not told of all of them by itself.
_MOST_FOR_SANDBOX = 5000


def run_all() -> int:
    """Start everything, print what to open, and watch until stopped. Returns the exit code."""
    try:
        with _owning_database(), Supervisor() as supervisor:
            _start_database(supervisor)
            sandbox = _start_sandbox(supervisor)
            shop = _start_commerce(supervisor)
            prepare_database()
            raise_descriptor_limit()
            web = _serve(supervisor, "web", web_command(), settings.PORT, "/readyz")
            supervisor.start(Service("worker", worker_command()))
            if sandbox is not None:
                supervisor.wait_for(sandbox)
                _load_sandbox()
            if shop is not None:
                supervisor.wait_for(shop)
                _post(settings.COMMERCE_SANDBOX_PORT, "/sandbox/customers/", shop_customers())
            summary = summarise()
            supervisor.wait_for(web)
            describe_demo(summary)
            close_connections()  # the services have theirs
            supervisor.watch()
    except (ServiceFailed, postgres.PostgresError) as error:
        print(f"aftercart: {error}", file=sys.stderr)  # noqa: T201 - people read it in the terminal
        return 1
    except KeyboardInterrupt:
        return 130
    return 0


@contextmanager
def _owning_database() -> Iterator[None]:
    """Have the embedded database to ourselves until the supervisor has stopped it; do nothing for another one."""
    if not settings.IS_DATABASE_EMBEDDED:
        yield
        return
    postgres.prepare(settings.EMBEDDED_DATABASE)
    with postgres.owning(settings.EMBEDDED_DATABASE):
        yield


def _start_database(supervisor: Supervisor) -> None:
    if not settings.IS_DATABASE_EMBEDDED:
        return
    data = settings.EMBEDDED_DATABASE
    server = supervisor.start(
        Service(
            "postgres",
            postgres.server_command(data),
            is_ready=lambda: postgres.is_ready(data),
            stop_signal=signal.SIGINT,
            popen_options=postgres.popen_options(),
        )
    )
    supervisor.wait_for(server)
    postgres.create_database(data, postgres.DATABASE)


def _serve(supervisor: Supervisor, name: str, command: list[str], port: int, path: str) -> Service:
    """Start a server, which is ready once it answers at this path."""
    return supervisor.start(Service(name, command, is_ready=lambda: _answers(port, path)))


def _start_sandbox(supervisor: Supervisor) -> Service | None:
    if os.environ.get("OMNITRON_URL"):
        return None
    return _serve(supervisor, "sandbox", sandbox_command(), settings.SANDBOX_PORT, "/sandbox/health/")


def _start_commerce(supervisor: Supervisor) -> Service | None:
    """Start the sandbox's commerce backend, where accounts are the shop's and no other shop is named."""
    if has_own_accounts() or os.environ.get("COMMERCE_URL"):
        return None
    return _serve(supervisor, "shop", commerce_command(), settings.COMMERCE_SANDBOX_PORT, "/sandbox/health/")


def _load_sandbox() -> None:
    """Load our orders into the sandbox; those that it knows it keeps as they are there.

    An order that it refuses stops nobody: everything else is of use without it.
    """
    if Order.objects.count() > _MOST_FOR_SANDBOX:
        return
    body = {"channel_id": settings.OMNITRON_CHANNEL_ID, "orders": list(sandbox_documents())}
    refusal = _post(settings.SANDBOX_PORT, "/sandbox/orders/", body)
    if refusal:
        print(f"aftercart: the sandbox took none of the orders: {refusal}", file=sys.stderr)  # noqa: T201 - for the terminal


def prepare_database() -> None:
    """Migrate, and fill an empty database with the demo; in a local run only, since its log-ins are known."""
    call_command("migrate", interactive=False, verbosity=0)
    if settings.IS_LOCAL and not Order.objects.exists():
        seed_demo(get_now())


def summarise() -> dict[str, Any]:
    """Describe the demo, and write it to `demo.json` in the folder of local state."""
    summary: dict[str, Any] = demo_summary(
        settings.PUBLIC_URL, settings.OMNITRON_URL, settings.OMNITRON_CHANNEL_ID
    )
    path = settings.VAR / "demo.json"
    partial = path.with_suffix(".partial")
    partial.write_text(json.dumps(summary, indent=2, ensure_ascii=False))
    partial.replace(path)
    return summary


def describe_demo(summary: dict[str, Any]) -> None:
    """Print what to open."""
    base = summary["base_url"]
    staff = summary["staff"]
    rows = [("Shop", f"{base}/")]
    if not has_own_accounts():
        rows.append(("The shop's log-in", settings.LOGIN_URL))
    for customer in summary["customers"][:1]:  # none in a database that began with somebody's own orders
        rows += [
            ("A signed order link", customer["orders"]["cancellable"]["url"]),
            ("  log in as", f"{customer['email']} / {customer['password']}"),
        ]
    rows += [
        ("Back office", f"{base}/backoffice/"),
        ("  log in as", f"{staff['email']} / {staff['password']}"),
        ("E-mails", f"{base}/mail/kept/"),
        ("API documentation", f"{base}/api/docs/"),
        ("Omnitron", f"{summary['omnitron_url']}/"),
        ("All of the demo", str(settings.VAR / "demo.json")),
    ]
    # Plain lines: a link must stay whole when it is copied from a narrow terminal or a log.
    print("\nAftercart\n", *(f"  {name:<20} {text}" for name, text in rows), "", sep="\n", flush=True)  # noqa: T201 - people read it in the terminal


def _answers(port: int, path: str) -> bool:
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=2)
    try:
        connection.request("GET", path)
        return connection.getresponse().status == http.client.OK
    except OSError:
        return False
    finally:
        connection.close()


def _post(port: int, path: str, body: Any) -> str:
    """Post JSON to this machine; return what a refusal says, "" if there is none."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    try:
        connection.request("POST", path, json.dumps(body), {"Content-Type": "application/json"})
        response = connection.getresponse()
        is_refused = response.status >= http.client.BAD_REQUEST
        return response.read(500).decode(errors="replace") if is_refused else ""
    finally:
        connection.close()


def import_file(file: str) -> ImportResult:
    """Import a file of orders, with a progress bar and a file of bad lines beside it.

    Raises `OSError` when the file cannot be read.
    """
    lines = open_lines(file)
    guess = TotalGuess(measure_plain(file))
    columns = (
        SpinnerColumn(),
        MofNCompleteColumn(),
        TextColumn("orders"),
        _RateColumn(),
        TimeElapsedColumn(),
        TextColumn("left:"),
        TimeRemainingColumn(),
    )
    with (
        BadLinesFile(bad_lines_path(file)) as bad_lines,
        Progress(*columns, console=Console(stderr=True)) as progress,
        collecting_rarely(),
        switching_often(),
    ):
        task = progress.add_task("import", total=None)

        def advance(count: int) -> None:
            progress.advance(task, count)
            progress.update(task, total=guess.find_total(round(progress.tasks[task].completed)))

        return import_orders(guess.watch(lines), report_bad=bad_lines.report, progress=advance)


class TotalGuess:
    """Guesses how many orders a file of this size has by what has been read of it, which is more than was imported."""

    def __init__(self, size: int) -> None:
        self._size = size
        self._read = self._lines = 0
        self._is_in_lines: bool | None = None

    def watch(self, lines: Iterable[bytes]) -> Iterator[bytes]:
        """Pass lines on, and count them."""
        for line in lines:
            self._read += len(line) + 1
            self._lines += 1
            yield line

    def find_total(self, done: int) -> int | None:
        """Return how many there may be, once some are done; None of standard input, and of what is packed."""
        if self._is_in_lines is None:  # a JSON text is read whole before its first order is imported
            self._is_in_lines = self._read < self._size
        if not self._size:
            return None
        if not self._is_in_lines:
            return done
        return max(done, round(self._lines * self._size / min(self._read, self._size)))


def rotate_with_progress() -> RotationResult:
    """Encrypt account numbers anew, with a progress bar."""
    columns = (SpinnerColumn(), BarColumn(), MofNCompleteColumn(), TextColumn("values"), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True)) as progress:
        task = progress.add_task("rotate", total=None)
        return rotate_keys(lambda done, total: progress.update(task, completed=done, total=total))


def describe_rotation(result: RotationResult) -> str:
    """Say what became of the account numbers, and what that means for the keys."""
    text = f"{result.checked} values checked, {result.renewed} re-encrypted."
    if result.lost:
        return f"{text} No key opens {result.lost} of them: find the key, or let them expire."
    return f"{text} The newest key opens all of them; older keys can be removed."


class _RateColumn(ProgressColumn):
    """Orders a second, once there is a rate."""

    def render(self, task: Task) -> Text:
        """Write it."""
        return Text("" if task.speed is None else f"{task.speed:,.0f}/s")


def describe_import(result: ImportResult, file: str) -> str:
    """Say how an import went, in a sentence."""
    parts = [
        f"{result.created} created, {result.updated} updated",
        f"{result.unchanged} unchanged, {result.kept} kept because newer here",
    ]
    if result.bad:
        parts.append(f"{result.bad} bad lines: see {bad_lines_path(file)}")
    if result.doubtful:
        parts.append(f"{result.doubtful} whose amounts do not add up: see {bad_lines_path(file)}")
    return ", ".join(parts)
