# ruff: noqa: SIM117 - the inner block holds what is expected to fail
"""How the HTTP client gets its token, keeps it, and asks for another."""

import threading
from typing import Any

import pytest

from aftercart.oms.errors import NotSent
from tests.remote.test_client_answers import CANCEL_CALL, READ_CALL, ends_by, read, write
from tests.remote.test_client_wire import Peer, Script, answer, connect, serve

LOGIN_CALL = "POST /api/v1/auth/login/"
CREDENTIALS: dict[str, Any] = {"token": "", "username": "shop", "password": "pass-word"}
UNAUTHORIZED = answer(401, {"detail": "Invalid token."})
REQUEST = answer(200, {"pk": 3, "order_item": 7, "status": "waiting"})


def key(text: str) -> bytes:
    return answer(200, {"key": text})


def test_the_first_call_logs_in_and_the_token_is_kept_for_all_dialogues() -> None:
    with serve(key("one"), REQUEST, answer(200), REQUEST) as server:
        client = connect(server, **CREDENTIALS)
        with client.dialogue() as dialogue:
            read(dialogue)
            write(dialogue)
        with client.dialogue() as dialogue:
            read(dialogue)
    assert server.calls == [LOGIN_CALL, READ_CALL, CANCEL_CALL, READ_CALL]
    assert server.requests[0].json == {"username": "shop", "password": "pass-word"}
    tokens = [request.headers.get("authorization") for request in server.requests]
    assert tokens == [None, "Token one", "Token one", "Token one"]


def test_a_ready_token_needs_no_log_in() -> None:
    with serve(answer(200, {"pk": 1})) as server, connect(server).dialogue() as dialogue:
        dialogue.check_login()
    assert server.calls == ["GET /api/v1/active_user/"]
    assert server.requests[0].headers["authorization"] == "Token ready"


@pytest.mark.parametrize(("call", "name"), [(read, READ_CALL), (write, CANCEL_CALL)])
def test_a_401_brings_one_new_log_in_and_the_same_call_once_more(call: Any, name: str) -> None:
    with serve(UNAUTHORIZED, key("two"), REQUEST) as server:
        client = connect(server, **CREDENTIALS | {"token": "one"})
        with client.dialogue() as dialogue:
            call(dialogue)
    assert server.calls == [name, LOGIN_CALL, name]
    assert server.requests[0].body == server.requests[2].body
    assert server.requests[2].headers["authorization"] == "Token two"


def test_a_second_401_is_not_sent_and_brings_no_third_call() -> None:
    with serve(UNAUTHORIZED, key("two"), UNAUTHORIZED) as server:
        client = connect(server, **CREDENTIALS | {"token": "one"})
        with client.dialogue() as dialogue, pytest.raises(NotSent) as caught:
            write(dialogue)
    assert (caught.value.code, caught.value.status) == ("unauthorized", 401)
    assert server.calls == [CANCEL_CALL, LOGIN_CALL, CANCEL_CALL]


def test_a_401_without_credentials_is_not_sent() -> None:
    with serve(UNAUTHORIZED) as server, connect(server).dialogue() as dialogue:
        with pytest.raises(NotSent) as caught:
            write(dialogue)
    assert (caught.value.code, caught.value.status) == ("unauthorized", 401)
    assert server.calls == [CANCEL_CALL]


def test_without_token_and_credentials_nothing_is_sent() -> None:
    with serve() as server, connect(server, token="").dialogue() as dialogue:
        with pytest.raises(NotSent) as caught:
            write(dialogue)
    assert (caught.value.code, server.connections) == ("login_failed", 0)


def hang(peer: Peer) -> None:
    peer.hang()


@pytest.mark.parametrize(
    ("script", "code", "status", "retry_after"),
    [
        (answer(400, {"non_field_errors": ["Bad credentials."], "code": "auth"}), "login_failed", 400, None),
        (UNAUTHORIZED, "login_failed", 401, None),
        (answer(403), "login_failed", 403, None),
        (answer(200, {"token": "misnamed"}), "login_failed", 200, None),
        (answer(200, {"key": "with\nline"}), "login_failed", 200, None),
        (answer(200), "login_failed", 200, None),
        (answer(429, headers={"Retry-After": "60"}), "throttled", 429, 60.0),
        (answer(502), "server_error", 502, None),
        (answer(200, b"<html>"), "not_json", 200, None),
        (Peer.close, "connection_lost", None, None),
    ],
)
def test_a_log_in_that_fails_leaves_the_call_unsent(
    script: Script, code: str, status: int | None, retry_after: float | None
) -> None:
    with serve(script) as server, connect(server, **CREDENTIALS).dialogue() as dialogue:
        with pytest.raises(NotSent) as caught:
            write(dialogue)
    error = caught.value
    assert (error.code, error.status, error.retry_after) == (code, status, retry_after)
    assert server.calls == [LOGIN_CALL]
    assert "pass-word" not in repr(error) + str(error)


def test_a_log_in_that_hangs_ends_by_the_deadline() -> None:
    with serve(hang) as server, ends_by(0.3), connect(server, **CREDENTIALS).dialogue(0.3) as dialogue:
        with pytest.raises(NotSent) as caught:
            write(dialogue)
    assert (caught.value.code, server.calls) == ("timeout", [LOGIN_CALL])


def test_many_threads_log_in_once() -> None:
    count = 8
    gathered = threading.Event()

    def log_in_when_all_are_here(peer: Peer) -> None:
        gathered.wait(5)
        peer.send(key("one"))

    with serve(log_in_when_all_are_here, *[REQUEST] * count) as server:
        client = connect(server, **CREDENTIALS, max_dialogues=count)
        barrier = threading.Barrier(count, action=gathered.set)
        errors: list[BaseException] = []

        def work() -> None:
            try:
                with client.dialogue() as dialogue:
                    barrier.wait(5)
                    read(dialogue)
            except BaseException as error:  # noqa: BLE001 - told to the test below
                errors.append(error)

        threads = [threading.Thread(target=work) for _ in range(count)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(10)
    assert errors == []
    assert server.calls == [LOGIN_CALL] + [READ_CALL] * count


def test_waiting_for_another_threads_log_in_ends_by_the_deadline() -> None:
    is_logging_in = threading.Event()

    def log_in_never(peer: Peer) -> None:
        is_logging_in.set()
        peer.hang()

    with serve(log_in_never) as server:
        client = connect(server, **CREDENTIALS)

        def wait_for_log_in() -> None:
            with client.dialogue(1) as dialogue, pytest.raises(NotSent):
                read(dialogue)

        other = threading.Thread(target=wait_for_log_in)
        other.start()
        assert is_logging_in.wait(5)
        with ends_by(0.2), client.dialogue(0.2) as dialogue, pytest.raises(NotSent) as caught:
            write(dialogue)
        other.join(5)
    assert (caught.value.code, server.calls) == ("deadline_over", [LOGIN_CALL])
