"""How what only a deep run does is cut into parts of about the same weight, one of which a commit's turn is."""

from collections.abc import Iterable

#: The divisor: so many commits in a row, with different turns, run all of it.
PARTS = 5
#: CPU seconds of a test at full strength, its processes included, as measured; the first that its name begins with.
_SECONDS: tuple[tuple[str, float], ...] = (
    ("browser/test_quality_in_a_browser.py", 40),
    ("browser/test_large_orders_in_a_browser.py", 8),
    ("browser/", 3),
    ("faults/test_trial.py", 25),
)
_LIGHT = 1.0
#: Files whose tests share what takes long to set up: each stays whole.
_WHOLE = ("storefront/",)


def cut(names: Iterable[str]) -> list[list[str]]:
    """Cut tests (`folder/file.py::name`) into parts: the heaviest first, each to where the least is yet."""
    units: dict[str, list[str]] = {}
    for name in names:
        units.setdefault(name.partition("::")[0] if name.startswith(_WHOLE) else name, []).append(name)
    parts: list[list[str]] = [[] for _ in range(PARTS)]
    for unit in sorted(units.values(), key=lambda unit: (-weigh(unit), unit)):
        min(parts, key=weigh).extend(unit)
    return parts


def weigh(names: Iterable[str]) -> float:
    """Add up the seconds of tests."""
    return sum(
        next((seconds for start, seconds in _SECONDS if name.startswith(start)), _LIGHT) for name in names
    )
