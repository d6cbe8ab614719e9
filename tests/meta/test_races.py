"""Every lock and every unique constraint has a test that shows the race without it; checks have one too.

What counts is a name that a test hands to what takes it away, `without_unique("…")` or
`without_lock("module.function")`, itself or as the case of a parametrized test; for a check also what
`pytest.raises(IntegrityError, match=…)` expects. A name in a sentence or in another call counts for nothing.
"""

import ast
from collections.abc import Collection, Iterator, Mapping
from pathlib import Path

from django.apps import apps
from django.db import models

from tests.meta.repository import ROOT

#: Each takes a lock that others wait for; `lock_purpose` is the advisory lock of lib/locks.py.
_LOCKING = {"lock_order", "select_for_update", "lock_purpose"}
#: Where these are made, and not used.
_MAKERS = {"selectors.lock_order", "selectors._lock", "selectors._lock_at_once", "locks.lock_purpose"}

#: Unique, and yet nothing that two could race for.
_WITHOUT_RACE = {
    "ApiToken.digest": "of 32 random bytes, which nobody draws twice",
    "Submission.idempotency_record": "a record is made with its submission, in one transaction",
    "AddressChange.idempotency_record": "a record is made with its change, in one transaction",
    "CancellationRequest.line": "made by whoever has claimed the move of the submission, by an UPDATE",
    "RefundQuote.submission": "a quote is stored with its submission, in one transaction",
    "RefundQuoteLine.line": "what a line was quoted is stored with it, in one transaction",
}

#: What still has no race, by name: to be emptied, and never silently filled.
_OWED: frozenset[str] = frozenset()


def list_models() -> list[type[models.Model]]:
    return [model for model in apps.get_models() if model.__module__.startswith("aftercart.")]


def list_unique() -> Iterator[str]:
    """List the unique constraints of our models by name, those of single fields by PostgreSQL's name."""
    for model in list_models():
        for constraint in model._meta.constraints:
            if isinstance(constraint, models.UniqueConstraint):
                yield constraint.name
        for field in model._meta.local_fields:
            if not field.unique or field.primary_key or isinstance(field, models.UUIDField):
                continue  # ids come from a sequence, or are random
            if f"{model.__name__}.{field.name}" not in _WITHOUT_RACE:
                yield f"{model._meta.db_table}_{field.column}_key"


def list_checks() -> Iterator[str]:
    for model in list_models():
        for constraint in model._meta.constraints:
            if isinstance(constraint, models.CheckConstraint):
                yield constraint.name


def list_locks() -> Iterator[str]:
    """List the places that take a lock, as "module.function"."""
    for path in sorted((ROOT / "src").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            place = f"{path.stem}.{getattr(node, 'name', '')}"
            if isinstance(node, ast.FunctionDef) and place not in _MAKERS and takes_lock(node):
                yield place


def takes_lock(function: ast.FunctionDef) -> bool:
    names = {
        node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        for node in ast.walk(function)
        if isinstance(node, ast.Call)
    }
    return bool(names & _LOCKING)


def list_handed(folder: Path, *takers: str) -> set[str]:
    """List the strings that tests of a folder hand to one of these functions."""
    return {
        text
        for path in folder.glob("test_*.py")
        for text in list_handed_in(ast.parse(path.read_text(encoding="utf-8")), takers)
    }


def list_handed_in(module: ast.Module, takers: Collection[str]) -> Iterator[str]:
    constants = {
        target.id: node.value
        for node in module.body
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None
        for target in (node.targets if isinstance(node, ast.Assign) else [node.target])
        if isinstance(target, ast.Name)
    }
    for function in ast.walk(module):
        if not isinstance(function, ast.FunctionDef):
            continue
        handed = [argument for call in list_calls(function, takers) for argument in list_arguments(call)]
        yield from (
            node.value for node in handed if isinstance(node, ast.Constant) and isinstance(node.value, str)
        )
        if {node.id for node in handed if isinstance(node, ast.Name)} & {
            argument.arg for argument in function.args.args
        }:
            yield from list_cases(function, constants)


def list_calls(function: ast.FunctionDef, names: Collection[str]) -> Iterator[ast.Call]:
    for node in ast.walk(function):
        if isinstance(node, ast.Call) and getattr(node.func, "id", getattr(node.func, "attr", "")) in names:
            yield node


def list_arguments(call: ast.Call) -> Iterator[ast.expr]:
    yield from call.args
    yield from (keyword.value for keyword in call.keywords)


def list_cases(function: ast.FunctionDef, constants: Mapping[str, ast.expr]) -> Iterator[str]:
    """List the strings of a test's cases, also where they stand in a constant of the module."""
    for decorator in function.decorator_list:
        named = [
            constants[n.id] for n in ast.walk(decorator) if isinstance(n, ast.Name) and n.id in constants
        ]
        for node in (n for part in (decorator, *named) for n in ast.walk(part)):
            if isinstance(node, ast.Constant) and isinstance(node.value, str):
                yield node.value


RACES = ROOT / "tests" / "races"


def test_every_unique_constraint_has_its_race() -> None:
    unique = set(list_unique())

    assert {"one_open_line_an_item", "accounts_user_email_key"} <= unique  # they have been found
    assert sorted(unique - list_handed(RACES, "without_unique") - _OWED) == []


def test_every_lock_has_its_race() -> None:
    locks = set(list_locks())

    assert {"read_case.lock_named", "poll_updates._advance", "write_orders.write_orders"} <= locks
    assert sorted(locks - list_handed(RACES, "without_lock", "without_turns") - _OWED) == []


def test_every_check_has_a_test() -> None:
    checks = set(list_checks())

    assert "a_line_has_units" in checks
    tested = list_handed(ROOT / "tests" / "db", "raises") | list_handed(RACES, "without_check")
    assert sorted(checks - tested) == []


def test_a_name_counts_only_where_it_is_taken_away() -> None:
    module = ast.parse(
        """
CASES = {"by table": 1}

def test_it(): "in a sentence"; without_unique("directly"); print("in another call")

@pytest.mark.parametrize("name", CASES)
def test_each(name): without_unique(name)

@pytest.mark.parametrize("name", ["of no use"])
def test_nothing(name): without_unique("at once")
"""
    )

    assert sorted(list_handed_in(module, ["without_unique"])) == ["at once", "by table", "directly", "name"]


def test_what_is_said_to_have_no_race_is_there() -> None:
    unique = {
        f"{model.__name__}.{field.name}"
        for model in list_models()
        for field in model._meta.local_fields
        if field.unique
    }

    assert set(_WITHOUT_RACE) <= unique


def test_what_is_owed_is_still_missing() -> None:
    handed = list_handed(RACES, "without_unique", "without_lock", "without_turns")
    assert sorted(_OWED & handed) == []
