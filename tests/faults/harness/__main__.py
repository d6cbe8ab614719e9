"""``python -m tests.faults.harness``: one trial, its table, and exit code 1 if the books disagree."""

import argparse
import json
import secrets
import shutil
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from rich.console import Console

from tests.faults.harness.cluster import find_free_port
from tests.faults.harness.mutations import MUTATIONS
from tests.faults.harness.trial import Plan, run_trial

_EPILOG = """\
examples:
  python -m tests.faults.harness                            half a minute of trouble from a random seed
  python -m tests.faults.harness --minutes 10 --seed 7      ten minutes; the seed repeats what is drawn
  python -m tests.faults.harness --mutation skip-sent-mark  a fault in Aftercart: it must be found

It starts PostgreSQL, two web servers, two workers and the Omnitron sandbox in a folder of its own. Customers
submit, repeat, race and retry while calls fail, processes are killed and frozen (also at every named failpoint),
wires are cut, the database restarts, its disk fills up (where root can mount one) and clocks jump. Then it waits
until nothing is under way, and compares both sides' books.
The seed decides what is drawn; the machine decides what meets what, so a seed repeats a trial closely, not
exactly. With violations the folder stays, with all logs and both databases.
"""


def parse_options(arguments: Sequence[str] | None = None) -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.faults.harness",
        description="Aftercart under fire: real processes, faults and kills from a seed, then the books.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--minutes", type=float, default=0.5, help="length of the trouble (%(default)s)")
    parser.add_argument("--seed", type=int, help="what is drawn (random; printed first)")
    parser.add_argument("--customers", type=int, default=12, help="customers at once (%(default)s)")
    parser.add_argument("--mutation", choices=MUTATIONS, default="", help="a fault to put into Aftercart")
    parser.add_argument(
        "--rest-minutes", type=float, default=15, help="longest wait for everything to end (%(default)s)"
    )
    parser.add_argument(
        "--hurry", action="store_true", help="afterwards, do not wait for the times of retries"
    )
    parser.add_argument("--report", type=Path, metavar="FILE", help="write the result there too, as JSON")
    parser.add_argument("--keep", type=Path, metavar="FOLDER", help="work there, and keep it")
    return parser.parse_args(arguments)


def main() -> int:
    """Run a trial; 1 if there are violations."""
    options = parse_options()
    seed = secrets.randbelow(10**6) if options.seed is None else options.seed
    console = Console(highlight=False)
    console.print(f"seed {seed}")
    plan = Plan(
        seed=seed,
        minutes=options.minutes,
        customers=options.customers,
        mutation=options.mutation,
        rest_minutes=options.rest_minutes,
        hurries=options.hurry,
    )
    folder = (options.keep or Path(tempfile.mkdtemp(prefix="aftercart-trial-"))).resolve()
    report = run_trial(plan, folder, tuple(find_free_port() for _ in range(4)))
    report.show(console)
    if options.report is not None:
        options.report.write_text(json.dumps(report.to_json(), indent=2), encoding="utf-8")
    if report.violations:
        console.print(f"logs and databases: {folder}", soft_wrap=True)
    elif options.keep is None:
        shutil.rmtree(folder)
    return 1 if report.violations else 0


if __name__ == "__main__":
    sys.exit(main())
