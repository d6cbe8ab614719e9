"""A whole Aftercart with customers who cancel: what bench/cancellations.py measures. Wants Django set up."""

import http.client
import itertools
import json
import multiprocessing
import os
import socket
import statistics
import sys
import threading
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Self

from django.test import Client
from procrastinate.contrib.django.models import ProcrastinateJob

from aftercart.accounts.models import User
from aftercart.actions.sync.sync_order import sync_order
from aftercart.cancellations.models import CancellationReason
from aftercart.omnitron.connect import read_configuration
from aftercart.omnitron.http import HttpOmnitron
from aftercart.oms.connect import replace_client
from aftercart.orders.models import Order
from tests.processes import ShopClient, answers, find_free_port, make_environment, running, wait_until
from tests.remote.sandbox_process import SandboxProcess, item_document, order_document
from tests.remote.sandbox_process import running as running_sandbox
from tests.shop import Line, get_items, make_order, make_reason
from tests.statements import recording_statements

_ITEMS = 4
_numbers = itertools.count(1)
_START_SECONDS = 60
#: So many that no reading in the background is put off to a later minute: the jobs are part of what is measured.
_READS = 1_000_000
#: Seconds between two reads.
_PAUSE = 0.005
#: Steps by which Omnitron and its customers' clients stand back: they would be other machines.
_NICENESS = 15
#: Of these jobs a cancellation makes one or more.
_JOBS = (
    "aftercart.sync_order",
    "aftercart.send_email",
    "aftercart.deliver_request",
    "aftercart.verify_submission",
)


class Customer:
    """A logged-in customer with orders, over one kept connection."""

    def __init__(self, port: int, user: User, orders: Sequence[Order], reason: int) -> None:
        cookies = ShopClient(f"http://127.0.0.1:{port}").enter(user).client.cookies
        self.cookies = f"sessionid={cookies['sessionid']}; csrftoken={cookies['csrftoken']}"
        self._headers = {
            "Cookie": self.cookies, "X-CSRFToken": cookies["csrftoken"],
            "Content-Type": "application/json", "Accept": "application/json",
        }  # fmt: skip
        self._port = port
        self.first_order = orders[0].pk
        self.asks = [
            (order.number, {"order_item": item.pk, "reason": reason, "cancellation_type": "cancel"})
            for order in orders
            for item in get_items(order)
        ]

    def cancel_all(self, count: int | None = None) -> list[tuple[int, float]]:
        """Cancel so many items, one after the other; status and milliseconds of each."""
        connection = http.client.HTTPConnection("127.0.0.1", self._port, timeout=60)
        found = []
        for _number in range(len(self.asks) if count is None else count):
            number, ask = self.asks.pop(0)
            began = time.perf_counter()
            body = json.dumps({"cancel_order_items": [ask]})
            connection.request("POST", f"/orders/{number}/cancel/", body, self._headers)
            answer = connection.getresponse()
            answer.read()
            found.append((answer.status, (time.perf_counter() - began) * 1000))
        connection.close()
        return found


@dataclass(slots=True)
class Shop:
    """The processes, by name their ids, and how to make customers."""

    sandbox: SandboxProcess
    port: int
    pids: dict[str, int]
    reason: CancellationReason = field(default_factory=lambda: make_reason("cancel"))

    @property
    def client(self) -> HttpOmnitron:
        """Make a client of the sandbox for this process."""
        return HttpOmnitron(replace(read_configuration(), url=self.sandbox.base_url))

    def make_customers(self, count: int, orders: int) -> list[Customer]:
        """Make customers with so many orders of four items each, whose ids at Omnitron are known."""
        made = []
        client = self.client
        for _number in range(count):
            user = _make_customer()
            theirs = [make_order(user, *[Line()] * _ITEMS) for _order in range(orders)]
            self.sandbox.load(*(_describe(order) for order in theirs))
            for order in theirs:
                sync_order(order.pk, client)
            made.append(Customer(self.port, user, theirs, self.reason.pk))
        return made

    def wait_for_jobs(self) -> None:
        """Wait until the worker has done what the cancellations left to it."""
        jobs = ProcrastinateJob.objects.filter(status__in=["todo", "doing"], task_name__in=_JOBS)
        wait_until(lambda: not jobs.exists(), 300)

    def count_calls(self) -> int:
        """Return the number of the last call that Omnitron got."""
        return max((row["n"] for row in self.sandbox.calls(limit=1)), default=0)

    def count_connections(self) -> int:
        """Return how many connections Omnitron has seen."""
        count: int = self.sandbox.client.get("/sandbox/network/").json()["connections"]
        return count

    def read_cpu(self) -> dict[str, float]:
        """Return the processor's seconds of each kind of process so far."""
        own = os.times()
        return {
            **{name: _read_tree(pid) for name, pid in self.pids.items()},
            "clients": own.user + own.system,
        }


def _make_customer() -> User:
    """Make a customer without a password, whose hash would take longer than all the rest."""
    return User.objects.create_user(f"canceller{next(_numbers)}@example.com", None)


