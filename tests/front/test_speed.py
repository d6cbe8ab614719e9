"""What reads are measured by has not fallen by a third (docs/benchmarks.md)."""

import subprocess
import sys

import pytest

from tests.processes import ROOT


@pytest.mark.deep
@pytest.mark.timeout(900)
def test_no_ratio_has_fallen_by_a_third() -> None:
    command = [sys.executable, "-m", "bench.reads", "--rounds", "3", "--seconds", "1", "--slack", "0.67"]
    run = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout + run.stderr
