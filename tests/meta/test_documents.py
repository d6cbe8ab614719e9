"""What the documents say is there, is there; what is there, they say."""

import re
from importlib.metadata import PackageNotFoundError, metadata
from pathlib import Path

import pytest

from aftercart.orders.policy.topics import Topic
from tests.meta.repository import README, ROOT, list_documents, name
from tests.meta.settings_table import replace_table

DECISIONS = ROOT / "docs" / "decisions"
DEPENDENCIES = ROOT / "docs" / "dependencies.md"
MOST_LINES_OF_A_DECISION = 40


def list_requirements() -> list[str]:
    """List the direct dependencies, by name."""
    names = []
    for list_name in ("server", "local", "dev"):
        for line in (ROOT / "requirements" / f"{list_name}.in").read_text().splitlines():
            found = re.match(r"[A-Za-z0-9][A-Za-z0-9._-]*", line)
            if found:
                names.append(found[0])
    return names


def read_dependency_rows() -> list[list[str]]:
    """Read the rows of the dependencies' tables: name, purpose, reason, licence."""
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in DEPENDENCIES.read_text(encoding="utf-8").splitlines()
        if line.startswith("| ")
    ]
    return [row for row in rows if row[0] != "package"]


def read_licence(package: str) -> str:
    """Read what a package says of its licence, in all the places where packages say it."""
    licence_text = metadata(package)
    classifiers = [text for text in licence_text.get_all("Classifier") or () if text.startswith("License")]
    return " ".join(
        [*(str(licence_text.json.get(key, "")) for key in ("license_expression", "license")), *classifiers]
    )


def slugify(heading: str) -> str:
    """Write a heading as the anchor that a link names."""
    plain = re.sub(r"[^\w\s-]", "", heading.strip().lower())
    return re.sub(r"\s", "-", plain)


def list_anchors(document: Path) -> set[str]:
    """List the anchors of a document's headings."""
    text = re.sub(r"^```.*?^```", "", document.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL)
    return {slugify(heading) for heading in re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)}


def test_the_table_of_settings_is_current() -> None:
    text = README.read_text(encoding="utf-8")

    assert replace_table(text) == text, "run: python -m tests.meta.settings_table"


def test_every_direct_dependency_has_its_row_and_every_row_its_dependency() -> None:
    assert [row[0] for row in read_dependency_rows()] == list_requirements()


def test_every_dependency_has_a_purpose_a_reason_and_a_licence() -> None:
    rows = read_dependency_rows()

    assert [row[0] for row in rows if len(row) != 4 or not all(row)] == []


@pytest.mark.parametrize("row", read_dependency_rows(), ids=lambda row: row[0])
def test_a_dependency_has_the_licence_that_we_say(row: list[str]) -> None:
    package, *_, licence = row
    licence_text = read_licence(package)

    words = re.findall(r"MIT|BSD|Apache|LGPL|MPL", licence)
    assert words or (licence == "none named" and not licence_text.strip()), licence_text
    assert [word for word in words if word not in licence_text] == []


def test_every_licence_of_a_part_that_runs_is_permissive_or_explained() -> None:
    pinned = re.findall(
        r"^([A-Za-z0-9._-]+)==", (ROOT / "requirements" / "run.txt").read_text(), re.MULTILINE
    )
    explained = DEPENDENCIES.read_text(encoding="utf-8").split("## Licences")[1]
    installed = {package: read_licence(package) for package in pinned if is_installed(package)}

    assert len(installed) > 40
    demanding = [
        package
        for package, licence_text in installed.items()
        if re.search(r"GPL|MPL|Mozilla|EUPL", licence_text)
    ]
    assert [package for package in demanding if f"**{package}**" not in explained] == []


def is_installed(package: str) -> bool:
    """Return whether this platform and this Python want a package that is pinned for all of them."""
    try:
        metadata(package)
    except PackageNotFoundError:
        return False
    return True


def test_decisions_are_numbered_short_and_whole() -> None:
    files = sorted(DECISIONS.glob("*.md"))

    assert [path.name[:5] for path in files] == [f"{n:04}-" for n in range(1, len(files) + 1)]
    for path in files:
        lines = path.read_text(encoding="utf-8").splitlines()
        assert len(lines) <= MOST_LINES_OF_A_DECISION, name(path)
        assert lines[0].startswith(f"# {int(path.name[:4])}. "), name(path)
        headings = [line for line in lines if line.startswith("## ")]
        assert headings == ["## Context", "## Decision", "## Consequences"], name(path)


def test_policies_md_has_a_row_for_each_topic_in_their_order() -> None:
    table = (ROOT / "docs" / "policies.md").read_text().split("## Topics")[1].split("## ")[0]
    rows = re.findall(r"^\| ([^|]+) \| [^|]+ \| [^|]+ \|$", table, re.MULTILINE)

    assert rows[1:] == [str(topic.declared.name).lower() for topic in Topic]


def test_links_within_the_repository_lead_somewhere() -> None:
    broken = []
    for document in list_documents():
        text = document.read_text(encoding="utf-8")
        targets = re.findall(r"\]\(([^)\s]+)\)", text) + re.findall(r'(?:src|href)="([^"]+)"', text)
        for target in targets:
            path, _, anchor = target.partition("#")
            if "://" in target or target.startswith("mailto:"):
                continue
            file = (document.parent / path).resolve() if path else document
            if not file.exists() or (anchor and anchor not in list_anchors(file)):
                broken.append(f"{name(document)}: {target}")

    assert broken == []


def test_what_the_documents_call_by_path_is_there() -> None:
    """Paths from the root, as in `tests/unit/`, or from src/aftercart, as in `orders/rules.py`."""
    roots = (ROOT, ROOT / "src" / "aftercart")
    missing = []
    checked = 0
    for document in list_documents():
        text = re.sub(
            r"^```.*?^```", "", document.read_text(encoding="utf-8"), flags=re.MULTILINE | re.DOTALL
        )
        for path in re.findall(r"`((?:[\w.*-]+/)+[\w.*-]*)`", text):
            first = path.split("/")[0]
            if first in {".venv", "var"} or not any((root / first).is_dir() for root in roots):
                continue  # made by a run, or no path of ours
            checked += 1
            tries = [path.rstrip("/"), f"{path}.py"]
            if not any(list(root.glob(attempt)) for root in roots for attempt in tries):
                missing.append(f"{name(document)}: {path}")

    assert checked > 20
    assert missing == []
