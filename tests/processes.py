"""Aftercart's own processes, as real ones: on free ports, on the test's database, against a sandbox."""

import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, Any

import httpx2
from django.conf import settings
from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.db import connection
from django.test import override_settings

from aftercart.accounts.models import User
from aftercart.accounts.sessions import SessionStore
from aftercart.processes import raise_descriptor_limit, web_command

ROOT = Path(__file__).parents[1]
_START_SECONDS = 120.0
#: Settings that the web server is told on its command line.
_OF_WEB_COMMAND = {"PORT": int, "WEB_PROCESSES": int, "WEB_HTTP": str, "WEB_HEADER_SECONDS": float}


def find_free_port() -> int:
    """Find a port that nobody listens on now."""
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port: int = listener.getsockname()[1]
        return port


def wait_until(condition: Callable[[], Any], seconds: float = 60.0) -> Any:
    """Wait for a truth, and give it; fail when it does not come."""
    end = time.monotonic() + seconds
    while True:
        found = condition()
        if found:
            return found
        assert time.monotonic() < end, "it did not happen in time"
        time.sleep(0.02)


def make_environment(omnitron_url: str, **more: str) -> dict[str, str]:
    """Make the environment of a process that works on this test's database."""
    database = settings.DATABASES["default"]
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_database()")
        name = cursor.fetchone()[0]
    host = database["HOST"].replace("/", "%2F").replace(" ", "%20")
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
        "DJANGO_SETTINGS_MODULE": "aftercart.settings",
        "DATABASE_URL": f"postgresql://{database['USER']}@{host}/{name}",
        "OMNITRON_URL": omnitron_url,
        "SECRET_KEY": settings.SECRET_KEY,
        "LOG_LEVEL": "ERROR",
        **more,
    }


@contextmanager
def running(
    command: list[str], environment: dict[str, str], log: IO[bytes] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process of its own session, and make sure that all of it ends; its log may go into a file."""
    process = subprocess.Popen(command, env=environment, start_new_session=True, stderr=log)
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(60)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)


@contextmanager
def running_web(omnitron_url: str, **environment: str) -> Iterator[str]:
    """Run the real web server, with one process unless told otherwise; give its address.

    It is what `aftercart web` becomes: that command sets Django up only to find this one, a third of a start.
    """
    port = find_free_port()
    values = make_environment(omnitron_url, **{"PORT": str(port), "WEB_PROCESSES": "1", **environment})
    with override_settings(
        **{name: kind(values[name]) for name, kind in _OF_WEB_COMMAND.items() if name in values}
    ):
        raise_descriptor_limit()
        command = web_command()
    with running(command, values):
        wait_until(lambda: answers(f"http://127.0.0.1:{port}/healthz"), _START_SECONDS)
        yield f"http://127.0.0.1:{port}"


@contextmanager
def running_worker(omnitron_url: str, **environment: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a real worker."""
    values = make_environment(omnitron_url, **environment)
    with running([sys.executable, "-m", "aftercart", "worker"], values) as process:
        yield process


def answers(url: str, *, timeout: float = 2) -> bool:
    """Return whether a page answers with 200."""
    try:  # without certificates: to read them at each try would take half of a processor from what is starting
        return httpx2.get(url, timeout=timeout, trust_env=False, verify=False).status_code == 200
    except httpx2.HTTPError:
        return False


def answers_at_all(port: int) -> bool:
    """Return whether somebody listens on a port of this machine."""
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


class ShopClient:
    """A customer's client over real HTTP: JSON, cookies, CSRF, as the storefront's proxy sends them."""

    def __init__(self, base_url: str) -> None:
        # No connection is kept, so that there is nothing to close; and no certificates are read, which takes longer
        # than the calls, none of which needs them.
        limits = httpx2.Limits(max_keepalive_connections=0)
        self.client = httpx2.Client(
            base_url=base_url, timeout=60, trust_env=False, limits=limits, verify=False
        )

    def enter(self, user: User) -> "ShopClient":
        """Be logged in, without the cost of hashing a password."""
        session = SessionStore()
        session.update(
            {
                SESSION_KEY: str(user.pk),
                BACKEND_SESSION_KEY: settings.AUTHENTICATION_BACKENDS[0],  # as a log-in does
                HASH_SESSION_KEY: user.get_session_auth_hash(),
            }
        )
        session.save()
        self.client.cookies.update({"sessionid": session.session_key or "", "csrftoken": "c" * 32})
        return self

    def post(self, path: str, body: Any, **headers: str) -> httpx2.Response:
        """POST JSON."""
        token = self.client.cookies.get("csrftoken") or ""
        headers = {"Accept": "application/json", "X-CSRFToken": token, **headers}
        return self.client.post(path, json=body, headers=headers)

    def get(self, path: str) -> httpx2.Response:
        """GET JSON."""
        return self.client.get(path, headers={"Accept": "application/json"})

    def cancel(self, number: str, item: int, reason: int, **fields: Any) -> httpx2.Response:
        """Cancel one item."""
        entry = {"order_item": item, "reason": reason, "cancellation_type": "cancel", **fields}
        return self.post(f"/orders/{number}/cancel/", {"cancel_order_items": [entry]})
