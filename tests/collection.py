"""A pytest plugin: quick collection.

Each parallel worker reads all tests. Where nothing is compiled yet, as on a clean checkout, each would rewrite the
assertions of all modules, all of them the same one at the same time, which is most of the work: so each begins with
another part, and finds what the others have written.
"""

import gc
import importlib
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

_ROOT = Path(__file__).parents[1]


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_collection(session: pytest.Session) -> Iterator[None]:
    """Have the garbage collector leave alone what is made here and stays until the end: all modules and tests."""
    gc.disable()
    try:
        worker = getattr(session.config, "workerinput", None)
        if worker is not None:
            _import_from(
                int(worker["workerid"].removeprefix("gw")) / worker["workercount"], session.config.args
            )
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


def _import_from(start: float, asked: list[str]) -> None:
    """Import the modules that are asked for, from a place on, and then those before it."""
    paths = [path for name in asked for path in _list_modules(_ROOT / name.partition("::")[0])]
    place = round(len(paths) * start)
    for path in paths[place:] + paths[:place]:
        with suppress(Exception, pytest.skip.Exception):  # it is said when pytest comes to it
            importlib.import_module(".".join(path.relative_to(_ROOT).with_suffix("").parts))


def _list_modules(path: Path) -> list[Path]:
    folders = ("", "*/", "*/*/")  # and not all below: the storefront's packages are, too
    return (
        [path] if path.is_file() else sorted(found for by in folders for found in path.glob(f"{by}test_*.py"))
    )
