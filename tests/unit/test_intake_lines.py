import gzip
import io
import json
import sys
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace

import pytest

from aftercart.lib.json_lines import (
    LONGEST_LINE,
    BadLine,
    BadLinesFile,
    InputDamaged,
    bad_lines_path,
    measure_plain,
    open_lines,
)
from aftercart.orders.intake.values import DocumentInvalid, check_document, decode_document, decode_value

LINES = [b'{"a": 1}', b"", b'{"b": 2}']


def write(folder: Path, name: str, content: bytes) -> Path:
    path = folder / name
    path.write_bytes(content)
    return path


@pytest.mark.parametrize("end", [b"\n", b"\r\n"])
def test_lines_come_without_their_ends_and_empty_ones_count(tmp_path: Path, end: bytes) -> None:
    assert list(open_lines(write(tmp_path, "a.jsonl", end.join(LINES)))) == LINES
    assert list(open_lines(write(tmp_path, "b.jsonl", end.join(LINES) + end))) == LINES


def test_gzip_is_known_by_its_first_bytes(tmp_path: Path) -> None:
    assert list(open_lines(write(tmp_path, "orders.txt", gzip.compress(b"\n".join(LINES))))) == LINES


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_standard_input_is_read_as_files_are(monkeypatch: pytest.MonkeyPatch, pack: type[bytes]) -> None:
    stdin = SimpleNamespace(buffer=io.BytesIO(pack(b"\n".join(LINES))))
    monkeypatch.setattr(sys, "stdin", stdin)
    assert list(open_lines("-")) == LINES
    assert not stdin.buffer.closed


def test_a_byte_order_mark_is_dropped_once(tmp_path: Path) -> None:
    mark = b"\xef\xbb\xbf"
    path = write(tmp_path, "a.jsonl", mark + b"{}\n" + mark + b"{}")
    assert list(open_lines(path)) == [b"{}", mark + b"{}"]


@pytest.mark.parametrize("content", [b"", b"{", b"\x1f"])
def test_the_shortest_inputs_are_read(tmp_path: Path, content: bytes) -> None:
    assert list(open_lines(write(tmp_path, "a", content))) == ([content] if content else [])


def test_a_line_that_is_too_long_is_cut_and_the_next_one_is_whole(tmp_path: Path) -> None:
    content = b"x" * LONGEST_LINE + b"\n" + b"y" * (LONGEST_LINE * 2) + b"\n{}"
    lengths = [len(line) for line in open_lines(write(tmp_path, "a", content))]
    assert lengths == [LONGEST_LINE, LONGEST_LINE + 1, 2]


def test_a_gzip_file_that_breaks_off_says_so_after_its_whole_lines(tmp_path: Path) -> None:
    text = b"".join(b'{"n": %d}\n' % n for n in range(200_000))
    path = write(tmp_path, "a.gz", gzip.compress(text)[:-2000])
    seen: list[bytes] = []
    with pytest.raises(InputDamaged):
        seen.extend(open_lines(path))
    assert 100_000 < len(seen) < 200_000
    assert seen == [b'{"n": %d}' % n for n in range(len(seen))]


def test_a_file_that_is_not_there_is_told_at_once(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        open_lines(tmp_path / "none")


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("data/orders.jsonl", "data/orders.bad.jsonl"),
        ("orders.jsonl.gz", "orders.bad.jsonl"),
        ("orders.ndjson", "orders.bad.jsonl"),
        ("orders", "orders.bad.jsonl"),
        (".jsonl", ".jsonl.bad.jsonl"),
        ("-", "stdin.bad.jsonl"),
    ],
)
def test_bad_lines_stand_beside_the_input(path: str, expected: str) -> None:
    assert bad_lines_path(path) == Path(expected)


def test_bad_lines_are_written_as_json_lines(tmp_path: Path) -> None:
    path = tmp_path / "orders.bad.jsonl"
    with BadLinesFile(path) as bad_lines:
        bad_lines.report(BadLine(3, "number: is required", None))
        bad_lines.report(BadLine(9, "status: not a status", "A-ş"))
    assert [json.loads(line) for line in path.read_bytes().splitlines()] == [
        {"line": 3, "reason": "number: is required", "number": None, "is_imported": False},
        {"line": 9, "reason": "status: not a status", "number": "A-ş", "is_imported": False},
    ]


def test_without_bad_lines_there_is_no_report_not_even_an_old_one(tmp_path: Path) -> None:
    path = write(tmp_path, "orders.bad.jsonl", b"old")
    with BadLinesFile(path):
        pass
    assert not path.exists()


@pytest.mark.parametrize(
    "text",
    [
        '{"a": {"b": "\\u0000"}}', '{"\\u0000": 1}', '{"a": "\\\\u0000"}', '{"a": [1' + "0" * 300 + "]}",
        '{"a": 1.5e999}', '{"a":2E400}', '{"a": [-1e3]}', '{"a": 0.' + "1" * 301 + "}", '{"a": ' + "9" * 300 + "}",
        '{"a": ' + "[" * 49 + "]" * 49 + "}",
        '{"a": ' + "[" * 50 + "]" * 50 + "}", '{"a": ' + "[" * 60 + "]" * 60 + "}",
        '{"a": "1e5", "b": "SKU-1E"}', "[1]", "{}", '{"a": [[], {}, null, true]}',
    ],
)  # fmt: skip
def test_a_line_is_judged_by_its_text_as_it_is_by_its_values(text: str) -> None:
    def judge(read: Callable[[], object]) -> tuple[bool, str]:
        try:
            return True, repr(read())
        except DocumentInvalid as error:
            return False, str(error)

    by_values = judge(lambda: check_document(decode_value(text.encode())))

    assert judge(lambda: decode_document(text.encode())) == by_values


def test_only_of_a_plain_file_it_is_known_how_long_it_is(tmp_path: Path) -> None:
    plain, packed = tmp_path / "a.jsonl", tmp_path / "b.jsonl"
    plain.write_bytes(b"{}\n")
    packed.write_bytes(gzip.compress(b"{}\n"))

    assert [measure_plain(path) for path in (plain, packed, "-", tmp_path, "/dev/null")] == [3, 0, 0, 0, 0]
