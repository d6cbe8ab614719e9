"""What strangers send is not kept for the life of a process."""

import gc
import tracemalloc
from collections.abc import Iterator

import pytest

from aftercart.front.gateway import describe_request
from aftercart.front.hot_requests import find_ask, read_client
from aftercart.front.kept import keep_answers
from tests.http.fuzz import Headers, Scope

#: As large as the front lets pass; so many of them would take ten times what may be kept.
_LONG, _COUNT, _MOST_BYTES = 20_000, 100, 1_000_000


@pytest.fixture
def traced() -> Iterator[None]:
    gc.freeze()  # else each collection would look through all that other tests have left
    tracemalloc.start()
    yield
    tracemalloc.stop()
    gc.unfreeze()


@pytest.mark.parametrize(
    ("query", "name", "value"),
    [
        ("page={}", "accept", "text/html"),
        ("", "accept", "{}"),
        ("", "content-type", "{}"),
        ("", "host", "{}"),
        ("", "accept-language", "{}"),
        ("", "cookie", "sessionid=aaaaaaaa; django_language={}"),
        ("", "x-{}", ""),
    ],
)
@pytest.mark.usefixtures("traced")
def test_long_texts_of_strangers_are_not_kept(query: str, name: str, value: str) -> None:
    def ask(number: int) -> None:
        long = f"{number}-{'a' * _LONG}"
        headers = {"host": "127.0.0.1", "cookie": "sessionid=aaaaaaaa", "accept": "application/json"}
        headers[name.format(long)] = value.format(long)
        scope = Scope("GET", "/users/orders/", query.format(long), Headers(list(headers.items())))
        find_ask(scope)
        read_client(scope, 0)
        describe_request(scope, b"")

    ask(0)
    gc.collect()
    before, _peak = tracemalloc.get_traced_memory()
    for number in range(1, _COUNT):
        ask(number)
    gc.collect()
    after, _peak = tracemalloc.get_traced_memory()

    assert after - before < _MOST_BYTES


def test_what_is_asked_again_and_again_is_answered_once() -> None:
    asked = []

    @keep_answers(2)
    def double(text: str) -> str:
        asked.append(text)
        return text * 2

    assert [double("a"), double("a"), double("b" * 600), double("b" * 600)] == [
        "aa",
        "aa",
        "b" * 1200,
        "b" * 1200,
    ]
    assert asked == ["a", "b" * 600, "b" * 600]
