"""A web server that is stopped finishes what it serves, and does not wait for clients that never will."""

import signal
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from tests.faults.conftest import make_scenario
from tests.front.connections import held, write_request
from tests.processes import answers, find_free_port, make_environment, running, wait_until
from tests.remote.sandbox_process import running as running_sandbox

pytestmark = pytest.mark.django_db(transaction=True)


@contextmanager
def running_server(omnitron_url: str) -> Iterator[tuple[subprocess.Popen[bytes], str]]:
    port = find_free_port()
    environment = make_environment(omnitron_url, PORT=str(port), WEB_PROCESSES="1", WEB_BODY_SECONDS="3")
    with running([sys.executable, "-m", "aftercart", "web"], environment) as process:
        wait_until(lambda: answers(f"http://127.0.0.1:{port}/healthz"), 60)
        yield process, f"http://127.0.0.1:{port}"


def test_a_stopped_server_answers_what_it_has_begun(tmp_path: Path) -> None:
    unfinished = write_request("POST /users/login/", "Content-Length: 50", body=b"{")
    with (
        running_sandbox(tmp_path / "omnitron.sqlite3") as sandbox,
        running_server(sandbox.base_url) as (
            process,
            base_url,
        ),
    ):
        scenario = make_scenario(sandbox, base_url)
        sandbox.control("faults", {"call": "order_cancel", "kind": "latency", "seconds": 2})
        results: list[Any] = []
        number, item, reason = scenario.order.number, scenario.items[0].pk, scenario.reason.pk
        client = threading.Thread(
            target=lambda: results.append(scenario.shop_client.cancel(number, item, reason))
        )
        with held(base_url, 20, unfinished), held(base_url, 20, b""):
            client.start()
            wait_until(lambda: sandbox.calls(call="order_cancel"), 20)
            began = time.monotonic()
            process.send_signal(signal.SIGTERM)
            client.join(20)
            process.wait(20)

    assert [answer.status_code for answer in results] == [204]
    assert time.monotonic() - began < 15
