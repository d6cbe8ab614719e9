"""A pytest plugin: how strong a run is.

A run is quick unless `--deep` says otherwise. The quick one takes of every test marked `rotating` one case, and of the
tests marked `one_of` a kind one test, which the commit chooses, leaves out what is marked `deep`, and has Hypothesis
try a tenth of the examples. What a commit leaves out, another takes; `--fifth` takes a fifth of what only a deep run
does. Both are said in the end.

The commit's number, the turn, seeds what Hypothesis and other dice try as well, so that what passes for a commit passes
for it anywhere. `--turn random` draws a turn instead.
"""

import os
import secrets
import subprocess
import zlib
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings
from hypothesis.internal.conjecture import providers
from hypothesis.internal.constants_ast import Constants

from tests.parts import PARTS, cut

_FOLDER = Path(__file__).parent
_TURN = "AFTERCART_TEST_TURN"
#: Tries of a test without a count of its own. No time limits: they measure the machine.
_EXAMPLES = {"quick": 50, "deep": 1_000}
#: Seconds after which a test hangs: with ten times the examples, on a busy machine.
_DEEP_TIMEOUT = 3_000
#: What takes longest is begun first and what is short last, so that all workers end together. The rest is mixed: while
#: one worker waits, for a process that was killed or a deadline, the others compute.
_FIRST = (
    "faults/test_trial.py",
    "meta/test_readme.py",
    "browser/test_quality_in_a_browser.py",
    "storefront/",
    "front/",
    "remote/test_generated_requests.py",
)
_LAST = ("db/", "unit/")
#: Here each test is long: any worker takes the next. Elsewhere the tests of a file share its fixtures on one worker.
_APART = "tests/faults/"
#: These share processes that are started once a worker.
_TOGETHER = "tests/front/"
_taken = pytest.StashKey[list[str]]()
_shown: list[str] = []


def pytest_addoption(parser: pytest.Parser) -> None:
    """Let the command line say how strong the run is."""
    group = parser.getgroup("strength")
    group.addoption("--deep", action="store_true", help="every case, ten times the examples")
    group.addoption(
        "--fifth", action="store_true", help="with --deep: a fifth of what a quick run leaves out"
    )
    group.addoption("--turn", help="a number that chooses cases, the fifth and seeds, or `random`: draw one")


@pytest.hookimpl(tryfirst=True)
def pytest_configure(config: pytest.Config) -> None:
    """Find whose turn it is, before workers inherit the options, and set Hypothesis up before tests are read."""
    config.option.turn = find_turn(config.option.turn)
    os.environ[_TURN] = str(config.option.turn)  # for `find_turn()` in tests, and in what they start
    name = "deep" if config.option.deep else "quick"
    checks = [HealthCheck.too_slow, HealthCheck.data_too_large, HealthCheck.filter_too_much]
    settings.register_profile(name, max_examples=_EXAMPLES[name], deadline=None, suppress_health_check=checks)
    settings.load_profile(name)
    _seed_hypothesis(config)
    for line in (
        "rotating(argument, opposites=False): a quick run takes one case of it, or two opposite ones, by the commit",
        "one_of(kind): a quick run takes one test of those of a kind, by the commit",
        "deep: only in a deep run",
        "full: only in a full deep run, too heavy for a fifth of one",
        "thorough: a deep run does more of it",
        "slow: takes seconds, so that `make test-fast` leaves it out",
    ):
        config.addinivalue_line("markers", line)


def _seed_hypothesis(config: pytest.Config) -> None:
    """Have the turn alone decide what is tried; `--hypothesis-seed` goes before."""
    if config.option.hypothesis_seed is None:
        config.option.hypothesis_seed = str(config.option.turn)
    # Hypothesis also tries constants of what happens to be imported, of a folder that is not named tests: on another
    # worker, or in another checkout, it would try something else. It has no setting for that.
    assert callable(providers._get_local_constants)
    providers._get_local_constants = Constants


def find_turn(asked: str | int | None = None) -> int:
    """Find the number that is asked for, or else the one that a commit gives; 0 without git."""
    if asked is not None:
        return secrets.randbelow(2**28) if asked == "random" else int(asked)
    if os.environ.get(_TURN):
        return int(os.environ[_TURN])
    command = ["git", "rev-parse", "HEAD"]
    try:
        done = subprocess.run(command, cwd=_FOLDER, capture_output=True, text=True, check=True)
    except (FileNotFoundError, subprocess.CalledProcessError):
        return 0
    return int(done.stdout[:7], 16)


def is_deep() -> bool:
    """Return whether this run is; for modules that choose their cases when they are read."""
    return settings.get_current_profile_name() == "deep"


