"""The sandbox's commerce backend as a real process on a free port."""

import os
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import httpx2

from tests.remote.sandbox_process import ROOT


class CommerceProcess:
    """One running server with its client."""

    def __init__(self, *arguments: str) -> None:
        command = [sys.executable, "-m", "aftercart_sandbox.commerce", "--port", "0", *arguments]
        environment = os.environ | {"PYTHONPATH": str(ROOT)}
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=ROOT, env=environment)
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        found = re.search(r"http://\S+:\d+", line)
        assert found, f"the shop did not start: {line!r}"
        self.base_url = found[0]
        self.client = httpx2.Client(base_url=self.base_url, timeout=30, verify=False)

    def load(self, *customers: dict[str, Any]) -> None:
        """Load customers."""
        self.client.post("/sandbox/customers/", json=customers).raise_for_status()

    def load_orders(self, *orders: dict[str, Any]) -> None:
        """Load order documents."""
        self.client.post("/sandbox/orders/", json=orders).raise_for_status()

    def log_in(self, email: str, password: str) -> str:
        """Log in as the storefront's server does; the session key."""
        answer = self.client.post("/users/login/", json={"email": email, "password": password})
        self.client.cookies.clear()
        return str(answer.raise_for_status().json()["key"])

    def log_out(self, key: str) -> None:
        """Log a session out."""
        self.client.get("/users/logout/", headers={"Cookie": f"sessionid={key}"}).raise_for_status()

    def fail(self, kind: str, **options: Any) -> None:
        """Be slow, or down."""
        self.client.post("/sandbox/faults/", json={"kind": kind, **options}).raise_for_status()

    def recover(self) -> None:
        """Be well again."""
        self.client.delete("/sandbox/faults/").raise_for_status()

    def count_asked(self) -> int:
        """Count how often it was asked whose a session is."""
        return int(self.client.get("/sandbox/health/").json()["asked"])

    def stop(self) -> None:
        """End the process."""
        self.client.close()
        self.process.terminate()
        self.process.wait(10)
        assert self.process.stdout is not None
        self.process.stdout.close()


@contextmanager
def running_commerce(*arguments: str) -> Iterator[CommerceProcess]:
    """Run one for a while."""
    shop = CommerceProcess(*arguments)
    try:
        yield shop
    finally:
        shop.stop()
