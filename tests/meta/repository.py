"""The repository as files: what is in it, and where."""

import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"


def list_files() -> list[Path]:
    """List the files that git keeps or would take; skip where git or the repository is not there."""
    command = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    try:
        result = subprocess.run(command, cwd=ROOT, capture_output=True, check=True)
    except (FileNotFoundError, subprocess.CalledProcessError) as error:
        pytest.skip(f"NO REPOSITORY: its files were not looked at ({error})")
    names = result.stdout.decode().split("\0")
    return sorted(path for name in set(names) - {""} if (path := ROOT / name).is_file())


def list_documents() -> list[Path]:
    """List the documents that people read."""
    return [path for path in list_files() if path.suffix == ".md"]


def read_texts() -> Iterator[tuple[Path, str]]:
    """Read every file that is text."""
    for path in list_files():
        try:
            yield path, path.read_text(encoding="utf-8")
        except UnicodeDecodeError:
            continue


def name(path: Path) -> str:
    """Name a file as one would say it."""
    return path.relative_to(ROOT).as_posix()


def read_blocks(document: Path, language: str) -> list[str]:
    """Read a document's fenced blocks in a language."""
    parts = document.read_text(encoding="utf-8").split("\n```")
    return [
        part.removeprefix(language).removeprefix("\n")
        for part in parts[1::2]
        if part.startswith(f"{language}\n")
    ]
