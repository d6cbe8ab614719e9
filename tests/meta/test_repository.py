"""Limits that keep the code readable, and what must not be in any file."""

import ast
import re
import tokenize
from collections.abc import Iterator
from io import StringIO
from pathlib import Path

from tests.meta.repository import ROOT, list_files, name, read_texts

MOST_LINES_OF_A_FUNCTION = 50
MOST_LINES_OF_A_MODULE = 400
MOST_LINES_OF_A_TEMPLATE = 200
#: `/`, a folder, and what is in it.
_FEWEST_PARTS = 2

#: What silences ruff or mypy, with the rules that it names.
_SILENCED = re.compile(r"\bnoqa\b(?::\s*[A-Z]+\d+(?:\s*,\s*[A-Z]+\d+)*)?|\btype:\s*ignore\b(?:\[[\w, -]*\])?")
#: Written so that they do not find themselves.
FOREIGN = re.compile(
    r"/h[o]me/\w"  # somebody's machine
    r"|/U[s]ers/\w"
    r"|/r[o]ot/"
    r"|[A-Z]:\\U[s]ers"
    r"|(?<![\w.-])--(?:extra-)?index-[u]rl"  # somebody's registry
    r"|\bp[y]pi\.(?:org|python)"
    r"|p[y]thonhosted"
    r"|registry\.n[p]mjs"
    r"|/s[i]mple/"
)


def list_code(*folders: str) -> list[Path]:
    """List the modules in these folders; Django writes migrations."""
    return [
        path
        for path in list_files()
        if path.suffix == ".py"
        and path.relative_to(ROOT).parts[0] in folders
        and "migrations" not in path.parts
    ]


def measure_functions(source: str) -> Iterator[tuple[str, int]]:
    """Give each function's name and number of lines, without its decorators."""
    for node in ast.walk(ast.parse(source)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            assert node.end_lineno is not None
            yield node.name, node.end_lineno - node.lineno + 1


def count_lines(path: Path) -> int:
    """Count a file's lines."""
    return len(path.read_text(encoding="utf-8").splitlines())


def test_no_file_names_a_machine_or_a_registry() -> None:
    # Of this machine too, where its paths are long enough to be nobody else's.
    here = [str(path) for path in (ROOT, Path.home()) if len(path.parts) > _FEWEST_PARTS]
    found = [
        f"{name(path)}:{number}: {line.strip()[:80]}"
        for path, text in read_texts()
        for number, line in enumerate(text.splitlines(), start=1)
        if FOREIGN.search(line) or any(place in line for place in here)
    ]

    assert found == []


def test_no_file_holds_the_marks_of_a_merge() -> None:
    marks = re.compile(r"^(?:<{7}|>{7}) ", re.MULTILINE)

    assert [name(path) for path, text in read_texts() if marks.search(text)] == []


def test_the_search_for_machines_and_registries_finds_them() -> None:
    registry = "p" + "ypi.org"
    for line in ("/h" + "ome/jo/x", "pip install --index" + "-url=x", f"https://{registry}/x"):
        assert FOREIGN.search(line), line
    for line in ("uv --no-emit-index" + "-url", "backoffice/home.html", "/sandbox/"):
        assert not FOREIGN.search(line), line


def list_silenced(source: str) -> Iterator[tuple[int, str]]:
    """List the comments that silence ruff or mypy, by line."""
    if not _SILENCED.search(source):
        return
    for token in tokenize.generate_tokens(StringIO(source).readline):
        if token.type == tokenize.COMMENT and _SILENCED.search(token.string):
            yield token.start[0], token.string


def has_reason(comment: str) -> bool:
    """Return whether there is a word besides the names of rules."""
    return re.search(r"\w{2,}", _SILENCED.sub("", comment)) is not None


def test_whatever_is_silenced_says_why() -> None:
    found = [
        f"{name(path)}:{line}: {comment}"
        for path in list_files()
        if path.suffix == ".py" and "migrations" not in path.parts
        for line, comment in list_silenced(path.read_text(encoding="utf-8"))
        if not has_reason(comment)
    ]

    assert found == []


def test_a_reason_is_more_than_a_rule() -> None:
    ignore = "type: " + "ignore"
    for bare in (
        "# no" + "qa: S603",
        "# no" + "qa: S603, S607",
        f"# {ignore}[arg-type]",
        f"# {ignore}  # no" + "qa",
    ):
        assert not has_reason(bare), bare
    for reasoned in (
        "# no" + "qa: S603 - our own program",
        f"# {ignore}[arg-type, misc]  # the stubs miss it",
    ):
        assert has_reason(reasoned), reasoned


def test_modules_are_short() -> None:
    code = list_code("src", "tests")

    assert len(code) > 500  # they have been found
    assert [
        f"{name(path)}: {count_lines(path)}" for path in code if count_lines(path) > MOST_LINES_OF_A_MODULE
    ] == []


def test_templates_are_short() -> None:
    templates = [
        path for path in list_files() if "templates" in path.parts and path.suffix in {".html", ".txt"}
    ]

    assert len(templates) > 10
    long = [
        f"{name(path)}: {count_lines(path)}"
        for path in templates
        if count_lines(path) > MOST_LINES_OF_A_TEMPLATE
    ]
    assert long == []


def test_no_form_of_a_page_is_sent_twice_by_an_impatient_finger() -> None:
    """Those of the back office do without: its actions claim, and its pages do not have the script."""
    pages = [path for path in list_files() if path.suffix == ".html" and "backoffice" not in path.parts]
    forms = [
        (name(path), form)
        for path in pages
        for form in re.findall(r"<form\b.*?>", re.sub(r"{%.*?%}", "", path.read_text(encoding="utf-8")))
        if re.search(r"method=.?post", form, re.IGNORECASE)
    ]

    assert len(forms) > 20
    assert [found for found in forms if "data-once" not in found[1]] == []


def test_functions_are_short() -> None:
    functions = [
        (name(path), function, lines)
        for path in list_code("src")
        for function, lines in measure_functions(path.read_text(encoding="utf-8"))
    ]

    assert len(functions) > 500
    assert [found for found in functions if found[2] > MOST_LINES_OF_A_FUNCTION] == []
