# ruff: noqa: SIM117 - the inner block holds what is expected to fail
"""How the HTTP client connects: what counts as never sent, and what the library must not do by itself."""

import contextlib
import ipaddress
import socket
import ssl
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from aftercart.oms.errors import AnswerUnknown, NotSent
from aftercart.outbound import transport
from aftercart.outbound.deadline import Deadline
from aftercart.outbound.sockets import OpeningSocket, is_readable
from tests.processes import wait_until
from tests.remote.test_client_answers import CANCEL_CALL, GRACE, READ_CALL, ends_by, read, write
from tests.remote.test_client_wire import Peer, answer, connect, serve

REQUEST = answer(200, {"pk": 3, "order_item": 7, "status": "waiting"})


@pytest.fixture
def closed_port() -> Iterator[int]:
    """A port that is ours, so that no other test takes it, and on which nobody listens."""
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))
        yield bound.getsockname()[1]


@pytest.fixture
def silent_port() -> Iterator[int]:
    """A port whose queue of connections is full: the kernel drops further attempts without a word."""
    with contextlib.ExitStack() as stack:
        listener = stack.enter_context(socket.socket())
        listener.bind(("127.0.0.1", 0))
        listener.listen(0)
        for _ in range(3):
            filler = stack.enter_context(socket.socket())
            filler.setblocking(False)
            filler.connect_ex(listener.getsockname())
        yield listener.getsockname()[1]


@pytest.fixture
def resolver(monkeypatch: pytest.MonkeyPatch) -> Iterator[dict[str, Any]]:
    """Names resolve to what the dict says: a port on loopback, an exception, or an event to wait for."""
    names: dict[str, Any] = {}
    real = socket.getaddrinfo

    def look_up(host: str, port: int, *arguments: Any, **options: Any) -> Any:
        if host not in names or options.get("flags"):
            return real(host, port, *arguments, **options)
        found = names[host]
        if isinstance(found, threading.Event):
            found.wait()
            raise socket.gaierror("released")
        if isinstance(found, Exception):
            raise found
        return [entry for name, its_port in found for entry in real(name, its_port, type=socket.SOCK_STREAM)]

    monkeypatch.setattr(socket, "getaddrinfo", look_up)
    yield names
    for found in names.values():
        if isinstance(found, threading.Event):
            found.set()


def fail_to_write(url: str, seconds: float = 5, **changes: Any) -> NotSent:
    with connect(url, **changes).dialogue(seconds) as dialogue, pytest.raises(NotSent) as caught:
        write(dialogue)
    return caught.value


def test_a_refused_connection_is_certainly_not_sent(closed_port: int) -> None:
    error = fail_to_write(f"http://127.0.0.1:{closed_port}")
    assert (error.code, error.status) == ("unreachable", None)


def test_a_connection_that_nobody_takes_ends_by_the_time_to_connect(silent_port: int) -> None:
    with ends_by(0.2):
        error = fail_to_write(f"http://127.0.0.1:{silent_port}", connect_seconds=0.2)
    assert error.code == "unreachable"


def test_a_connection_that_nobody_takes_ends_by_the_deadline(silent_port: int) -> None:
    with ends_by(0.2):
        error = fail_to_write(f"http://127.0.0.1:{silent_port}", seconds=0.2, connect_seconds=60)
    assert error.code == "unreachable"


@pytest.mark.parametrize("failure", [socket.gaierror("unknown name"), UnicodeError("label too long")])
def test_a_name_that_does_not_resolve_is_certainly_not_sent(
    resolver: dict[str, Any], failure: Exception
) -> None:
    resolver["omnitron.test"] = failure
    assert fail_to_write("http://omnitron.test:1").code == "unreachable"


def test_a_resolver_that_hangs_ends_by_the_time_to_connect(resolver: dict[str, Any]) -> None:
    resolver["omnitron.test"] = threading.Event()
    with ends_by(0.2):
        error = fail_to_write("http://omnitron.test:1", connect_seconds=0.2)
    assert error.code == "unreachable"


def test_the_next_address_of_a_name_is_tried_when_one_is_dead(
    resolver: dict[str, Any], closed_port: int, silent_port: int
) -> None:
    with serve(REQUEST) as server:
        resolver["omnitron.test"] = [
            ("127.0.0.1", closed_port),
            ("127.0.0.1", silent_port),
            ("127.0.0.1", server.port),
        ]
        with connect("http://omnitron.test", connect_seconds=0.4).dialogue() as dialogue:
            read(dialogue)
    assert server.calls == [READ_CALL]


