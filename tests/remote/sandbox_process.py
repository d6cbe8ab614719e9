"""The Omnitron sandbox as a real process on a free port, and a client that knows its way around."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Self

import httpx2

ROOT = Path(__file__).parents[2]
USERNAME, PASSWORD = "aftercart", "sandbox"
CHANNEL = "/api/v1/channel/1"


class SandboxProcess:
    """One running server with its client."""

    def __init__(self, store: Path, *arguments: str) -> None:
        self.store = store
        command = [
            sys.executable,
            "-m",
            "aftercart_sandbox",
            "--port",
            "0",
            "--store",
            str(store),
            *arguments,
        ]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        found = re.search(r"http://\S+:\d+", line)
        assert found, f"the sandbox did not start: {line!r}"
        self.base_url = found[0]
        # It is plain HTTP: to read the certificates would take longer than the calls.
        self.client = httpx2.Client(base_url=self.base_url, timeout=30, verify=False)

    def log_in(self) -> Self:
        """Use a fresh token from now on."""
        answer = self.client.post("/api/v1/auth/login/", json={"username": USERNAME, "password": PASSWORD})
        self.client.headers["Authorization"] = f"Token {answer.json()['key']}"
        return self

    def get(self, path: str, **query: Any) -> Any:
        """Return the JSON of a GET below the channel."""
        return self.client.get(f"{CHANNEL}/{path}", params=query).raise_for_status().json()

    def post(self, path: str, body: Any) -> httpx2.Response:
        """POST JSON below the channel."""
        return self.client.post(f"{CHANNEL}/{path}", json=body)

    def control(self, name: str, body: Any) -> Any:
        """Return the JSON of a control that is POSTed."""
        return self.client.post(f"/sandbox/{name}/", json=body).raise_for_status().json()

    def load(self, *orders: dict[str, Any], **options: Any) -> Any:
        """Load order documents and return the counts."""
        return self.control("orders", {"channel_id": 1, "orders": list(orders), **options})

    def order(self, number: str) -> Any:
        """Return an order by its number."""
        return self.get("orders/", number=number)["results"][0]

    def items(self, number: str) -> Any:
        """Return an order's items, oldest first."""
        return self.get("order_items/", order=self.order(number)["pk"], sort="id", limit=100)["results"]

    def cancel(self, number: str, reasons: Mapping[int, int], /, **fields: Any) -> httpx2.Response:
        """Cancel items of an order; ``reasons`` is item pk to reason pk."""
        pk = self.order(number)["pk"]
        body = {"order": pk, "is_all": False, "cancel_items": list(reasons), "forced_refund_amount": None}
        body |= {"reasons": {str(item): reason for item, reason in reasons.items()}, "is_cargo_refund": False}
        body |= {"refund_invoice_number": None, "ibans": {}, "holder_names": {}}
        return self.post(f"orders/{pk}/cancel/", body | fields)

    def ledger(self, number: str) -> Any:
        """Return the ledger's rows of one order."""
        return self.client.get("/sandbox/ledger/", params={"order": number}).json()["results"]

    def calls(self, **query: Any) -> Any:
        """Return the logged calls."""
        return self.client.get("/sandbox/calls/", params=query).json()["results"]

    def close(self) -> None:
        """Stop the server as an operator would, and wait for it."""
        self.client.close()
        self.process.terminate()
        self.process.communicate(timeout=60)

    def kill(self) -> None:
        """Kill -9."""
        self.client.close()
        self.process.kill()
        self.process.communicate(timeout=60)


@contextmanager
def running(store: Path, *arguments: str) -> Iterator[SandboxProcess]:
    """Start a server, log in, and stop it at the end."""
    server = SandboxProcess(store, *arguments)
    try:
        yield server.log_in()
    finally:
        server.close()


def item_document(key: int, *, quantity: int = 1, status: str = "400", **fields: Any) -> dict[str, Any]:
    """Return one line of an order as the shop writes it (contract section 6)."""
    product = {"pk": key + 90_000, "sku": f"SKU-{key}", "name": "Linen shirt"}
    line = {"id": key, "status": {"value": status, "label": "…"}, "price": "49.90", "quantity": quantity}
    return line | {"product": product} | fields


def order_document(
    key: int = 17, *items: dict[str, Any], status: str = "400", **fields: Any
) -> dict[str, Any]:
    """Return an order as the shop writes it; without items it has two, ``key * 10 + 1`` and ``+ 2``."""
    lines = list(items) or [item_document(key * 10 + place, status=status) for place in (1, 2)]
    return {
        "id": key,
        "number": f"ORD-2024-{key:06}",
        "status": {"value": status, "label": "…"},
        "currency": {"value": "try", "label": "TL"},
        "amount": "109.70",
        "shipping_amount": "9.90",
        "shipping_address": {"pk": 5, "line": "Old Street 1"},
        "payment_option": {"pk": 1, "name": "Card", "payment_type": "credit_card", "slug": "card"},
        "created_date": "2026-01-01T10:00:00+03:00",
        "orderitem_set": lines,
    } | fields
