import socket
import sqlite3
import subprocess
import sys
import threading
from pathlib import Path

import httpx2
import pytest

from tests.remote.sandbox_process import CHANNEL, ROOT, SandboxProcess, order_document, running

NUMBER = "ORD-2024-000017"
FIRST, SECOND = 700001, 700002


def test_what_was_answered_survives_kill_9(tmp_path: Path) -> None:
    store = tmp_path / "omnitron.sqlite3"
    first = SandboxProcess(store).log_in()
    first.load(order_document(17))
    assert first.cancel(NUMBER, {FIRST: 1}).status_code == 200
    first.control("faults", {"call": "order_read", "kind": "status", "times": 2})
    first.control("clock", {"offset_seconds": 3600})
    token = first.client.headers["Authorization"]
    calls = first.calls()
    first.kill()
    with running(store) as second:
        assert second.calls()[: len(calls)] == calls
        assert [item["status"] for item in second.items(NUMBER)] == ["50", "400"]
        assert [row["cancels_accepted"] for row in second.ledger(NUMBER)] == [1, 0]
        assert second.client.get("/api/v1/active_user/", headers={"Authorization": token}).status_code == 200
        assert second.client.get("/sandbox/health/").json()["offset_seconds"] == 3600
        assert second.client.get(f"{CHANNEL}/orders/500001/").status_code == 502
        assert second.cancel(NUMBER, {FIRST: 1}).json()["code"] == "order_cancel_100_1"
        assert second.cancel(NUMBER, {SECOND: 1}).status_code == 200


def test_a_kill_in_the_middle_leaves_each_cancellation_whole_or_not_there(tmp_path: Path) -> None:
    store = tmp_path / "omnitron.sqlite3"
    server = SandboxProcess(store).log_in()
    orders = 200
    server.load(*(order_document(key) for key in range(1, orders + 1)))
    answered: list[int] = []
    enough = threading.Event()

    def cancel_one_after_the_other() -> None:
        try:
            for place in range(orders):
                item = 700001 + place * 2
                body = {"cancel_items": [item], "reasons": {str(item): 1}}
                if server.post(f"orders/{500001 + place}/cancel/", body).status_code == 200:
                    answered.append(item)
                if len(answered) == 25:
                    enough.set()
        except httpx2.TransportError:
            pass

    thread = threading.Thread(target=cancel_one_after_the_other)
    thread.start()
    assert enough.wait(10)
    server.process.kill()
    thread.join()
    server.kill()
    with running(store) as again:
        rows = again.client.get("/sandbox/ledger/").json()["results"]
        accepted = {row["item_pk"] for row in rows if row["cancels_accepted"]}
        waiting = {row["pk"] for row in again.client.get("/sandbox/decide/").json()["items"]}
        applied = {
            call["body"]["cancel_items"][0] for call in again.calls(call="order_cancel") if call["applied"]
        }
        assert accepted == waiting == applied
        assert set(answered) <= accepted
        assert len(accepted) <= len(answered) + 1
        assert max(row["cancels_accepted"] for row in rows) == 1


def test_the_ledger_can_not_be_rewritten(tmp_path: Path) -> None:
    store = tmp_path / "omnitron.sqlite3"
    with running(store) as server:
        server.load(order_document(17))
        server.cancel(NUMBER, {FIRST: 1})
    database = sqlite3.connect(store)
    for statement in ("DELETE FROM ledger", "UPDATE ledger SET unit = 9"):
        with pytest.raises(sqlite3.IntegrityError, match="append-only"):
            database.execute(statement)
    database.close()


def test_it_stops_at_once_although_clients_hang(tmp_path: Path) -> None:
    server = SandboxProcess(tmp_path / "omnitron.sqlite3").log_in()
    server.control("faults", {"call": "*", "kind": "hang", "times": -1})
    with pytest.raises(httpx2.ReadTimeout):
        server.client.get(f"{CHANNEL}/orders/", timeout=0.1)
    hanging = threading.Thread(target=_get_and_lose, args=(server,))
    hanging.start()
    while len(server.calls(call="orders_list")) < 2:
        assert hanging.is_alive()
    server.process.terminate()
    assert server.process.wait(timeout=60) == 0
    hanging.join()
    server.close()


def _get_and_lose(server: SandboxProcess) -> None:
    with pytest.raises(httpx2.TransportError):
        httpx2.get(f"{server.base_url}{CHANNEL}/orders/", timeout=120)


def test_the_help_teaches(tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-m", "aftercart_sandbox", "--help"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    for taught in ("--port", "--store", "--token-life", "SANDBOX_USERNAME", "/sandbox/faults/", "examples:"):
        assert taught in done.stdout
    assert not list(tmp_path.iterdir())


def test_a_client_that_dies_in_the_middle_of_its_request_is_no_error(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    with running(tmp_path / "omnitron.sqlite3") as server:
        address = httpx2.URL(server.base_url)
        with socket.create_connection((address.host, address.port)) as client:
            head = f"POST {CHANNEL}/orders/1/cancel/ HTTP/1.1\r\nHost: sandbox\r\nContent-Length: 100\r\n\r\n"
            client.sendall(head.encode() + b'{"order": 1')
        assert server.client.get("/sandbox/health/").status_code == 200
        assert server.calls(call="order_cancel") == []
    assert "Traceback" not in capfd.readouterr().err
