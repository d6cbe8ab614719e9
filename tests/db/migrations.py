"""Migrations as their tests need them: found by what they do, there and back."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from django.db import connection
from django.db.migrations.executor import MigrationExecutor

Key = tuple[str, str]


def find_migration(app: str, ending: str) -> Key:
    """Find a migration by the end of its name: numbers change when branches meet."""
    nodes = MigrationExecutor(connection).loader.graph.nodes
    return next((key[0], key[1]) for key in nodes if key[0] == app and key[1].endswith(ending))


def list_parents(key: Key) -> list[Key]:
    """List the migrations of its own app that one follows."""
    parents = MigrationExecutor(connection).loader.graph.node_map[key].parents
    return [(parent.key[0], parent.key[1]) for parent in parents if parent.key[0] == key[0]]


def migrate(*targets: Key) -> Any:
    """Migrate to these, and return the models as they were then."""
    return MigrationExecutor(connection).migrate(list(targets)).apps


@contextmanager
def migrated_before(key: Key) -> Iterator[Any]:
    """Go back to before a migration, and forward to all of them at the end; give the models as they were."""
    leaves = MigrationExecutor(connection).loader.graph.leaf_nodes()
    try:
        yield migrate(*list_parents(key))
    finally:
        migrate(*leaves)
