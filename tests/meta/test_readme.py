"""The README's walk-through, pasted into bash, against all of Aftercart as `make run` starts it."""

import json
import os
import re
import shutil
import subprocess
import tempfile
from pathlib import Path

import pytest

from tests.everything import running_everything
from tests.meta.repository import README, ROOT, read_blocks

#: What a run of the walk-through prints, in order.
EXPECTED = (
    r'\{"key": ?"[a-z0-9]{32}"\}',  # log-in
    r'"order": \{\n +"id": \d+,\n +"number": "[^"]+",',  # 1. the signed order
    r"\nHTTP 204\n",  # 2. the direct cancellation
    r'"count": 1,(?s:.*?)"call": "order_cancel"(?s:.*?)"answered": 200,\s+"applied": true',  # at the sandbox
    r'"kind":"drop_after"',
    r'\[\{"id":\d+,"uuid":"[^"]+","order_item":\d+,"reason":\d+,',  # the cancellation whose answer was lost
    r"\nHTTP 200\n",
    r"The request is confirmed\.\n2 cancellations were sent\.\n",
    r'\{"status_code":200\}\nHTTP 200\n',  # 3. the address
    r'\{"deleted": ?1\}\n',
)


@pytest.mark.timeout(280)  # all of Aftercart starts, which a busy machine takes a minute for
def test_the_walk_through_does_what_the_readme_says() -> None:
    missing = [program for program in ("bash", "curl", "awk") if shutil.which(program) is None]
    if missing:
        pytest.skip(f"NO {missing[0].upper()}: the README's walk-through was not tried")
    (script,) = read_blocks(README, "bash")

    with (
        tempfile.TemporaryDirectory(prefix="aftercart-readme-") as folder,
        running_everything(Path(folder)) as said,
    ):
        result = subprocess.run(
            ["bash", "-eu"],
            input=script,
            env={"PATH": os.environ["PATH"], "AFTERCART_VAR": folder},
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=300,
            check=False,
        )
        summary = json.loads((Path(folder) / "demo.json").read_text())

    assert result.stderr == ""
    assert result.returncode == 0
    assert re.search("(?s:.*?)".join(EXPECTED), result.stdout), result.stdout
    assert summary["customers"][0]["orders"]["several_items"]["number"] in result.stdout
    shown = re.findall(
        r"^  (?:  )?([A-Z][\w ]+?|  log in as) {2,}\S", README.read_text(encoding="utf-8"), re.MULTILINE
    )
    assert [label for label in shown if label not in said] == []
    assert "Shop" in shown


def test_the_readme_begins_with_the_two_commands() -> None:
    text = README.read_text(encoding="utf-8")
    first, *_ = read_blocks(README, "sh")
    targets = re.findall(r"^([a-z-]+):", (ROOT / "Makefile").read_text(), flags=re.MULTILINE)

    assert re.findall(r"^make (\w+)", first, flags=re.MULTILINE) == ["run", "test"]
    assert set(re.findall(r"`make ([\w-]+)`", text)) <= set(targets)