def _describe(order: Order) -> dict[str, Any]:
    items = [
        item_document(item.pk, price=str(item.price), product={"sku": item.sku, "name": "Shirt"})
        for item in get_items(order)
    ]
    return order_document(order.pk, *items, number=order.number)


@contextmanager
def running_shop(folder: Path) -> Iterator[Shop]:
    """Run sandbox, web server and worker with default settings."""
    with ExitStack() as stack:
        sandbox = stack.enter_context(running_sandbox(folder / "omnitron.sqlite3"))
        for thread in Path(f"/proc/{sandbox.process.pid}/task").iterdir():
            _stand_back(int(thread.name))
        port = find_free_port()
        values = make_environment(sandbox.base_url, PORT=str(port), OMNITRON_READS_PER_MINUTE=str(_READS))
        aftercart = [sys.executable, "-m", "aftercart"]
        web = stack.enter_context(running([*aftercart, "web"], values))
        worker = stack.enter_context(running([*aftercart, "worker"], values))
        wait_until(lambda: answers(f"http://127.0.0.1:{port}/healthz"), _START_SECONDS)
        postgres = int(next((folder / "postgres").rglob("postmaster.pid")).read_text().split("\n", 1)[0])
        pids = {"web": web.pid, "worker": worker.pid, "sandbox": sandbox.process.pid, "PostgreSQL": postgres}
        yield Shop(sandbox, port, pids)


def together(customers: Sequence[Customer], count: int | None = None) -> list[tuple[int, float]]:
    """Have customers cancel at the same time, a thread each; status and milliseconds of all."""
    found: list[tuple[int, float]] = []

    def cancel(customer: Customer) -> None:
        _stand_back(threading.get_native_id())
        found.extend(customer.cancel_all(count))

    threads = [threading.Thread(target=cancel, args=(customer,)) for customer in customers]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return found


def _stand_back(thread: int) -> None:
    """Have one thread stand back, and what it starts from then on: on Linux, each has a niceness of its own."""
    os.setpriority(os.PRIO_PROCESS, thread, _NICENESS)


def _read_tree(pid: int) -> float:
    """Return the processor's seconds of a process and of all below it, of those that have ended, too."""
    below = [int(child) for task in Path(f"/proc/{pid}/task").iterdir() for child in _read_children(task)]
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    own = sum(int(value) for value in fields[11:15]) / os.sysconf("SC_CLK_TCK")
    return own + sum(_read_tree(child) for child in below)


def _read_children(task: Path) -> list[str]:
    return (task / "children").read_text().split()


class Reading:
    """Readers of an order as JSON, in a process of their own, for as long as the block lasts."""

    def __init__(self, port: int, customer: Customer) -> None:
        request = (
            f"GET /users/orders/{customer.first_order}/ HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: application/json\r\n"
            f"Cookie: {customer.cookies}\r\n\r\n"
        )
        self._stop = multiprocessing.Event()
        self._found: multiprocessing.Queue[float] = multiprocessing.Queue()
        self._process = multiprocessing.Process(target=_read, args=(port, request, self._stop, self._found))
        self.p99 = 0.0

    def __enter__(self) -> Self:
        """Begin to read."""
        self._process.start()
        return self

    def __exit__(self, *_error: object) -> None:
        """Take the p99, in milliseconds."""
        self._stop.set()
        self.p99 = self._found.get(timeout=60)
        self._process.join()


def _read(port: int, request: str, stop: Any, found: Any) -> None:
    """Read with a pause between, so that readers do not fill the machine by themselves."""
    durations = []
    with socket.create_connection(("127.0.0.1", port)) as client:
        while not stop.is_set():
            began = time.perf_counter()
            client.sendall(request.encode())
            received = b""
            while b"\r\n\r\n" not in received or not _is_whole(received):
                received += client.recv(65536)
            assert received[9:12] == b"200", received[:200]
            durations.append((time.perf_counter() - began) * 1000)
            time.sleep(_PAUSE)
    found.put(statistics.quantiles(durations, n=100)[98])


def _is_whole(received: bytes) -> bool:
    head, _, body = received.partition(b"\r\n\r\n")
    length = next(line for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    return len(body) >= int(length.split(b":")[1])


def count_statements(shop: Shop, items: int) -> list[int]:
    """Cancel so many items of one order in this process; count the statements of each transaction."""
    user = _make_customer()
    order = make_order(user, *[Line()] * items)
    shop.sandbox.load(_describe(order))
    client = shop.client
    sync_order(order.pk, client)
    asks = [
        {"order_item": item.pk, "reason": shop.reason.pk, "cancellation_type": "cancel"}
        for item in get_items(order)
    ]
    browser = Client(HTTP_HOST="127.0.0.1")
    browser.force_login(user, backend="django.contrib.auth.backends.ModelBackend")
    body = json.dumps({"cancel_order_items": asks})
    with replace_client(client), recording_statements() as statements:
        answer = browser.post(f"/orders/{order.number}/cancel/", body, content_type="application/json")
    assert answer.status_code == 204, answer.content
    shop.wait_for_jobs()
    return statements.transactions
