"""Migrations as their tests need them: found by what they do, there and back."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from uuid import uuid4

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
    """Go back to before a migration, in a copy of the database that ends with this; give the models as they were."""
    suffix = uuid4().hex[:8]
    original = connection.settings_dict["NAME"]
    connection.creation.clone_test_db(suffix, verbosity=0)
    copy = connection.creation.get_test_db_clone_settings(suffix)["NAME"]
    try:
        _connect_to(copy)
        yield migrate(*list_parents(key))
    finally:
        _connect_to(original)
        with connection.cursor() as cursor:
            cursor.execute(f'DROP DATABASE "{copy}" WITH (FORCE)')  # autovacuum may be at it


def _connect_to(database: str) -> None:
    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]  # only PostgreSQL's connection has it
    connection.settings_dict["NAME"] = database
