"""Does a hanging Omnitron slow down those who only read? Ratios of one run, round by round.

    python -m bench.hanging_omnitron [--rounds 5] [--seconds 15] [--readers 4] [--cancellers 8] [--no-breaker]

Starts an embedded PostgreSQL, the sandbox and the web server with its default settings, in a temporary
folder. Readers ask for `GET /users/orders/{id}/` as fast as they are answered; cancellers submit
cancellations to an Omnitron that answers nobody. In each round the readers are first alone, then beside
cancellers whom Omnitron answers, then beside as many whom it does not, so that a machine that is busy with
other things is busy for all three. The claim that it checks: in the median of the rounds, the p99 of the
readers grows by less than half when Omnitron stops answering (the bulkhead holds at most half of a process's
threads). How much more work the cancellations are is told too.
"""

import argparse
import sys
from contextlib import ExitStack

from bench.database import own_database


def read_options() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=15)
    parser.add_argument("--readers", type=int, default=4)
    parser.add_argument("--cancellers", type=int, default=8)
    parser.add_argument(
        "--no-breaker",
        dest="settings",
        action="store_const",
        const={"OMNITRON_BREAKER_FAILURES": "1000000"},
        default={},
        help="every cancellation waits for its whole time: the places for dialogues are full throughout",
    )
    return parser.parse_args()


def main() -> int:
    """Run the benchmark; 1 if the claim does not hold."""
    options = read_options()
    with ExitStack() as stack:
        folder = stack.enter_context(own_database())
        from bench.readers_and_cancellers import compare, make_fixture

        return compare(make_fixture(stack, folder, options), options.rounds)


if __name__ == "__main__":
    sys.exit(main())
