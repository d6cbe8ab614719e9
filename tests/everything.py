"""All of Aftercart as `make run` starts it: database, Omnitron sandbox, web, worker, demo."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.processes import ROOT, find_free_port


@contextmanager
def running_everything(folder: Path, *, python: Path | None = None, **more: str) -> Iterator[str]:
    """Run what `make run` runs, on free ports, until it says what to open; gives what it has said.

    `folder` is its `AFTERCART_VAR`, and has `demo.json` by then; `python` has Aftercart installed, and None is ours
    with the sources; `more` are settings.
    """
    unset = {"DATABASE_URL", "OMNITRON_URL", "COMMERCE_URL", "PUBLIC_URL", "SECRET_KEY", "AFTERCART_ENV"}
    environment = {name: value for name, value in os.environ.items() if name not in unset}
    environment |= {
        "AFTERCART_VAR": str(folder),
        "PORT": str(find_free_port()),
        "SANDBOX_PORT": str(find_free_port()),
        "COMMERCE_SANDBOX_PORT": str(find_free_port()),
        "WEB_PROCESSES": "1",
        "PYTHONPATH": "" if python else os.pathsep.join([str(ROOT / "src"), str(ROOT)]),
        **more,
    }
    log_path = folder / "run.log"
    with log_path.open("wb") as log:
        process = subprocess.Popen(
            [python or sys.executable, "-m", "aftercart", "run"],
            cwd=folder,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
        )
    try:
        assert process.stdout is not None
        said = ""
        for line in process.stdout:
            said += line
            if "All of the demo" in line:
                break
        else:
            pytest.fail(f"`aftercart run` ended at once:\n{said}\n{log_path.read_text()}")
        with drained(process):
            yield said
    finally:
        process.send_signal(signal.SIGTERM)
        assert process.wait(120) == 0


@contextmanager
def drained(process: "subprocess.Popen[str]") -> Iterator[None]:
    """Read on what a process prints, so that a full pipe does not stop it."""
    drain = subprocess.Popen(["cat"], stdin=process.stdout, stdout=subprocess.DEVNULL)
    assert process.stdout is not None
    process.stdout.close()
    yield
    drain.kill()
    drain.wait()
