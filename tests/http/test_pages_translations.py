"""The Turkish translation is complete, sure of itself, and compiled from what the source says today.

The messages are read without GNU gettext, so that the test runs everywhere; `make messages` writes the files.
"""

import ast
import io
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_python
from babel.messages.mofile import read_mo
from babel.messages.pofile import read_po
from django.utils.translation.template import templatize

import aftercart

SOURCE = Path(aftercart.__file__).parent
FOLDER = SOURCE / "locale" / "tr" / "LC_MESSAGES"
KEYWORDS = {
    **DEFAULT_KEYWORDS,
    "gettext_lazy": None,
    "gettext_noop": None,
    "ngettext_lazy": (1, 2),
    "pgettext_lazy": ((1, "c"), 2),
}
_CALL = re.compile(r"\b(?:n?p?gettext|_)\((?=u?['\"])")


def read_python(path: Path) -> Iterator[str]:
    with path.open("rb") as file:
        for _line, _function, texts, _comments in extract_python(file, KEYWORDS, [], {}):
            first = texts if isinstance(texts, str) else texts[0]
            if first:
                yield str(first)


def read_template(path: Path) -> Iterator[str]:
    """Read what Django makes of a template: Python calls among rubble."""
    code = templatize(path.read_text(), origin=str(path))
    for call in _CALL.finditer(code):
        literal = re.match(r"\s*u?('(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\")", code[call.end() :])
        assert literal is not None, f"{path}: {code[call.start() : call.end() + 40]}"
        yield str(ast.literal_eval(literal.group(1)))


@cache
def list_messages() -> set[str]:
    found: set[str] = set()
    for path in SOURCE.rglob("*.py"):
        found.update(read_python(path))
    for path in [*SOURCE.rglob("templates/**/*.html"), *SOURCE.rglob("templates/**/*.txt")]:
        found.update(read_template(path))
    return found


def read_catalog() -> Catalog:
    with (FOLDER / "django.po").open("rb") as file:
        return read_po(file)


def name(message: Message) -> str:
    return str(message.id[0] if isinstance(message.id, list | tuple) else message.id)


def test_the_reader_finds_messages_of_both_kinds() -> None:
    found = list_messages()
    assert {"Order already cancelled!", "Where should we deliver it?", "%(count)s item"} <= found
    assert len(found) > 200


def test_every_message_has_a_turkish_translation() -> None:
    known = {name(message) for message in read_catalog() if message.id}
    assert sorted(list_messages() - known) == [], "run `make messages`, then translate these"


def test_no_translation_is_empty_or_a_guess() -> None:
    doubtful = [
        name(message)
        for message in read_catalog()
        if message.id
        and (
            message.fuzzy
            or not all(message.string if isinstance(message.string, tuple) else [message.string])
        )
    ]
    assert doubtful == []


def test_no_translation_is_left_over() -> None:
    known = {name(message) for message in read_catalog() if message.id}
    assert sorted(known - list_messages()) == []


def test_placeholders_survive_translation() -> None:
    placeholder = re.compile(r"%\(\w+\)[sd]")
    for message in read_catalog():
        if message.id:
            texts = message.string if isinstance(message.string, tuple) else [message.string]
            wanted = set(placeholder.findall(name(message)))
            assert all(set(placeholder.findall(str(text))) == wanted for text in texts), message.id


def read_texts(catalog: Catalog) -> dict[str, list[str]]:
    return {
        name(message): [message.string] if isinstance(message.string, str) else list(message.string or [])
        for message in catalog
        if message.id
    }


def test_the_compiled_catalogue_is_the_written_one() -> None:
    compiled = read_mo(io.BytesIO((FOLDER / "django.mo").read_bytes()))
    assert read_texts(compiled) == read_texts(read_catalog()), "run `make messages`"
