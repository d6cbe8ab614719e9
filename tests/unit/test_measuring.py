"""What a benchmark says of processors is what processes have had."""

import os
import subprocess
import sys

from bench.servers import measure_processor

_BUSY = "import time\nwhile time.process_time() < 0.4: pass"  # counted in hundredths, each field cut


def test_the_time_of_processes_below_counts_also_when_they_have_ended_and_that_of_others_does_not() -> None:
    with subprocess.Popen(["cat"], stdin=subprocess.PIPE) as other:
        before = measure_processor(os.getpid())

        subprocess.run([sys.executable, "-c", _BUSY], check=True)

        assert measure_processor(os.getpid()) - before >= 0.3
        assert measure_processor(other.pid) < 0.3
        other.communicate(b"")


def test_a_process_that_is_gone_has_had_nothing() -> None:
    process = subprocess.Popen(["true"])
    process.wait()

    assert measure_processor(process.pid) == 0
