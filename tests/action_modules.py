"""Find modules of `aftercart.actions` by their own name, whichever room they are in: no name is given twice."""

from functools import cache
from importlib import import_module
from pkgutil import walk_packages
from types import ModuleType

from aftercart import actions


@cache
def find_action(module: str) -> ModuleType | None:
    """Import a module of an action by its last name; None if there is no such action."""
    names = (found.name for found in walk_packages(actions.__path__, "aftercart.actions."))
    matching = [name for name in names if name.rpartition(".")[2] == module]
    assert len(matching) <= 1, matching
    return import_module(matching[0]) if matching else None


def get_action(module: str) -> ModuleType:
    """Import a module of an action by its last name, which must be there."""
    found = find_action(module)
    assert found is not None, module
    return found
