# ruff: noqa: SIM117 - the inner block holds what is expected to fail
"""A write that is given up: what has not left never arrives. And the last look, right before a write leaves."""

import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from aftercart.oms.errors import AnswerUnknown, NotSent
from aftercart.oms.messages import RequestDraft
from aftercart.outbound import wire
from tests.processes import ROOT, wait_until
from tests.remote.test_client_wire import Peer, answer, connect, serve

MADE = answer(201, {"pk": 3, "order_item": 7, "status": "waiting", "remote_id": "r-1"})
END = "the end of the body"
#: Larger than what the peer's kernel takes, and smaller than what ours does.
LARGE = RequestDraft(order_item_pk=7, reason_pk=1, remote_id="r-1", description="x" * 60_000 + END)


@dataclass
class Stopped:
    """A server that has stopped: its kernel takes connections and a few bytes, and nobody reads them."""

    listener: socket.socket
    received: bytearray = field(default_factory=bytearray)
    is_reset: bool = False

    @property
    def port(self) -> int:
        port: int = self.listener.getsockname()[1]
        return port

    def go_on(self) -> None:
        """Take the connection, and read all that ever comes."""
        self.listener.settimeout(10)
        peer, _address = self.listener.accept()
        peer.settimeout(10)
        with peer:
            try:
                while data := peer.recv(4096):
                    self.received += data
            except ConnectionResetError:
                self.is_reset = True


@pytest.fixture
def stopped() -> Iterator[Stopped]:
    with socket.socket() as listener:
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        listener.bind(("127.0.0.1", 0))
        listener.listen(5)
        yield Stopped(listener)


def send_large(url: str, seconds: float) -> None:
    with connect(url).dialogue(seconds) as dialogue:
        dialogue.create_request(channel_id=1, draft=LARGE)


def test_what_is_left_with_the_kernel_is_dropped_when_a_write_is_given_up(stopped: Stopped) -> None:
    with pytest.raises(AnswerUnknown):
        send_large(f"http://127.0.0.1:{stopped.port}", 0.5)

    stopped.go_on()

    assert stopped.is_reset
    assert END.encode() not in stopped.received


def test_without_the_reset_the_kernel_goes_on_delivering_it(
    stopped: Stopped, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire, "_RESET", wire._GO_ON)
    with pytest.raises(AnswerUnknown):
        send_large(f"http://127.0.0.1:{stopped.port}", 0.5)

    stopped.go_on()

    assert END.encode() in stopped.received


def test_what_is_left_with_the_kernel_is_dropped_when_the_process_is_killed(stopped: Stopped) -> None:
    code = (
        "from aftercart.omnitron.http import Configuration, HttpOmnitron;"
        "from aftercart.oms.messages import RequestDraft;"
        f"client = HttpOmnitron(Configuration(url='http://127.0.0.1:{stopped.port}', token='t'));"
        f"draft = RequestDraft(7, 1, 'r-1', 'x' * 60_000 + {END!r});"
        "import contextlib; stack = contextlib.ExitStack();"
        "stack.enter_context(client.dialogue(60)).create_request(channel_id=1, draft=draft)"
    )
    path = os.pathsep.join([str(ROOT / "src"), str(ROOT)])
    with subprocess.Popen([sys.executable, "-c", code], env={**os.environ, "PYTHONPATH": path}) as process:
        wait_until(lambda: count_unsent(stopped.port) > 0, 60)
        process.send_signal(signal.SIGKILL)

    stopped.go_on()

    assert stopped.is_reset
    assert END.encode() not in stopped.received


def count_unsent(port: int) -> int:
    """Count the bytes that this machine's kernel holds for a port and has not had acknowledged."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text(encoding="ascii").splitlines()[1:]]
    return sum(int(row[4].split(":")[0], 16) for row in rows if int(row[2].split(":")[1], 16) == port)


def test_what_is_not_acknowledged_is_not_sent_for_longer_than_the_deadline() -> None:
    if wire._USER_TIMEOUT is None:
        pytest.skip("only Linux has it")
    timeouts: list[int] = []
    real = socket.socket.setsockopt

    def set_option(sock: socket.socket, level: int, option: int, value: int) -> None:
        if (level, option) == (socket.IPPROTO_TCP, wire._USER_TIMEOUT):
            timeouts.append(value)
        real(sock, level, option, value)

    with serve(MADE) as server, pytest.MonkeyPatch.context() as patch:
        patch.setattr(socket.socket, "setsockopt", set_option)
        send_large(server.url, 5)

    assert len(timeouts) == 1
    assert 0 < timeouts[0] <= 5000


def test_a_write_that_was_answered_ends_its_connection_in_order() -> None:
    ends: list[bytes] = []

    def answer_and_look(peer: Peer) -> None:
        peer.send(MADE)
        peer.socket.settimeout(10)
        ends.append(peer.socket.recv(1))  # a reset would raise

    with serve(answer_and_look) as server:
        send_large(server.url, 5)
        wait_until(lambda: ends)

    assert ends == [b""]


# --- the last look -------------------------------------------------------------------------------------------


def test_what_somebody_else_has_gone_on_with_is_not_sent() -> None:
    with serve(MADE) as server:
        with connect(server).dialogue(5) as dialogue, pytest.raises(NotSent) as caught:
            dialogue.create_request(channel_id=1, draft=LARGE, guard=lambda: False)

    assert (caught.value.code, caught.value.status) == ("claim_lost", None)
    assert server.requests == []


def test_the_last_look_comes_after_the_connection_and_before_the_first_byte() -> None:
    seen: list[tuple[int, int]] = []

    with serve(MADE) as server:

        def look() -> bool:
            wait_until(lambda: server.connections == 1)
            seen.append((server.connections, len(server.requests)))
            return True

        with connect(server).dialogue(5) as dialogue:
            dialogue.create_request(channel_id=1, draft=LARGE, guard=look)

    assert seen == [(1, 0)]
    assert len(server.requests) == 1


def test_what_has_waited_too_long_for_the_last_look_is_not_sent() -> None:
    with serve(MADE) as server:
        released = threading.Event()

        def stand_still() -> bool:
            released.wait(0.6)
            return True

        with connect(server).dialogue(0.5) as dialogue, pytest.raises(NotSent) as caught:
            dialogue.create_request(channel_id=1, draft=LARGE, guard=stand_still)

    assert caught.value.code == "deadline_over"
    assert server.requests == []


def test_after_a_new_log_in_the_last_look_is_taken_again() -> None:
    looks = iter([True, False])
    refused = answer(401, {"detail": "Invalid token."})
    with serve(refused, answer(200, {"key": "new"}), MADE) as server:
        with (
            connect(server, token="old", username="u", password="p").dialogue(5) as dialogue,
            pytest.raises(NotSent) as caught,
        ):
            dialogue.create_request(channel_id=1, draft=LARGE, guard=lambda: next(looks))

    assert caught.value.code == "claim_lost"
    assert [request.target.rsplit("/", 2)[-2] for request in server.requests] == [
        "cancellation_requests",
        "login",
    ]


def test_reads_are_not_reset(stopped: Stopped) -> None:
    with suppress(NotSent), connect(f"http://127.0.0.1:{stopped.port}").dialogue(0.2) as dialogue:
        dialogue.check_login()

    stopped.go_on()

    assert not stopped.is_reset
