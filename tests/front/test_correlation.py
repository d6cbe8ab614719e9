"""One id from the proxy to the worker's calls: whoever reads the logs finds all that one request began."""

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from aftercart.cancellations.models import Submission
from tests.faults.conftest import make_scenario
from tests.processes import answers, find_free_port, make_environment, running, wait_until
from tests.remote.sandbox_process import running as running_sandbox

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.xdist_group("front")]

REQUEST_ID = "edge/4711"


def read_calls(log: Path, ending: str) -> list[dict[str, Any]]:
    """List the log's lines about calls of this path."""
    lines = [json.loads(line) for line in log.read_text().splitlines() if line.startswith("{")]
    return [
        line for line in lines if line["logger"] == "aftercart.omnitron" and f"{ending} " in line["event"]
    ]


def test_a_request_id_goes_from_the_proxy_to_the_workers_calls(tmp_path: Path) -> None:
    port = find_free_port()
    with running_sandbox(tmp_path / "omnitron.sqlite3") as sandbox:
        environment = make_environment(
            sandbox.base_url,
            PORT=str(port),
            TRUSTED_PROXY="true",
            LOG_LEVEL="INFO",
            LOG_FORMAT="json",
            VERIFY_GRACE_SECONDS="1",
        )
        web_log, worker_log = tmp_path / "web.log", tmp_path / "worker.log"
        with web_log.open("wb") as web, worker_log.open("wb") as worker:
            with running([sys.executable, "-m", "aftercart", "web"], environment, web):
                wait_until(lambda: answers(f"http://127.0.0.1:{port}/healthz"), 60)
                scenario = make_scenario(sandbox, f"http://127.0.0.1:{port}")
                sandbox.control("faults", {"call": "order_cancel", "kind": "drop_after"})
                scenario.shop_client.client.headers["X-Request-ID"] = REQUEST_ID

                answer = scenario.cancel()

            submission = Submission.objects.get()
            assert (answer.status_code, answer.headers["x-request-id"]) == (200, REQUEST_ID)
            assert submission.state == Submission.State.UNKNOWN
            with running([sys.executable, "-m", "aftercart", "worker"], environment, worker):
                wait_until(lambda: Submission.objects.get().state == Submission.State.APPLIED, 60)

    expected = (REQUEST_ID, str(submission.uuid))
    [sent] = read_calls(web_log, "/cancel/")
    assert (sent["request_id"], sent["submission"]) == expected
    looked = read_calls(worker_log, "/orders/")
    assert expected in {(line["request_id"], line.get("submission")) for line in looked}
    assert all(line["request_id"] for line in looked)