def test_a_handshake_that_hangs_is_certainly_not_sent() -> None:
    with socket.create_server(("127.0.0.1", 0)) as mute, ends_by(0.2):
        error = fail_to_write(f"https://127.0.0.1:{mute.getsockname()[1]}", connect_seconds=0.2)
    assert error.code == "unreachable"


def test_the_reads_of_dialogues_share_a_connection() -> None:
    with serve(*[REQUEST] * 4) as server:
        client = connect(server)
        for _ in range(2):
            with client.dialogue() as dialogue:
                read(dialogue)
                read(dialogue)
    assert (server.connections, server.calls) == (1, [READ_CALL] * 4)


def test_dialogues_at_the_same_time_share_no_connection() -> None:
    with serve(*[REQUEST] * 2) as server:
        client = connect(server)
        with client.dialogue() as one, client.dialogue() as other:
            read(one)
            read(other)
    assert server.connections == 2


def test_a_kept_connection_obeys_the_deadline_of_the_dialogue_that_uses_it() -> None:
    with serve(REQUEST, Peer.hang) as server:
        client = connect(server)
        with client.dialogue(60) as dialogue:
            read(dialogue)
        with client.dialogue(0.2) as dialogue, ends_by(0.2), pytest.raises(NotSent) as caught:
            read(dialogue)
    assert (caught.value.code, server.connections) == ("timeout", 1)


def test_a_read_over_a_connection_that_the_server_gives_up_meanwhile_is_asked_once_more() -> None:
    with serve(REQUEST, Peer.reset, REQUEST) as server:
        client = connect(server)
        for _ in range(2):
            with client.dialogue() as dialogue:
                read(dialogue)
    assert (server.calls, server.connections) == ([READ_CALL] * 3, 2)


def test_a_read_that_a_fresh_connection_loses_is_not_asked_again() -> None:
    with serve(Peer.reset, REQUEST) as server, connect(server).dialogue() as dialogue:
        with pytest.raises(NotSent) as caught:
            read(dialogue)
    assert (caught.value.code, server.calls) == ("connection_lost", [READ_CALL])


def test_a_read_that_is_answered_in_part_is_not_asked_again() -> None:
    def answer_in_part(peer: Peer) -> None:
        peer.send(REQUEST[:-5])
        peer.close()

    with serve(REQUEST, answer_in_part) as server:
        client = connect(server)
        with client.dialogue() as dialogue:
            read(dialogue)
        with client.dialogue() as dialogue, pytest.raises(NotSent):
            read(dialogue)
    assert server.calls == [READ_CALL] * 2


def test_the_connection_of_a_write_is_opened_while_something_is_read() -> None:
    with serve(REQUEST, answer(200)) as server:
        with connect(server).dialogue(will_write=True) as dialogue:
            read(dialogue)
            wait_until(lambda: server.connections == 2)
            write(dialogue)
    assert (server.calls, server.connections) == ([READ_CALL, CANCEL_CALL], 2)


def test_a_connection_that_was_opened_ahead_takes_one_write_only() -> None:
    with serve(answer(200), answer(200)) as server:
        with connect(server).dialogue(will_write=True) as dialogue:
            write(dialogue)
            write(dialogue)
    assert server.connections == 2


def test_a_connection_that_was_opened_ahead_and_closed_by_the_server_is_not_used() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        ahead = OpeningSocket("127.0.0.1", listener.getsockname()[1], Deadline.after(5))
        peer, _address = listener.accept()
        peer.close()
        wait_until(lambda: is_readable(ahead._socket))
        assert ahead.take(Deadline.after(5)) is None


def test_what_cannot_be_opened_ahead_is_tried_when_it_is_wanted(closed_port: int) -> None:
    with connect(f"http://127.0.0.1:{closed_port}").dialogue(will_write=True) as dialogue:
        with pytest.raises(NotSent) as caught:
            write(dialogue)
    assert caught.value.code == "unreachable"


def test_an_opened_connection_that_is_not_wanted_is_closed() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        url = f"http://127.0.0.1:{listener.getsockname()[1]}"
        with connect(url).dialogue(will_write=True):
            peer, _address = listener.accept()
        with peer:
            peer.settimeout(5)
            assert peer.recv(1) == b""


