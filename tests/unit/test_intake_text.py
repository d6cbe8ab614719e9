"""Files as the shop's own API writes them: pages, lists, pretty-printed, one after the other."""

import json
from typing import Any

import pytest

from aftercart.orders.intake import text as intake_text
from aftercart.orders.intake.text import list_sent
from aftercart.orders.intake.values import DocumentInvalid

A, B = {"number": "A", "x": [1]}, {"number": "B"}
PAGE = {"count": 2, "next": None, "previous": None, "results": [A, B]}


def read(text: str) -> list[tuple[int, Any]]:
    return [
        (sent.number, json.loads(sent.content) if isinstance(sent.content, bytes) else sent.content)
        for sent in list_sent(text.encode().split(b"\n"))
        if sent.content != b""
    ]


@pytest.mark.parametrize("indent", [None, 2])
@pytest.mark.parametrize("value", [PAGE, [A, B]])
def test_a_page_and_a_list_are_their_documents(value: Any, indent: int | None) -> None:
    assert read(json.dumps(value, indent=indent)) == [(1, A), (2, B)]


def test_pretty_printed_documents_may_follow_each_other() -> None:
    assert read(json.dumps(A, indent=1) + "\n\n" + json.dumps(B, indent=1) + "\n") == [(1, A), (2, B)]


def test_pages_may_follow_each_other() -> None:
    assert read(f"{json.dumps(PAGE)}\n{json.dumps([A])}") == [(1, A), (2, B), (3, A)]


def test_however_many_follow_each_other_what_is_left_is_never_copied(monkeypatch: pytest.MonkeyPatch) -> None:
    class Boundaries(json.JSONDecoder):
        def raw_decode(self, s: str, idx: int = 0) -> tuple[Any, int]:
            given.append(s)
            return super().raw_decode(s, idx)

    given: list[str] = []
    monkeypatch.setattr(intake_text, "_BOUNDARIES", Boundaries())
    pretty = json.dumps(A, indent=1)

    assert read(" \n".join([pretty] * 200)) == [(number, A) for number in range(1, 201)]
    assert len(given) == 200
    distinct = {id(text): len(text) for text in given}
    assert sum(distinct.values()) == 200 * len(pretty) + 199 * len(" \n")


def test_what_is_wrong_among_many_is_found_by_its_line() -> None:
    [(_, error)] = read('{\n "number": "A"}\n\n{\n "number": B}')

    assert str(error) == "not JSON: Expecting value: line 5 column 12 (char 32)"


def test_lines_keep_their_numbers() -> None:
    assert read(f"\n{json.dumps(A)}\n\n{json.dumps(B)}") == [(2, A), (4, B)]


def test_a_first_line_that_was_cut_off_is_a_bad_line_and_no_beginning_of_a_text() -> None:
    sent = list(list_sent([b'{"number": "A", "x": [', json.dumps(B).encode()]))

    assert [(one.number, one.content) for one in sent] == [
        (1, b'{"number": "A", "x": ['),
        (2, b'{"number": "B"}'),
    ]


def test_a_text_that_is_damaged_is_reported_once() -> None:
    [(number, error)] = read('{\n "number": "A",\n')

    assert (number, type(error)) == (1, DocumentInvalid)
    assert "not JSON" in str(error)


def test_in_a_list_each_document_is_looked_at_for_itself() -> None:
    [_first, (number, error)] = read('[{"number": "A"}, {"number": "\\u0000"}]')

    assert (number, str(error)) == (2, "number: contains a NUL character")
