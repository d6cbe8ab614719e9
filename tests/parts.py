"""How what only a deep run does is cut into parts of about the same weight, one of which a commit's turn is."""

from collections.abc import Iterable

#: The divisor: so many commits in a row, with different turns, run all of it.
PARTS = 5
#: CPU seconds of a test at full strength, its processes included, as measured; the first that its name begins with.
_SECONDS: tuple[tuple[str, float], ...] = (
    ("spec/test_books.py::test_whatever", 120),
    ("spec/test_books.py", 30),
    ("spec/test_specifications.py", 10),
    ("remote/test_generated_requests.py::test_every_answer_of_thousands", 80),
    ("remote/test_generated_requests.py", 10),
    ("faults/test_trial.py::test_under_fire", 80),
    ("faults/test_trial.py", 40),
    ("faults/test_announced_once.py", 50),
    ("faults/test_every_point.py", 13),
    ("http/test_extreme_orders.py", 50),
    ("browser/test_quality_in_a_browser.py", 45),
    ("meta/test_wheel.py", 40),
    ("http/test_fuzz.py", 30),
    ("front/test_speed.py", 24),
    ("remote/test_orphaned_database.py", 10),
    ("browser/test_large_orders_in_a_browser.py", 9),
    ("db/test_vocabulary_migration.py", 20),
    ("db/test_approvals_migration.py", 20),
    ("db/test_plausible_times.py", 20),
    ("db/test_policy_migration.py", 20),
    ("db/test_names_migration.py", 15),
    ("db/test_deliveries_migration.py", 7),
    ("browser/", 3),
    ("storefront/", 3.5),
    ("unit/", 3),
)
_LIGHT = 1.5
#: Files whose tests share what takes long to set up: each stays whole.
_WHOLE = ("storefront/",)


def cut(names: Iterable[str]) -> list[list[str]]:
    """Cut tests (`folder/file.py::name`) into parts: the heaviest first, each to where the least is yet."""
    units: dict[str, list[str]] = {}
    for name in sorted(names):
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
