# ruff: noqa: SIM117 - the inner block holds what is expected to fail
"""What the HTTP client makes of every kind of answer, and of none: for a read, and for a write."""

import gc
import gzip
import socket
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from aftercart.oms.errors import AnswerUnknown, NotFound, NotSent, OmsError, Refused
from aftercart.oms.messages import CancelCommand
from aftercart.oms.port import Dialogue
from aftercart.outbound.transport import MAX_BODY_BYTES
from tests.remote.test_client_wire import Peer, Script, Server, answer, connect, serve

#: How much later than its deadline a dialogue may end, in seconds.
#: What a busy machine may take longer; whatever is waited for here would never come, or not for minutes.
GRACE = 10

HTML = b"<html><h1>Bad Gateway</h1></html>"
CANCEL = CancelCommand(order_pk=5, reasons={7: 1})
CANCEL_CALL = "POST /api/v1/channel/1/orders/5/cancel/"
READ_CALL = "GET /api/v1/channel/1/cancellation_requests/3/"


def write(dialogue: Dialogue) -> None:
    dialogue.cancel_items(channel_id=1, command=CANCEL)


def read(dialogue: Dialogue) -> None:
    dialogue.read_request(channel_id=1, pk=3)


def fail_to_read(*scripts: Script, seconds: float = 5, **changes: Any) -> tuple[OmsError, Server]:
    with serve(*scripts) as server:
        with connect(server, **changes).dialogue(seconds) as dialogue, pytest.raises(OmsError) as caught:
            read(dialogue)
        assert server.calls == [READ_CALL]
    return caught.value, server


def fail_to_write(*scripts: Script, seconds: float = 5, **changes: Any) -> tuple[OmsError, Server]:
    with serve(*scripts) as server:
        with connect(server, **changes).dialogue(seconds) as dialogue, pytest.raises(OmsError) as caught:
            write(dialogue)
        assert server.calls == [CANCEL_CALL], "a write must leave exactly once"
    return caught.value, server


@contextmanager
def ends_by(seconds: float) -> Iterator[None]:
    began = time.monotonic()
    yield
    took = time.monotonic() - began
    assert seconds - 0.05 <= took <= seconds + GRACE


def reset_before(peer: Peer) -> None:
    peer.reset()


def drop_before(peer: Peer) -> None:
    peer.close()


