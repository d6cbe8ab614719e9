"""How other shops are measured: what counts as their answer, and what is said of one that could not be measured."""

import json
import socketserver
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bench.load import Measured, measure, write_request
from bench.peers.__main__ import PEERS, _give_up, check_answer, get_peer
from bench.peers.peer import PeerError, Place, read_answer
from bench.peers.report import Result, describe

ORDER = {"number": "B-1", "orderitem_set": [{"product": {"name": "Gömlek"}}] * 2}


@pytest.fixture
def place(tmp_path: Path) -> Place:
    (tmp_path / "order.json").write_text(json.dumps(ORDER))
    return Place(tmp_path, tmp_path, "peer", "nobody")


@contextmanager
def answering(answer: bytes) -> Iterator[int]:
    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            while self.rfile.readline():
                while self.rfile.readline().strip():
                    pass
                self.wfile.write(answer)

    with socketserver.ThreadingTCPServer(("127.0.0.1", 0), Handler) as server:
        server.daemon_threads = True
        server.block_on_close = False
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield server.server_address[1]
        server.shutdown()


def test_an_answer_is_the_order_only_with_its_number_and_all_of_its_items(place: Place) -> None:
    whole = "B-1: Gömlek, Gömlek".encode()

    assert check_answer(whole, place) == whole
    for other in ("B-1: Gömlek", "B-2: Gömlek, Gömlek", '{"errors": [{"message": "Forbidden"}]}'):
        with pytest.raises(PeerError, match="something else than the order"):
            check_answer(other.encode(), place)


@pytest.mark.parametrize(
    "answer",
    [
        b"HTTP/1.1 404 Not Found\r\nContent-Length: 2\r\n\r\nno",
        b"HTTP/1.1 302 Found\r\nLocation: /login\r\nContent-Length: 0\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nok\r\n0\r\n\r\n",
    ],
)
def test_an_answer_that_cannot_be_measured_is_an_error(answer: bytes) -> None:
    with answering(answer) as port, pytest.raises(PeerError, match="it answered"):
        read_answer(port, write_request("/", {}))


def test_what_answers_is_measured() -> None:
    with answering(b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok") as port:
        assert read_answer(port, write_request("/", {"Accept": "*/*"})) == b"ok"
        found = measure(port, write_request("/", {}), status=200, seconds=0.05, connections=2)

    assert found.answers >= 4
    assert 0 < found.p50 <= found.p99


def test_a_request_says_how_long_its_body_is() -> None:
    request = write_request("/shop", {"Accept": "x"}, method="POST", body=b"{}")

    assert request == b"POST /shop HTTP/1.1\r\nHost: 127.0.0.1\r\nAccept: x\r\nContent-Length: 2\r\n\r\n{}"


def test_a_step_that_fails_says_what_it_printed(place: Place) -> None:
    assert place.run("sh", "-c", 'echo "$PGDATABASE"') == "peer\n"
    with pytest.raises(PeerError, match=r"(?s)ended with 3\nno such package"):
        place.run("sh", "-c", "echo no such package >&2; exit 3")
    with pytest.raises(PeerError, match="no-such-program"):
        place.run("no-such-program")


def test_a_peer_that_fails_is_told_beside_those_that_were_measured(
    place: Place, capsys: pytest.CaptureFixture[str]
) -> None:
    theirs, ours = Measured(10, 1, 2, 20, 7), Measured(200, 0.1, 0.2, 400, 0.2)
    fine = Result("One 1.0", "its page", "detail", [theirs], [ours], (3000, 9000), 80)
    half = Result("Two 2.0", "its page", "detail", [theirs], [])
    (place.folder / "server.log").write_text("the last words")

    _give_up(half, PeerError("npm install ended with 1\nECONNREFUSED"), place)
    text = describe([fine, half], "node 20")

    assert "ECONNREFUSED" in (said := capsys.readouterr().err)
    assert "the last words" in said
    assert "| One 1.0: its page | 10 | 1.0 ms | 2.0 ms | 7.00 ms | 3.0 kB |  |" in text
    assert "| 200 | 0.1 ms | 0.2 ms | 0.20 ms | 9.0 kB | 20 (20-20) |" in text
    assert "- Two 2.0 was not measured: npm install ended with 1\n" in text
    assert "Two 2.0:" not in text


@pytest.mark.parametrize("name", PEERS)
def test_each_peer_is_pinned_and_compared_with_something_of_ours(name: str) -> None:
    peer = get_peer(name)

    assert peer.version.count(".") == 2
    assert peer.ours in {"detail", "detail_html"}