def examples(deep: int, *, quick: int = 0, **options: Any) -> settings:
    """Have Hypothesis try so many examples in a deep run, a tenth in a quick one unless told; a turn has its own."""
    return settings(max_examples=deep if is_deep() else quick or max(deep // 10, 1), **options)


def pytest_report_header(config: pytest.Config) -> str:
    """Say how strong the run is."""
    kind = "deep" if config.option.deep else "quick"
    fifth = f", fifth {config.option.turn % PARTS + 1} of {PARTS}" if config.option.fifth else ""
    return f"strength: {kind}{fifth}, turn {config.option.turn} (--turn repeats it)"


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out what is not to be run, and put the rest in the order of `_rank`."""
    turn: int = config.option.turn
    if not config.option.deep:
        taken = list(pick_in_turn(items, turn))
        config.stash[_taken] = [item.nodeid for item in taken if _rotates(item)]
    elif config.option.fifth:
        taken = list(take_fifth(items, turn))
        config.stash[_taken] = [item.nodeid for item in taken]
    else:
        taken = items[:]
    left = set(items) - set(taken)
    if left:
        config.hook.pytest_deselected(items=list(left))
    items[:] = sorted(taken, key=_rank)
    if config.option.deep:
        for item in items:
            if not item.get_closest_marker("timeout"):
                item.add_marker(pytest.mark.timeout(_DEEP_TIMEOUT))


def pick_in_turn(items: list[pytest.Item], turn: int) -> Iterator[pytest.Item]:
    """Take whatever is not for deep runs alone; of what rotates, the cases whose turn it is."""
    groups: dict[tuple[object, ...], list[pytest.Item]] = defaultdict(list)
    for item in items:
        groups[_name_group(item)].append(item)
    for (_name, argument, *_), cases in groups.items():
        if argument:
            yield from _take(cases, turn)
        else:
            yield from (case for case in cases if not case.get_closest_marker("deep"))


def _name_group(item: pytest.Item) -> tuple[object, ...]:
    """Name what cases have in common that differ in the argument that rotates alone, or tests of one kind."""
    kind = item.get_closest_marker("one_of")
    if kind is not None:
        return "one of", *kind.args
    marker = item.get_closest_marker("rotating")
    if marker is None:
        return item.nodeid.partition("[")[0], None
    (argument,) = marker.args
    assert isinstance(item, pytest.Function)
    others = {name: repr(value) for name, value in item.callspec.params.items() if name != argument}
    return item.nodeid.partition("[")[0], argument, *sorted(others.items())


def _rotates(item: pytest.Item) -> bool:
    return any(item.get_closest_marker(name) for name in ("rotating", "one_of"))


def _take(cases: list[pytest.Item], turn: int) -> list[pytest.Item]:
    marker = cases[0].get_closest_marker("rotating")
    if marker is not None and marker.kwargs.get("opposites"):
        first = turn % (len(cases) // 2)
        return [cases[first], cases[-1 - first]]
    # Another place for each test, so that what many tests rotate through is all seen in one run.
    place = turn + zlib.crc32(cases[0].nodeid.partition("[")[0].encode())
    return [cases[place % len(cases)]]


def take_fifth(items: list[pytest.Item], turn: int) -> Iterator[pytest.Item]:
    """Take a fifth of what a deep run does and a quick one does not, or not as thoroughly."""
    markers = ("deep", "thorough", "rotating", "one_of", "hypothesis")
    stronger = [
        item
        for item in items
        if any(item.get_closest_marker(name) for name in markers) and not item.get_closest_marker("full")
    ]
    taken = set(cut(_name(item) for item in stronger)[turn % PARTS])
    yield from (item for item in stronger if _name(item) in taken)


def _name(item: pytest.Item) -> str:
    """Name a test from its folder in `tests/` on."""
    return item.nodeid.removeprefix(f"{_FOLDER.name}/")


def _rank(item: pytest.Item) -> tuple[int, int]:
    path = item.path.relative_to(_FOLDER).as_posix()
    for place, prefix in enumerate(_FIRST):
        if path.startswith(prefix):
            return place, 0
    if path.startswith(_LAST):
        return len(_FIRST) + 1, 0
    return len(_FIRST), zlib.crc32(_name_scope(item.nodeid).encode())


def _name_scope(nodeid: str) -> str:
    """Name what one worker runs at a stretch."""
    path, _, _name = nodeid.partition("::")
    if path.startswith(_TOGETHER):
        return _TOGETHER
    return nodeid if path.startswith(_APART) else path


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand to the process that prints what was chosen here."""
    taken = session.config.stash.get(_taken, [])
    output = getattr(session.config, "workeroutput", None)
    if output is None:
        _shown.extend(taken)
    else:
        output["taken"] = taken


@pytest.hookimpl(optionalhook=True, tryfirst=True)  # else xdist, whose plugin is loaded later, answers first
def pytest_xdist_auto_num_workers() -> int:
    """Have twice as many workers as processors: many tests wait for processes, browsers and deadlines."""
    count = os.cpu_count() or 1
    return count * 2


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> Any:
    """Hand out files and long tests, in our order, to whoever is free."""
    from xdist.scheduler import LoadScopeScheduling

    class Scheduling(LoadScopeScheduling):  # type: ignore[misc]  # xdist has no types
        def _split_scope(self, nodeid: str) -> str:
            return _name_scope(nodeid)

    config.option.loadscopereorder = False
    return Scheduling(config, log)


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """Hear from a parallel worker what was chosen: all of them choose the same."""
    if not _shown:
        _shown.extend(getattr(node, "workeroutput", {}).get("taken", []))


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Say which cases this commit's turn was."""
    if _shown:
        terminalreporter.section("this commit's turn")
        for name in _shown:
            terminalreporter.line(name)