def reset_in_body(peer: Peer) -> None:
    peer.send(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"pk"')
    peer.reset()


def drop_in_body(peer: Peer) -> None:
    peer.send(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"pk"')
    peer.close()


def drop_in_refusal(peer: Peer) -> None:
    peer.send(b'HTTP/1.1 406 No\r\nContent-Length: 100\r\n\r\n{"non_')
    peer.close()


def hang(peer: Peer) -> None:
    peer.hang()


def hang_in_body(peer: Peer) -> None:
    peer.send(b'HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\n{"pk"')
    peer.hang()


def trickle_headers(peer: Peer) -> None:
    peer.trickle(b"HTTP/1.1 200 OK\r\n" + b"X-Filler: abc\r\n" * 1000)


def trickle_body(peer: Peer) -> None:
    peer.send(b"HTTP/1.1 200 OK\r\nContent-Length: 100000\r\n\r\n")
    peer.trickle(b"[" + b" " * 99_999)


def endless_headers(peer: Peer) -> None:
    peer.send(b"HTTP/1.1 200 OK\r\n")
    while peer.is_open:
        peer.send(b"X-Filler: " + b"a" * 1000 + b"\r\n")


def huge_body(peer: Peer) -> None:
    peer.send(f"HTTP/1.1 200 OK\r\nContent-Length: {MAX_BODY_BYTES + 1}\r\n\r\n".encode())
    peer.send(b" " * (MAX_BODY_BYTES + 1))


def endless_body(peer: Peer) -> None:
    peer.send(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    while peer.is_open:
        peer.send(b"10000\r\n" + b" " * 0x10000 + b"\r\n")


ZIPPED = gzip.compress(b" " * (MAX_BODY_BYTES + 1))

NO_RELIABLE_ANSWER: dict[str, tuple[Script, str, int | None]] = {
    "connection closed before an answer": (drop_before, "connection_lost", None),
    "connection reset before an answer": (reset_before, "connection_lost", None),
    "connection reset inside the body": (reset_in_body, "connection_lost", 200),
    "connection closed inside the body": (drop_in_body, "connection_lost", 200),
    "connection closed inside a refusal": (drop_in_refusal, "connection_lost", 406),
    "something that is not HTTP": (b"SSH-2.0-OpenSSH_9.6\r\n\r\n", "connection_lost", None),
    "endless headers": (endless_headers, "connection_lost", None),
    "500 with JSON": (answer(500, {"detail": "oops"}), "server_error", 500),
    "502 with HTML": (answer(502, HTML, content_type="text/html"), "server_error", 502),
    "503 with nothing": (answer(503), "server_error", 503),
    "599": (answer(599), "server_error", 599),
    "200 with HTML": (answer(200, HTML, content_type="text/html"), "not_json", 200),
    "200 with half of a JSON": (answer(200, b'{"pk": 1'), "not_json", 200),
    "200 with NaN": (answer(200, b'{"pk": NaN}'), "not_json", 200),
    "200 with text that is not UTF-8": (answer(200, b'{"pk": "\xff"}'), "not_json", 200),
    "200 nested without end": (answer(200, b"[" * 500_000), "not_json", 200),
    "200 that only says gzip": (answer(200, b"{}", headers={"Content-Encoding": "gzip"}), "not_json", 200),
    "200 with a huge body": (huge_body, "too_large", 200),
    "200 with an endless body": (endless_body, "too_large", 200),
    "200 with a huge body, zipped": (
        answer(200, ZIPPED, headers={"Content-Encoding": "gzip"}), "too_large", 200
    ),
    "302": (answer(302, headers={"Location": "/elsewhere/"}), "redirected", 302),
    "307": (answer(307, headers={"Location": "/elsewhere/"}), "redirected", 307),
    "101": (answer(101, headers={"Upgrade": "x", "Connection": "Upgrade"}), "connection_lost", None),
    "304": (answer(304), "redirected", 304),
    "408": (answer(408), "timeout", 408),
}  # fmt: skip

silence = pytest.mark.parametrize(
    ("script", "code", "status"), NO_RELIABLE_ANSWER.values(), ids=NO_RELIABLE_ANSWER.keys()
)


@pytest.fixture(autouse=True)
def no_collection() -> Iterator[None]:
    """Collect no garbage meanwhile: at the bottom of what is nested without end, finalizers of others would fail."""
    gc.disable()
    yield
    gc.enable()


@silence
def test_a_read_without_a_reliable_answer_may_be_sent_again(
    script: Script, code: str, status: int | None
) -> None:
    error, _ = fail_to_read(script)
    assert (type(error), error.code, error.status) == (NotSent, code, status)


@silence
def test_a_write_without_a_reliable_answer_is_unknown_and_never_sent_again(
    script: Script, code: str, status: int | None
) -> None:
    error, _ = fail_to_write(script)
    assert (type(error), error.code, error.status) == (AnswerUnknown, code, status)


@pytest.mark.parametrize("script", [hang, hang_in_body, trickle_headers, trickle_body])
def test_a_server_that_hangs_or_trickles_holds_no_read_beyond_the_deadline(script: Script) -> None:
    with ends_by(0.3):
        error, _ = fail_to_read(script, seconds=0.3)
    assert (type(error), error.code) == (NotSent, "timeout")


@pytest.mark.parametrize("script", [hang, hang_in_body, trickle_headers, trickle_body])
def test_a_server_that_hangs_or_trickles_holds_no_write_beyond_the_deadline(script: Script) -> None:
    with ends_by(0.3):
        error, _ = fail_to_write(script, seconds=0.3)
    assert (type(error), error.code) == (AnswerUnknown, "timeout")


def test_a_server_that_reads_nothing_holds_no_write_beyond_the_deadline() -> None:
    # More than the sockets' buffers take, so that the client must wait while it writes.
    command = CancelCommand(order_pk=5, reasons={7: 1}, refund_invoice_number="1" * 16_000_000)
    with socket.create_server(("127.0.0.1", 0)) as listener:
        client = connect(f"http://127.0.0.1:{listener.getsockname()[1]}")
        with (
            ends_by(2.0),  # to write such a body takes a busy machine a while
            client.dialogue(2.0) as dialogue,
            pytest.raises(AnswerUnknown) as caught,
        ):
            dialogue.cancel_items(channel_id=1, command=command)
    assert caught.value.code == "timeout"


def test_the_deadline_is_one_for_the_whole_dialogue() -> None:
    def be_slow(peer: Peer) -> None:
        body = b'{"pk": 3, "order_item": 7, "status": "waiting"}'
        peer.trickle(b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n" % len(body), every=0.004)
        peer.send(body)

    with serve(be_slow, be_slow, hang) as server, ends_by(0.8), connect(server).dialogue(0.8) as dialogue:
        read(dialogue)
        read(dialogue)
        with pytest.raises(AnswerUnknown):
            write(dialogue)
        assert dialogue.remaining() == 0
        with pytest.raises(NotSent) as late:
            write(dialogue)
    assert late.value.code == "deadline_over"
    assert server.calls == [READ_CALL, READ_CALL, CANCEL_CALL]


def test_a_call_after_the_deadline_never_leaves() -> None:
    with serve() as server, connect(server).dialogue(0) as dialogue, pytest.raises(NotSent) as caught:
        write(dialogue)
    assert (caught.value.code, server.connections) == ("deadline_over", 0)


@pytest.mark.parametrize("body", [b"", b" \n", b"{}", b"null", b'{"status": "ok"}', b"[1.5]"], ids=repr)
@pytest.mark.parametrize("status", [200, 201, 202])
def test_a_write_answered_with_2xx_and_json_or_nothing_succeeds(status: int, body: bytes) -> None:
    with serve(answer(status, body)) as server, connect(server).dialogue() as dialogue:
        write(dialogue)
    assert server.calls == [CANCEL_CALL]


def test_a_write_answered_with_204_succeeds() -> None:
    with serve(b"HTTP/1.1 204 No Content\r\n\r\n") as server, connect(server).dialogue() as dialogue:
        write(dialogue)


def test_a_chunked_and_zipped_answer_is_read() -> None:
    zipped = gzip.compress(b'{"pk": 3, "order_item": 7, "status": "waiting"}')
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nContent-Encoding: gzip\r\n\r\n"
    chunked += b"".join(b"1\r\n%c\r\n" % byte for byte in zipped) + b"0\r\n\r\n"
    with serve(chunked) as server, connect(server).dialogue() as dialogue:
        assert dialogue.read_request(channel_id=1, pk=3).order_item_pk == 7


REFUSALS: dict[str, tuple[Any, str, tuple[str, ...]]] = {
    "one field": (
        {"cancel_items": ["Too many.", "Unknown."], "code": "invalid"}, "invalid", ("Too many.", "Unknown.")
    ),
    "fields in fields": (
        {"address": {"line": ["Required."], "city": [{"pk": ["Unknown."]}]}, "code": "required"},
        "required",
        ("Required.", "Unknown."),
    ),
    "non_field_errors as a list": (
        {"non_field_errors": ["It waits already."], "code": "order_cancel_100_1"},
        "order_cancel_100_1",
        ("It waits already.",),
    ),
    "non_field_errors as a string": (
        {"non_field_errors": "It waits already.", "code": "order_cancel_100_1"},
        "order_cancel_100_1",
        ("It waits already.",),
    ),
    "detail": ({"detail": "Not allowed.", "code": "denied"}, "denied", ("Not allowed.",)),
    "a code in a list": ({"detail": "No.", "code": ["no"]}, "no", ("No.",)),
    "no code": ({"detail": "No."}, "refused", ("No.",)),
    "a code that would forge a line of the log": ({"detail": "No.", "code": "a\nb"}, "refused", ("No.",)),
    "a list": (["No.", "Never."], "refused", ("No.", "Never.")),
    "a string": ("No.", "refused", ("No.",)),
    "numbers and nulls": ({"status": 406, "detail": None}, "refused", ()),
    "HTML": (HTML, "refused", ()),
    "nothing": (b"", "refused", ()),
}  # fmt: skip


@pytest.mark.parametrize("status", [400, 406])
@pytest.mark.parametrize(("body", "code", "messages"), REFUSALS.values(), ids=REFUSALS.keys())
def test_a_refusal_is_final_and_brings_its_sentences(
    status: int, body: Any, code: str, messages: tuple[str, ...]
) -> None:
    error, _ = fail_to_write(answer(status, body))
    assert isinstance(error, Refused)
    assert (type(error), error.status, error.code, error.messages) == (Refused, status, code, messages)
    assert error.detail == (" ".join(messages) or f"Omnitron refused the call (HTTP {status}).")


@pytest.mark.parametrize("status", [400, 402, 403, 404, 405, 406, 409, 410, 415, 422, 451])
def test_every_other_4xx_refuses_a_write(status: int) -> None:
    error, _ = fail_to_write(answer(status, {"detail": "No.", "code": "no"}))
    assert (type(error), error.status, error.code) == (Refused, status, "no")


@pytest.mark.parametrize("status", [400, 403, 405, 406, 409, 422])
def test_every_other_4xx_but_404_refuses_a_read(status: int) -> None:
    error, _ = fail_to_read(answer(status, {"detail": "No."}))
    assert (type(error), error.status) == (Refused, status)


def test_a_404_to_a_read_says_that_it_is_not_there() -> None:
    error, _ = fail_to_read(answer(404, {"detail": "Not found."}))
    assert (type(error), error.status, error.code) == (NotFound, 404, "not_found")


def test_a_refusal_is_kept_within_bounds() -> None:
    error, _ = fail_to_write(answer(400, {"cancel_items": ["x" * 1000] * 100}))
    assert isinstance(error, Refused)
    assert error.messages == ("x" * 500,) * 20


def test_a_refusal_that_quotes_an_iban_or_a_holder_loses_them() -> None:
    iban, holder = "TR330006100519786457841326", "Ayşe Öz"
    command = CancelCommand(order_pk=5, reasons={7: 1}, ibans={7: iban}, holder_names={7: holder})
    body = {"ibans": [f"{iban} of {holder} is not valid."], "code": "invalid"}
    with serve(answer(400, body)) as server, connect(server).dialogue() as dialogue:
        with pytest.raises(Refused) as caught:
            dialogue.cancel_items(channel_id=1, command=command)
    assert caught.value.messages == ("… of … is not valid.",)
    assert iban not in repr(caught.value) + str(caught.value) + caught.value.detail


def test_429_is_certainly_not_applied_and_tells_when_to_come_back() -> None:
    error, _ = fail_to_write(answer(429, {"detail": "Slow down."}, headers={"Retry-After": "17"}))
    assert isinstance(error, NotSent)
    assert (error.code, error.status, error.retry_after) == ("throttled", 429, 17.0)


@pytest.mark.parametrize("text", ["999999999", "Fri, 31 Dec 9999 23:59:59 GMT"])
def test_no_answer_stops_us_for_longer_than_an_hour(text: str) -> None:
    error, _ = fail_to_read(answer(429, headers={"Retry-After": text}))
    assert isinstance(error, NotSent)
    assert error.retry_after == 3600.0


def test_429_may_tell_a_date() -> None:
    moment = datetime.now(UTC) + timedelta(seconds=60)
    error, _ = fail_to_read(answer(429, headers={"Retry-After": format_datetime(moment, usegmt=True)}))
    assert isinstance(error, NotSent)
    assert error.retry_after is not None
    assert 50 < error.retry_after <= 60


@pytest.mark.parametrize("text", ["", "soon", "-5", "Wed, 99 Foo 2026 00:00:00 GMT", "1e9"])
def test_429_may_tell_nothing_to_understand(text: str) -> None:
    error, _ = fail_to_read(answer(429, headers={"Retry-After": text}))
    assert isinstance(error, NotSent)
    assert (error.code, error.retry_after) == ("throttled", None)


def test_429_of_the_past_means_now() -> None:
    error, _ = fail_to_read(answer(429, headers={"Retry-After": "Wed, 21 Oct 2015 07:28:00 GMT"}))
    assert isinstance(error, NotSent)
    assert error.retry_after == 0.0


BROKEN_READS = {
    "nothing": b"",
    "a list": b"[]",
    "a string": b'"pk"',
    "no pk": b'{"order_item": 7, "status": "waiting"}',
    "no status": b'{"pk": 3, "order_item": 7}',
    "an id that is none": b'{"pk": "x", "order_item": 7, "status": "waiting"}',
    "an id that is true": b'{"pk": true, "order_item": 7, "status": "waiting"}',
    "an amount that is none": b'{"pk": 3, "order_item": 7, "status": "waiting", "refund_amount": "much"}',
    "a moment that is none": b'{"pk": 3, "order_item": 7, "status": "waiting", "modified_date": "now"}',
}


@pytest.mark.parametrize("body", BROKEN_READS.values(), ids=BROKEN_READS.keys())
def test_a_read_without_what_was_promised_may_be_sent_again(body: bytes) -> None:
    error, _ = fail_to_read(answer(200, body))
    assert (type(error), error.code, error.status) == (NotSent, "malformed", 200)
