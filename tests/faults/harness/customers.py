"""What customers do, as the storefront's client does it for them, and the journal of what they were told."""

import http.client
import itertools
import json
import random
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import Any

from aftercart.lib.fingerprints import list_fingerprints
from tests.faults.harness.stock import Bought, Customer, Stock

#: The storefront sends a failed POST so many times in all.
_TRIES = 4
_TIMEOUT = 20.0
_CANCEL = "/orders/{number}/cancel/"
_REQUESTS = "/users/orders/bulk_cancellation_requests/"
_ADDRESS = "/orders/change-address/"
SUCCESS = range(200, 300)
#: Customers pause beyond so many jobs that wait: what two workers do within seconds.
_MOST_WAITING_JOBS = 80


def make_draw(*seed: float) -> random.Random:
    """Make a source of chance that a seed repeats."""
    return random.Random(":".join(map(str, seed)))  # noqa: S311 - repeatable, not secret


@dataclass(frozen=True, slots=True)
class Attempt:
    """One sending of a write. No status: no answer came; `code` then says how it ended."""

    at: float
    took: float
    status: int | None
    code: str = ""
    body: Any = None


@dataclass(slots=True)
class CustomerRequest:
    """One thing that a customer wants: a body, sent once or several times, and every answer."""

    kind: str
    user: int
    order: int
    number: str
    path: str
    body: dict[str, Any]
    key: str = ""
    items: tuple[int, ...] = ()
    attempts: list[Attempt] = field(default_factory=list)

    @property
    def fingerprint(self) -> str:
        """How Aftercart recognises it: a keyed digest of path and body."""
        body = json.dumps(self.body, sort_keys=True, separators=(",", ":"))
        return list_fingerprints(self.path, body)[0]

    @property
    def successes(self) -> list[Attempt]:
        """The answers that promise something."""
        return [attempt for attempt in self.attempts if attempt.status in SUCCESS]

    @property
    def outcome(self) -> str:
        """What became of it in the customer's eyes."""
        statuses = [attempt.status for attempt in self.attempts]
        best = next((status for status in statuses if status in SUCCESS), None)
        last = best or statuses[-1]
        return "no answer" if last is None else f"{last} {self.attempts[-1].code if best is None else ''}"


class Journal:
    """Everything that was asked and answered; customers of all threads write in it."""

    def __init__(self) -> None:
        self.asked_for: list[CustomerRequest] = []
        self.reads: list[Attempt] = []


