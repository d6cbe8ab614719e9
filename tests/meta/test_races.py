"""Every lock and every unique constraint has a test that shows the race without it; checks have one too.

What is looked for is its name, as a string, in a test: `without_unique("…")`, `without_lock("module.function")`,
or a table that is handed to them.
"""

import ast
from collections.abc import Iterator
from pathlib import Path

from django.apps import apps
from django.db import models

from tests.meta.repository import ROOT

#: Each takes a lock that others wait for; `take_turns` is the advisory lock of lib/locks.py.
_LOCKING = {"lock_order", "select_for_update", "take_turns"}
#: Where these are made, and not used.
_MAKERS = {"selectors.lock_order", "locks.take_turns"}

#: Unique, and yet nothing that two could race for.
_WITHOUT_RACE = {
    "Submission.repeat": "a record is made with its submission, in one transaction",
    "AddressChange.repeat": "a record is made with its change, in one transaction",
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


def list_strings(*folders: Path) -> set[str]:
    """List the strings in the tests of these folders."""
    return {
        node.value
        for folder in folders
        for path in folder.glob("*.py")
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }


RACES = ROOT / "tests" / "races"


def test_every_unique_constraint_has_its_race() -> None:
    unique = set(list_unique())

    assert {"one_open_line_an_item", "accounts_user_email_key"} <= unique  # they have been found
    assert sorted(unique - list_strings(RACES) - _OWED) == []


def test_every_lock_has_its_race() -> None:
    locks = set(list_locks())

    assert {"prepare_submission._lock", "poll_updates._advance", "write_orders.write_orders"} <= locks
    assert sorted(locks - list_strings(RACES) - _OWED) == []


def test_every_check_has_a_test() -> None:
    checks = set(list_checks())

    assert "a_line_has_units" in checks
    assert sorted(checks - list_strings(ROOT / "tests" / "db", RACES)) == []


def test_what_is_said_to_have_no_race_is_there() -> None:
    unique = {
        f"{model.__name__}.{field.name}"
        for model in list_models()
        for field in model._meta.local_fields
        if field.unique
    }

    assert set(_WITHOUT_RACE) <= unique


def test_what_is_owed_is_still_missing() -> None:
    assert sorted(_OWED & list_strings(RACES)) == []
