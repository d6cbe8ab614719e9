from collections.abc import Iterator

import pytest

from tests.remote.sandbox_process import CHANNEL, PASSWORD, USERNAME, SandboxProcess, running


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[SandboxProcess]:
    with running(tmp_path_factory.mktemp("sandbox") / "omnitron.sqlite3") as server:
        yield server


@pytest.fixture
def sandbox(process: SandboxProcess) -> SandboxProcess:
    process.control("reset", {})
    return process.log_in()


def log_in(sandbox: SandboxProcess, username: str, password: str) -> tuple[int, object]:
    answer = sandbox.client.post("/api/v1/auth/login/", json={"username": username, "password": password})
    return answer.status_code, answer.json()


def test_a_log_in_gives_a_key_that_opens_the_api(sandbox: SandboxProcess) -> None:
    status, body = log_in(sandbox, USERNAME, PASSWORD)
    assert status == 200
    assert isinstance(body, dict)
    assert list(body) == ["key"]
    user = sandbox.client.get("/api/v1/active_user/", headers={"Authorization": f"Token {body['key']}"})
    assert (user.status_code, user.json()["username"]) == (200, USERNAME)


def test_bad_credentials_are_refused_in_the_vendors_words(sandbox: SandboxProcess) -> None:
    message = "Unable to log in with provided credentials."
    refusal = {"non_field_errors": [message], "code": "authorization"}
    assert log_in(sandbox, USERNAME, "wrong") == (400, refusal)
    assert log_in(sandbox, "nobody", PASSWORD) == (400, refusal)


def test_missing_credentials_name_the_field(sandbox: SandboxProcess) -> None:
    refusal = {"password": ["This field is required."], "code": "required"}
    answer = sandbox.client.post("/api/v1/auth/login/", json={"username": USERNAME})
    assert (answer.status_code, answer.json()) == (400, refusal)


def test_after_too_many_failures_even_the_right_password_waits_a_minute(sandbox: SandboxProcess) -> None:
    for _ in range(5):
        assert log_in(sandbox, USERNAME, "wrong")[0] == 400
    answer = sandbox.client.post("/api/v1/auth/login/", json={"username": USERNAME, "password": PASSWORD})
    assert answer.status_code == 429
    assert answer.json()["code"] == "throttled"
    assert 1 <= int(answer.headers["Retry-After"]) <= 60
    sandbox.control("clock", {"offset_seconds": 61})
    assert log_in(sandbox, USERNAME, PASSWORD)[0] == 200


@pytest.mark.parametrize(
    ("header", "code"),
    [
        ("", "not_authenticated"),
        ("Token", "not_authenticated"),
        ("Bearer abc", "not_authenticated"),
        ("Token abc", "authentication_failed"),
    ],
)
def test_without_a_valid_token_every_call_is_401(sandbox: SandboxProcess, header: str, code: str) -> None:
    for path in ("/api/v1/active_user/", f"{CHANNEL}/orders/", f"{CHANNEL}/orders/1/"):
        answer = sandbox.client.get(path, headers={"Authorization": header})
        assert (answer.status_code, answer.json()["code"]) == (401, code)
        assert answer.json()["detail"]


def test_tokens_expire_on_command_and_with_time(sandbox: SandboxProcess) -> None:
    sandbox.control("expire_tokens", {})
    assert sandbox.client.get("/api/v1/active_user/").json()["code"] == "token_expired"
    assert sandbox.log_in().client.get("/api/v1/active_user/").status_code == 200
    sandbox.control("clock", {"offset_seconds": 86_401})
    assert sandbox.client.get("/api/v1/active_user/").json()["code"] == "token_expired"


def test_a_password_never_stands_in_the_call_log(sandbox: SandboxProcess) -> None:
    log_in(sandbox, USERNAME, "secret-secret")
    assert "secret-secret" not in sandbox.client.get("/sandbox/calls/").text
    assert sandbox.calls(call="login")[-1]["body"] == {"username": USERNAME, "password": "***"}
