"""``python -m tests.deep``: everything at full strength, as before a release; `--fifth`: what this commit's turn is.

Three parts: every case with ten times the examples; the coverage, with a floor; and the newest Python that this
machine has. `--fifth` runs a fifth of the first, so that five commits in a row with different turns run about all of
it; the other two, which run most tests again, are in the whole alone. Exit code 1 if a part fails; all are run.
"""

import argparse
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import click

from tests.strength import find_turn

ROOT = Path(__file__).parents[1]
#: Per cent of lines and branches of `src/aftercart` that the tests in this process reach. It only goes up.
COVERAGE_FLOOR = 85
NEWER = ("python3.15", "python3.14", "python3.13")
_IN_PROCESS = ("unit", "db", "http", "races", "remote")


def main() -> int:
    """Run what was asked for; 1 if anything failed."""
    parser = argparse.ArgumentParser(prog="python -m tests.deep", description=__doc__)
    parser.add_argument("--fifth", action="store_true", help="only what this commit's turn is")
    parser.add_argument("--turn", help="as pytest's: a number that chooses and seeds, or `random`")
    asked = parser.parse_args()
    strong = ["--deep", "--turn", str(find_turn(asked.turn)), *(["--fifth"] if asked.fifth else [])]
    parts: list[tuple[str, Callable[[], bool]]] = [
        ("at full strength", partial(run_tests, sys.executable, *strong))
    ]
    if not asked.fifth:
        parts += [("coverage", run_coverage), ("the newest Python", run_newer_python)]
    failed = []
    for name, run in parts:
        click.echo(f"\n== {name} ==")
        if not run():
            failed.append(name)
    click.echo(f"deep run: {'FAILED: ' + ', '.join(failed) if failed else 'all passed'}")
    return 1 if failed else 0


def run_tests(python: str, *options: str) -> bool:
    """Run pytest in parallel; return whether it passed."""
    command = [python, "-m", "pytest", "-n", "auto"]
    done = subprocess.run([*command, "--durations=20", *options, "tests"], cwd=ROOT, check=False)
    return done.returncode == 0


def run_coverage() -> bool:
    """Run the tests that work in pytest's own process, traced, and hold the floor."""
    floor = f"--cov-fail-under={COVERAGE_FLOOR}"
    return run_tests(sys.executable, "--cov", "--cov-report=term", floor, *leave_out())


def leave_out() -> list[str]:
    """List the options that leave out what runs in other processes."""
    folders = sorted(path.name for path in (ROOT / "tests").iterdir() if path.is_dir())
    return [f"--ignore=tests/{name}" for name in folders if name not in _IN_PROCESS]


def run_newer_python() -> bool:
    """Run such tests with the newest Python beside this one; say so loudly where there is none."""
    found = next(find_newer_pythons(), None)
    if found is None:
        click.echo("NOT RUN: there is no Python newer than this one on this machine")
        return True
    python = install_into(ROOT / f".venv-{found.name.removeprefix('python')}", found)
    return run_tests(str(python), *leave_out())


def find_newer_pythons() -> Iterator[Path]:
    """Find Pythons that work, newest first: on the path, or installed by pyenv."""
    for name in NEWER:
        candidates = [Path(found)] if (found := shutil.which(name)) else []
        candidates += sorted(Path.home().glob(f".pyenv/versions/*/bin/{name}"), reverse=True)
        for path in candidates:
            if f"python{sys.version_info.major}.{sys.version_info.minor}" != name and _works(path):
                yield path


def _works(path: Path) -> bool:
    return (
        subprocess.run([path, "-c", "import ssl, sqlite3"], capture_output=True, check=False).returncode == 0
    )


def install_into(folder: Path, python: Path) -> Path:
    """Install what the lock file names into an environment of that Python; return its interpreter."""
    inside = folder / "bin" / "python"
    stamp = folder / "dev.stamp"
    lock = ROOT / "requirements" / "dev.txt"
    if stamp.exists() and stamp.stat().st_mtime > lock.stat().st_mtime:
        return inside
    subprocess.run([python, "-m", "venv", "--clear", folder], check=True)
    pip = [str(inside), "-m", "pip", "install", "-q", "--disable-pip-version-check"]
    subprocess.run([*pip, "--no-deps", "--require-hashes", "-r", lock], check=True)
    subprocess.run([*pip, "--no-deps", "--no-build-isolation", "-e", ROOT], check=True)
    stamp.touch()
    return inside


if __name__ == "__main__":
    sys.exit(main())