def test_every_write_takes_a_fresh_connection() -> None:
    with serve(REQUEST, answer(200), answer(200), REQUEST) as server, connect(server).dialogue() as dialogue:
        read(dialogue)
        write(dialogue)
        write(dialogue)
        read(dialogue)
    assert server.calls == [READ_CALL, CANCEL_CALL, CANCEL_CALL, READ_CALL]
    assert server.connections == 3


def test_the_tail_of_an_earlier_answer_is_never_taken_for_a_writes_own() -> None:
    with serve(REQUEST + answer(200), Peer.close) as server, connect(server).dialogue() as dialogue:
        read(dialogue)
        with pytest.raises(AnswerUnknown):
            write(dialogue)
    assert server.calls == [READ_CALL, CANCEL_CALL]


def test_a_server_gone_between_the_read_and_the_write_leaves_the_write_certainly_unsent() -> None:
    with serve(REQUEST) as server, connect(server).dialogue() as dialogue:
        read(dialogue)
        server.close()
        with pytest.raises(NotSent) as caught:
            write(dialogue)
    assert (caught.value.code, server.calls) == ("unreachable", [READ_CALL])


def test_a_read_after_a_connection_that_the_server_has_closed_takes_a_fresh_one() -> None:
    def answer_and_close(peer: Peer) -> None:
        peer.send(REQUEST)
        peer.close()

    with serve(answer_and_close, REQUEST) as server, connect(server).dialogue() as dialogue:
        read(dialogue)
        assert server.has_closed.wait(5)
        read(dialogue)
    assert (server.calls, server.connections) == ([READ_CALL] * 2, 2)


def test_an_idle_connection_is_soon_not_used_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(transport, "KEEP_ALIVE_SECONDS", -1.0)
    with serve(REQUEST, REQUEST) as server, connect(server).dialogue() as dialogue:
        read(dialogue)
        read(dialogue)
    assert server.connections == 2


def test_a_redirect_is_not_followed() -> None:
    with serve() as elsewhere, serve(answer(302, headers={"Location": elsewhere.url})) as server:
        with connect(server).dialogue() as dialogue, pytest.raises(NotSent) as caught:
            read(dialogue)
    assert caught.value.code == "redirected"
    assert (server.calls, elsewhere.connections) == ([READ_CALL], 0)


def test_cookies_are_not_sent_back() -> None:
    with (
        serve(answer(200, headers={"Set-Cookie": "sessionid=abc; Path=/"}), answer(200)) as server,
        connect(server).dialogue() as dialogue,
    ):
        write(dialogue)
        write(dialogue)
    assert [request.headers.get("cookie") for request in server.requests] == [None, None]


def test_proxies_and_passwords_of_the_environment_are_not_used(
    monkeypatch: pytest.MonkeyPatch, closed_port: int, tmp_path: Path
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password secret\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, f"http://127.0.0.1:{closed_port}")
    with serve(REQUEST) as server, connect(server).dialogue() as dialogue:
        read(dialogue)
    assert server.requests[0].headers["authorization"] == "Token ready"


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1, signed by itself, with its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "omnitron.test")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .add_extension(
            x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False
        )
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "certificate.pem"
    path.write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM,
            serialization.PrivateFormat.PKCS8,
            serialization.NoEncryption(),
        )
        + made.public_bytes(serialization.Encoding.PEM)
    )
    return path


@pytest.fixture
def server_context(certificate: Path) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    return context


def test_a_certificate_that_nobody_vouches_for_is_certainly_not_sent(server_context: ssl.SSLContext) -> None:
    with serve(ssl_context=server_context) as server:
        error = fail_to_write(server.url)
    assert (error.code, server.calls) == ("unreachable", [])


def test_tls_obeys_the_same_deadline(certificate: Path, server_context: ssl.SSLContext) -> None:
    def trickle(peer: Peer) -> None:
        peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
        peer.trickle(b" " * 100_000)

    with serve(REQUEST, trickle, ssl_context=server_context) as server:
        client = connect(server)
        client._ssl_context = ssl.create_default_context(cafile=certificate)
        began = time.monotonic()
        with client.dialogue(1.5) as dialogue:
            read(dialogue)
            with pytest.raises(AnswerUnknown) as caught:
                write(dialogue)
        assert 1.45 <= time.monotonic() - began <= 1.5 + GRACE
    assert caught.value.code == "timeout"
    assert (server.calls, server.connections) == ([READ_CALL, CANCEL_CALL], 2)
