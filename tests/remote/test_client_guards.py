# ruff: noqa: SIM117 - the inner block holds what is expected to fail
"""The HTTP client's breaker, bulkhead and log lines, and where its settings come from."""

import logging
import re
import threading
from typing import Any

import pytest
from django.test import override_settings

from aftercart.omnitron.http import Configuration, HttpOmnitron
from aftercart.oms.connect import get_client, replace_client
from aftercart.oms.errors import NotSent, OmsError
from aftercart.oms.messages import CancelCommand
from tests.fake_omnitron import FakeOmnitron
from tests.remote.test_client_answers import CANCEL_CALL, READ_CALL, read, write
from tests.remote.test_client_wire import Peer, Script, Server, answer, connect, page, serve

REQUEST = answer(200, {"pk": 3, "order_item": 7, "status": "waiting"})


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


def connect_with_breaker(server: Server, clock: Clock) -> HttpOmnitron:
    configuration = Configuration(url=server.url, token="ready", breaker_failures=2, breaker_seconds=10)
    return HttpOmnitron(configuration, clock=clock)


def attempt(client: HttpOmnitron, call: Any = read) -> str:
    """Make one call in a dialogue of its own; what became of it."""
    try:
        with client.dialogue() as dialogue:
            call(dialogue)
    except OmsError as error:
        return error.code
    return "ok"


def test_after_enough_failures_nothing_is_sent_until_one_probe_succeeds() -> None:
    clock = Clock()
    with serve(Peer.close, answer(502), answer(502), REQUEST, REQUEST) as server:
        client = connect_with_breaker(server, clock)
        assert [attempt(client, write), attempt(client, write)] == ["connection_lost", "server_error"]
        assert [attempt(client, write), attempt(client, read)] == ["breaker_open"] * 2
        assert server.connections == 2
        clock.now += 10
        assert [attempt(client), attempt(client)] == ["server_error", "breaker_open"]
        clock.now += 10
        assert [attempt(client), attempt(client)] == ["ok", "ok"]
    assert server.calls == [CANCEL_CALL] * 2 + [READ_CALL] * 3


@pytest.mark.parametrize("script", [answer(406), answer(404), answer(429), answer(401), REQUEST])
def test_an_answer_breaks_the_row_of_failures(script: Script) -> None:
    with serve(answer(502), script, answer(502), REQUEST) as server:
        client = connect_with_breaker(server, Clock())
        outcomes = [attempt(client) for _ in range(4)]
    assert (outcomes[0], outcomes[2:]) == ("server_error", ["server_error", "ok"])


def test_what_never_reached_omnitron_says_nothing_about_it() -> None:
    with serve(answer(502), REQUEST) as server:
        client = connect_with_breaker(server, Clock())
        assert attempt(client) == "server_error"
        for _ in range(5):
            with client.dialogue(0) as dialogue, pytest.raises(NotSent) as caught:
                write(dialogue)
            assert caught.value.code == "deadline_over"
        assert attempt(client) == "ok"


def test_a_full_bulkhead_turns_the_next_dialogue_away_at_once() -> None:
    with serve(REQUEST) as server:
        client = connect(server, max_dialogues=2)
        with client.dialogue(), client.dialogue():
            with pytest.raises(NotSent) as caught, client.dialogue():
                pass
        with client.dialogue() as dialogue:
            read(dialogue)
    assert caught.value.code == "bulkhead_full"


def test_a_dialogue_that_fails_gives_its_place_back() -> None:
    with serve(*[answer(502)] * 5) as server:
        client = connect(server, max_dialogues=1)
        assert [attempt(client) for _ in range(5)] == ["server_error"] * 5


def test_a_call_outside_its_dialogue_is_a_mistake() -> None:
    with serve(page(next_url="/next"), page()) as server:
        with connect(server).dialogue() as dialogue:
            pages = dialogue.list_order_updates(channel_id=1, limit=1)
            assert next(pages) == ()
        with pytest.raises(RuntimeError):
            next(pages)
        with pytest.raises(RuntimeError):
            write(dialogue)
    assert len(server.requests) == 1


def test_the_log_has_one_line_for_each_call_and_no_secret(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    iban, holder = "TR330006100519786457841326", "Ayse Yilmaz"
    command = CancelCommand(order_pk=5, reasons={7: 1}, ibans={7: iban}, holder_names={7: holder})
    with serve(
        answer(200, {"key": "to-ken"}),
        page({"pk": 5, "number": "ORD-1", "status": "400"}),
        page(),
        answer(400, {"ibans": [f"{iban} is not valid."], "code": "invalid"}),
        Peer.close,
    ) as server:
        client = connect(server, token="", username="shop", password="pass-word")
        with client.dialogue() as dialogue:
            dialogue.read_order(channel_id=1, number="ORD-1")
            for _ in range(2):
                with pytest.raises(OmsError):
                    dialogue.cancel_items(channel_id=1, command=command)
    lines = [record.getMessage() for record in caplog.records if record.name == "aftercart.omnitron"]
    assert [re.sub(r"\d+ ms", "N ms", line) for line in lines] == [
        "POST auth/login/ 200 N ms ok",
        "GET channel/1/orders/ 200 N ms ok",
        "GET channel/1/order_items/ 200 N ms ok",
        "POST channel/1/orders/5/cancel/ 400 N ms Refused invalid",
        "POST channel/1/orders/5/cancel/ - N ms AnswerUnknown connection_lost",
    ]
    everything = caplog.text + repr(client.configuration) + repr(command)
    for secret in (iban, holder, "pass-word", "to-ken"):
        assert secret not in everything


SETTINGS: dict[str, Any] = {
    "OMNITRON_URL": "http://omnitron.test:1/",
    "OMNITRON_API_PREFIX": "/api/v1",
    "OMNITRON_USERNAME": "shop",
    "OMNITRON_PASSWORD": "pass-word",
    "OMNITRON_TOKEN": "",
    "OMNITRON_CONNECT_SECONDS": 2.0,
    "OMNITRON_DIALOGUE_SECONDS": 8.0,
    "OMNITRON_MAX_DIALOGUES": 64,
    "OMNITRON_BREAKER_FAILURES": 5,
    "OMNITRON_BREAKER_SECONDS": 10.0,
    "OMNITRON_ADDRESS_METHOD": "POST",
    "OMNITRON_ADDRESS_PATH": "channel/{channel_id}/orders/change_address/",
}


@override_settings(**SETTINGS)
def test_the_client_is_one_for_the_process_until_the_settings_change() -> None:
    client = get_client()
    assert isinstance(client, HttpOmnitron)
    assert client.configuration == Configuration(
        url="http://omnitron.test:1/", username="shop", password="pass-word"
    )
    assert client.configuration.root == "http://omnitron.test:1/api/v1/"
    assert get_client() is client
    with override_settings(OMNITRON_MAX_DIALOGUES=5):
        assert get_client() is not client


@override_settings(**SETTINGS)
def test_a_replaced_client_is_everybodys_until_the_block_ends() -> None:
    real, outer, inner = get_client(), FakeOmnitron(), FakeOmnitron()
    seen: list[object] = []
    with replace_client(outer):
        with replace_client(inner):
            thread = threading.Thread(target=lambda: seen.append(get_client()))
            thread.start()
            thread.join(5)
        seen.append(get_client())
    assert seen == [inner, outer]
    assert get_client() is real
