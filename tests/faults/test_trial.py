"""A short trial by the harness: real processes under fire, then the books. `make faults` runs a long one.

The mutations show that the harness can fail: with a fault put into Aftercart, the same trial finds it.
"""

import json
import shutil
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tests.faults.harness.chaos import CLUSTER_POINTS, RARE_POINTS
from tests.faults.harness.mutations import MUTATIONS
from tests.faults.harness.trial import FEWEST_SUBMISSIONS
from tests.strength import find_turn, is_deep

ROOT = Path(__file__).parents[2]

#: A trial ends when enough has happened, which a busy machine takes long for.
pytestmark = pytest.mark.timeout(2400)

#: What each mutation makes the books say.
FOUND = {
    "skip-sent-mark": "1 twice",
    "retry-post": "1 twice",
    "drop-index": "1 twice",
    "skip-last-look": "7 late",
    "early-verdict": "7 late",
    "endless-lease": "4 stuck",
}


@pytest.fixture
def folder() -> Iterator[Path]:
    """A folder that is not pytest's, which each run closes to others when it begins: PostgreSQL is another user."""
    path = Path(tempfile.mkdtemp(prefix="aftercart-trial-"))
    yield path
    shutil.rmtree(path, ignore_errors=True)


def run_trial(folder: Path, *options: str) -> tuple[int, dict[str, Any], str]:
    """Run a trial with the turn's seed, which its output names; its exit code, report and output."""
    report = folder / "report.json"
    command = [sys.executable, "-m", "tests.faults.harness", "--hurry", "--keep", str(folder / "trial")]
    command += ["--seed", str(find_turn() % 10**6), "--report", str(report), *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd=ROOT)
    assert report.exists(), done.stdout + done.stderr
    return done.returncode, json.loads(report.read_text("utf-8")), done.stdout


@pytest.mark.deep  # until it has run clean several times: see the late success that it found, mended in sync_order
def test_under_fire_nothing_is_lost_and_nothing_happens_twice(folder: Path) -> None:
    code, report, output = run_trial(folder, "--minutes", "0.5" if is_deep() else "0.2")

    print(output)  # noqa: T201 - its table belongs into the log of a failure
    assert report["violations"] == [], output
    assert report["left"] == {}
    assert set(report["failpoints"]) >= CLUSTER_POINTS - RARE_POINTS
    assert report["submissions"] >= FEWEST_SUBMISSIONS
    assert sum(report["kills"].values()) >= 5
    assert code == 0


def test_every_mutation_is_shown() -> None:
    assert set(FOUND) == set(MUTATIONS)


@pytest.mark.deep  # one or two are in each fifth: to see that the harness sees takes longer than any other test
@pytest.mark.parametrize("mutation", MUTATIONS)
def test_a_fault_put_into_aftercart_is_found(mutation: str, folder: Path) -> None:
    code, report, output = run_trial(folder, "--mutation", mutation, "--rest-minutes", "2")

    found = {violation.partition(":")[0] for violation in report["violations"]}
    assert FOUND[mutation] in found, output
    assert code == 1
