"""The command line as people meet it: its help, and what the README says of it."""

import os
import re
import subprocess
import sys
from functools import cache
from pathlib import Path

import pytest

from tests.meta.repository import README, ROOT


@cache
def call(*arguments: str) -> str:
    """Call the command line with nothing set but what it needs to be found, and give what it prints."""
    environment = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)])}
    result = subprocess.run(
        [sys.executable, "-m", "aftercart", *arguments],
        env={**environment, "AFTERCART_VAR": os.environ["AFTERCART_VAR"]},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert result.returncode == 0, result.stderr
    return result.stdout


def list_commands() -> list[str]:
    """List the commands that the help names."""
    _, _, listed = call("--help").partition("Commands:\n")
    return re.findall(r"^  ([a-z-]+)  ", listed, flags=re.MULTILINE)


def test_the_readme_names_the_commands_that_there_are() -> None:
    named = re.findall(
        r"^\| `aftercart ([a-z-]+)` \|", README.read_text(encoding="utf-8"), flags=re.MULTILINE
    )

    assert sorted(named) == sorted(list_commands())


@pytest.mark.parametrize(
    "command",
    "run web worker sandbox migrate demo import-orders pull-orders link rotate-keys policy reasons token"
    " doctor".split(),
)
def test_a_command_explains_itself(command: str) -> None:
    text = call(command, "--help")

    assert command in list_commands()
    assert re.match(r"usage: ", text, flags=re.IGNORECASE)
    assert len(text.splitlines()) > 4


def test_help_works_without_touching_the_folder_of_local_state(tmp_path: Path) -> None:
    environment = {
        "PATH": os.environ["PATH"],
        "PYTHONPATH": os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
        "AFTERCART_VAR": str(tmp_path / "var"),
    }
    command = [sys.executable, "-m", "aftercart", "--help"]

    subprocess.run(command, env=environment, cwd=tmp_path, capture_output=True, check=True, timeout=300)

    assert list(tmp_path.iterdir()) == []


def test_the_options_that_the_readme_names_are_there() -> None:
    assert "--revoke" in call("link", "--help")
    assert "--purpose" in call("link", "--help")
    assert "--json" in call("demo", "--help")
    assert "`-`: standard input" in call("import-orders", "--help")