class Crowd:
    """Customers at work, each in a thread of its own, until they are sent home."""

    def __init__(self, stock: Stock, journal: Journal, ports: Sequence[int], seed: int) -> None:
        self._stock, self._journal, self._ports = stock, journal, ports
        self._home = threading.Event()
        self._may_go_on = threading.Event()
        self._marks = itertools.count(1)
        self._threads = [
            threading.Thread(target=self._live, args=(customer, make_draw(seed, n)), daemon=True)
            for n, customer in enumerate(stock.customers)
        ]
        self.failures: list[BaseException] = []

    def start(self) -> None:
        """Let them in."""
        for thread in self._threads:
            thread.start()

    def pace(self, waiting_jobs: int) -> bool:
        """Let customers act only while the workers keep up, and return whether they do."""
        if waiting_jobs > _MOST_WAITING_JOBS:
            self._may_go_on.clear()
        else:
            self._may_go_on.set()
        return self._may_go_on.is_set()

    def stop(self) -> None:
        """Send them home, and wait until the last has had its answer."""
        self._home.set()
        self._may_go_on.set()
        for thread in self._threads:
            thread.join()
        if self.failures:
            raise self.failures[0]

    def _live(self, customer: Customer, draw: random.Random) -> None:
        scripts: list[tuple[int, Callable[[Customer, Bought, random.Random], None]]] = [
            (30, self._cancel),
            (12, self._replay),
            (12, self._send_with_key),
            (14, self._race),
            (10, self._request),
            (14, self._move),
            (6, self._ask_nonsense),
            (10, self._look),
        ]
        weights = [weight for weight, _ in scripts]
        try:
            for order in itertools.cycle(customer.orders):
                for _ in range(draw.randint(2, 5)):
                    self._may_go_on.wait()
                    if self._home.wait(draw.expovariate(1 / 0.15)):
                        return
                    draw.choices(scripts, weights)[0][1](customer, order, draw)
        except BaseException as error:  # noqa: BLE001 - told by stop()
            self.failures.append(error)

    # --- what they do

    def _cancel(self, customer: Customer, order: Bought, draw: random.Random) -> None:
        self._send(customer, self._make_cancellation(customer, order, draw), draw)

    def _replay(self, customer: Customer, order: Bought, draw: random.Random) -> None:
        """Click twice, or thrice, at once: the same body."""
        asked = self._make_cancellation(customer, order, draw)
        self._send_together(customer, [asked] * draw.randint(2, 3), draw)

    def _send_with_key(self, customer: Customer, order: Bought, draw: random.Random) -> None:
        asked = self._make_cancellation(customer, order, draw)
        asked.key = f"key-{next(self._marks)}"
        self._send(customer, asked, draw)
        if draw.random() < 0.5:
            self._send(customer, asked, draw)
        if draw.random() < 0.3:
            other = self._make_cancellation(customer, order, draw)
            other.key = asked.key
            self._send(customer, other, draw)

    def _race(self, customer: Customer, order: Bought, draw: random.Random) -> None:
        """Ask in several tabs at once, for different things of one order."""
        asked_for = [self._make_cancellation(customer, order, draw) for _ in range(draw.randint(2, 4))]
        if draw.random() < 0.3:
            asked_for.append(self._make_move(customer, order, draw))
        self._send_together(customer, asked_for, draw)

    def _request(self, customer: Customer, order: Bought, draw: random.Random) -> None:
        asked = self._make_cancellation(customer, order, draw)
        asked.kind, asked.path = "request", _REQUESTS
        self._send(customer, asked, draw)

    def _move(self, customer: Customer, order: Bought, draw: random.Random) -> None:
        self._send(customer, self._make_move(customer, order, draw), draw)

    def _ask_nonsense(self, customer: Customer, order: Bought, draw: random.Random) -> None:
        asked = self._make_cancellation(customer, order, draw)
        entry = asked.body["cancel_order_items"][0]
        match draw.randrange(4):
            case 0:
                entry["reason"] = 999_999
            case 1:
                entry["quantity"] = 1_000
            case 2:
                entry["cancellation_type"] = "refund" if entry["cancellation_type"] == "cancel" else "cancel"
            case _:
                stranger = draw.choice([c for c in self._stock.customers if c is not customer] or [customer])
                asked.number = draw.choice(stranger.orders).number
                asked.path = _CANCEL.format(number=asked.number)
        self._send(customer, asked, draw)

    def _look(self, customer: Customer, order: Bought, draw: random.Random) -> None:
        path = draw.choice((f"/users/orders/{order.pk}/", "/users/orders/?limit=5"))
        self._journal.reads.append(self._call(customer, "GET", path, None, "", draw.choice(self._ports)))

    # --- how they do it

    def _make_cancellation(self, customer: Customer, order: Bought, draw: random.Random) -> CustomerRequest:
        pks = list(order.items)
        chosen = draw.sample(pks, draw.choice((1, 1, 1, 2, len(pks))))
        kind = "refund" if order.is_shipped else "cancel"
        mark = f"wish {next(self._marks)}"
        body: dict[str, Any] = {"cancel_order_items": []}
        for pk in chosen:
            entry = {"order_item": pk, "cancellation_type": kind, "description": mark}
            entry["reason"] = self._stock.reasons[kind].pk
            if order.items[pk] > 1 and draw.random() < 0.4:
                entry["quantity"] = draw.randint(1, order.items[pk])
            if kind == "refund":
                entry["shipping_company"] = self._stock.company.pk
            body["cancel_order_items"].append(entry)
        if kind == "refund":
            body["pickup_address"] = customer.addresses[0]
        if draw.random() < 0.25:
            body["fully_refund_as_loyalty_money"] = True
        return CustomerRequest(
            "cancel", customer.user.pk, order.pk, order.number, _CANCEL.format(number=order.number), body,
            items=tuple(chosen),
        )  # fmt: skip

    def _make_move(self, customer: Customer, order: Bought, draw: random.Random) -> CustomerRequest:
        body: dict[str, Any] = {"order": order.pk, "address": draw.choice(customer.addresses)}
        body["note"] = f"wish {next(self._marks)}"  # ignored by the API, but part of the fingerprint
        return CustomerRequest("address", customer.user.pk, order.pk, order.number, _ADDRESS, body)

    def _send_together(
        self, customer: Customer, asked_for: Sequence[CustomerRequest], draw: random.Random
    ) -> None:
        draws = [make_draw(draw.random()) for _ in asked_for]
        with ThreadPoolExecutor(len(asked_for)) as pool:
            for future in [
                pool.submit(self._send, customer, *pair) for pair in zip(asked_for, draws, strict=True)
            ]:
                future.result()

    def _send(self, customer: Customer, asked: CustomerRequest, draw: random.Random) -> None:
        """Send a request as the storefront does: again after a lost answer or a 5xx, without a thought."""
        if not asked.attempts:
            self._journal.asked_for.append(asked)
        for _ in range(_TRIES):
            port = draw.choice(self._ports)
            attempt = self._call(customer, "POST", asked.path, asked.body, asked.key, port)
            asked.attempts.append(attempt)
            if attempt.status is not None and attempt.status < http.client.INTERNAL_SERVER_ERROR:
                return
            time.sleep(draw.uniform(0.1, 0.8))

    @staticmethod
    def _call(customer: Customer, method: str, path: str, body: Any, key: str, port: int) -> Attempt:
        headers = {
            "Accept": "application/json",
            "Content-Type": "application/json",
            "Cookie": f"sessionid={customer.session}; csrftoken={'c' * 32}",
            "X-CSRFToken": "c" * 32,
            "X-Requested-With": "XMLHttpRequest",
        }
        if key:
            headers["Idempotency-Key"] = key
        began = time.time()
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT)
        try:
            connection.request(method, path, None if body is None else json.dumps(body), headers)
            response = connection.getresponse()
            text = response.read()
        except (OSError, http.client.HTTPException) as error:
            return Attempt(began, time.time() - began, None, type(error).__name__)
        finally:
            connection.close()
        try:
            answer = json.loads(text) if text else None
        except ValueError:
            answer = text[:500].decode(errors="replace")
        code = str(answer.get("code", "")) if isinstance(answer, dict) else ""
        return Attempt(began, time.time() - began, response.status, code, answer)
