"""Names and documents use the glossary's words (docs/glossary.md): the words that it retired do not come back."""

import ast
import re
import tokenize
from collections.abc import Iterable, Iterator
from functools import cache
from pathlib import Path
from typing import Final

from babel.messages.pofile import read_po

from tests.meta.repository import ROOT, list_documents, list_files, name

#: Parts of names, as `tell` in `tell_customer` and `Told` in `MailTold`.
_RETIRED_IN_NAMES: Final = frozenset(
    "letter letters making promise promised promises scene standin street talk tallies tally tell telling tells told"
    " town untold wish wishes".split()
)
#: Names that are somebody else's, or mean something else.
_ALLOWED_NAMES: Final = {
    "Promise": "Django's class of lazy texts",
    "letter": "a character of a text",
}
#: Words of documents and docstrings.
_RETIRED_WORDS: Final = re.compile(
    r"\b(?:(?<!to the )letters?|mektup|stand-ins?|tally|tallies|wish(?:es)?|take_turns"
    r"|making_id|delivery_round|tells? whether)\b"
)
#: Sentences in which a retired word means what it means elsewhere.
_ALLOWED_SENTENCES: Final = (
    re.compile(r"(?:two|three) letters"),  # of a code for a country or a currency
    re.compile(r"letters, digits"),  # of a header
    re.compile(r"finds by letters"),  # characters that upper case makes one
    re.compile(r"LETTER_DAYS|aftercart_letters_"),  # what operators set and read stays until they are told
)


def _split(called: str) -> set[str]:
    """Return the words of a name, in lower case."""
    return {word.lower() for word in re.findall(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])", called)}


def _is_served(path: Path) -> bool:
    """Return whether a module is a part of Aftercart or of the sandbox, not of a test or a benchmark."""
    return path.relative_to(ROOT).parts[0] == "src"


@cache
def _walk(path: Path) -> list[ast.AST]:
    """List the nodes of a module, which is read once for all tests."""
    return list(ast.walk(ast.parse(path.read_text(encoding="utf-8"))))


def _list_names(nodes: Iterable[ast.AST], *, has_locals: bool = True) -> Iterator[str]:
    """List what a module defines and, with `has_locals`, binds. A test is named by a sentence, and left out."""
    for node in nodes:
        match node:
            case ast.FunctionDef(name=called) | ast.AsyncFunctionDef(name=called):
                if not called.startswith("test_"):
                    yield called
            case ast.ClassDef(name=called) | ast.arg(arg=called) | ast.alias(asname=str(called)):
                yield called
            case ast.Name(id=called, ctx=ast.Store()) | ast.Attribute(attr=called, ctx=ast.Store()):
                if has_locals:
                    yield called
            case _:
                pass


def _list_modules() -> list[Path]:
    """List the modules; migrations are history, and keep the names of their time."""
    return [
        path
        for path in list_files()
        if path.suffix == ".py" and "migrations" not in path.parts and not path.name.endswith("_migration.py")
    ]


def _find_retired_words(text: str) -> list[str]:
    """List the lines with a retired word, each without what is allowed in it."""
    found = []
    for line in text.splitlines():
        rest = line
        for allowed in _ALLOWED_SENTENCES:
            rest = allowed.sub("", rest)
        if _RETIRED_WORDS.search(rest):
            found.append(line.strip())
    return found


def test_no_name_takes_a_retired_word() -> None:
    found = [
        f"{name(path)}: {called}"
        for path in _list_modules()
        for called in _list_names(_walk(path), has_locals=_is_served(path))
        if _split(called) & _RETIRED_IN_NAMES and called not in _ALLOWED_NAMES
    ]
    assert found == []


def test_only_its_adapter_and_its_settings_bear_the_name_of_an_oms() -> None:
    served = ROOT / "src/aftercart"
    allowed = (served / "omnitron", served / "settings.py")
    found = [
        f"{name(path)}: {called}"
        for path in _list_modules()
        if served in path.parents and not any(path.is_relative_to(place) for place in allowed)
        for called in _list_names(_walk(path))
        if "omnitron" in called.lower()
    ]
    assert found == []


def test_no_comment_outside_of_its_adapter_speaks_of_omnitron() -> None:
    served = ROOT / "src/aftercart"
    allowed = (served / "omnitron", served / "lib/configuration.py", served / "oms/__init__.py")
    found = [
        f"{name(path)}: {line.strip()}"
        for path in _list_modules()
        if served in path.parents and not any(path.is_relative_to(place) for place in allowed)
        for text in _list_comments(path)
        for line in text.splitlines()
        if re.search(r"\bOmnitron\b", line)
    ]
    assert found == []


def _list_comments(path: Path) -> Iterator[str]:
    """List a module's docstrings and comments; what is shown to people is neither."""
    for node in _walk(path):
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            yield ast.get_docstring(node) or ""
    with path.open("rb") as file:
        yield from (
            token.string for token in tokenize.tokenize(file.readline) if token.type == tokenize.COMMENT
        )


def test_what_is_called_find_raises_nothing() -> None:
    found = [
        f"{name(path)}: {node.name}"
        for path in _list_modules()
        if _is_served(path)
        for node in _walk(path)
        if isinstance(node, ast.FunctionDef) and node.name.lstrip("_").startswith("find_")
        if any(isinstance(inner, ast.Raise) for inner in ast.walk(node))
    ]
    assert found == []


def test_no_module_takes_a_retired_word() -> None:
    modules = [path for path in _list_modules() if not path.name.startswith("test_")]
    assert [name(path) for path in modules if _split(path.stem) & _RETIRED_IN_NAMES] == []


def test_no_document_takes_a_retired_word() -> None:
    documents = [
        path
        for path in list_documents()
        if path.name not in {"glossary.md", "contract.md", "CHANGELOG.md", "dependencies.md"}
    ]
    assert len(documents) > 20
    found = [
        f"{name(path)}: {line}"
        for path in documents
        for line in _find_retired_words(path.read_text(encoding="utf-8"))
    ]
    assert found == []


def test_no_docstring_takes_a_retired_word() -> None:
    found = [
        f"{name(path)}: {line}"
        for path in _list_modules()
        for node in _walk(path)
        if isinstance(node, ast.Module | ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef)
        for line in _find_retired_words(ast.get_docstring(node) or "")
    ]
    assert found == []


def test_no_sentence_takes_a_retired_word_in_either_language() -> None:
    path = ROOT / "src/aftercart/locale/tr/LC_MESSAGES/django.po"
    with path.open("rb") as file:
        sentences = [str(text) for message in read_po(file) for text in (message.id, message.string)]
    assert len(sentences) > 1_000
    assert [line for text in sentences for line in _find_retired_words(text.lower())] == []


def test_a_retired_word_is_found_in_whatever_it_is_a_part_of() -> None:
    names = _list_names(
        ast.walk(ast.parse("def tell_all(wish: int) -> None:\n    TheLetter = 1\nclass StandIn: ...\n"))
    )
    assert [called for called in names if _split(called) & _RETIRED_IN_NAMES] == [
        "tell_all",
        "wish",
        "TheLetter",
    ]
    assert _find_retired_words("A letter.\nEqual to the letter.\nTwo\nthree letters") == ["A letter."]
