from collections.abc import Iterator

import httpx2
import pytest

from tests.remote.sandbox_process import SandboxProcess, running

FAR = {"call_seconds": 0.2, "connection_seconds": 0.3}


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with running(tmp_path_factory.mktemp("sandbox") / "omnitron.sqlite3") as server:
        yield server


@pytest.fixture
def sandbox(process: SandboxProcess) -> SandboxProcess:
    process.control("reset", {})
    return process.log_in()


def measure(client: httpx2.Client) -> float:
    answer = client.get("/api/v1/active_user/")
    return answer.elapsed.total_seconds()


def test_a_call_takes_its_distance_and_a_new_connection_another(sandbox: SandboxProcess) -> None:
    sandbox.control("network", FAR)
    with httpx2.Client(base_url=sandbox.base_url, verify=False) as client:
        assert measure(client) >= 0.5
        assert measure(client) >= 0.2


def test_connections_are_counted(sandbox: SandboxProcess) -> None:
    before = sandbox.client.get("/sandbox/network/").json()["connections"]
    with httpx2.Client(base_url=sandbox.base_url, verify=False) as client:
        measure(client)
        measure(client)
    after = sandbox.client.get("/sandbox/network/").json()
    assert after == {"call_seconds": 0.0, "connection_seconds": 0.0, "connections": before + 1}


def test_a_reset_brings_it_back(sandbox: SandboxProcess) -> None:
    assert sandbox.control("network", FAR).items() >= FAR.items()
    sandbox.control("reset", {})
    near = sandbox.client.get("/sandbox/network/").json()
    assert (near["call_seconds"], near["connection_seconds"]) == (0.0, 0.0)


@pytest.mark.parametrize("seconds", [-1, 61, "x", True])
def test_what_is_no_delay_is_refused(sandbox: SandboxProcess, seconds: object) -> None:
    answer = sandbox.client.post("/sandbox/network/", json={"call_seconds": seconds})
    assert answer.status_code == 400
    assert "call_seconds" in answer.json()
