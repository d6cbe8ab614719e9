"""A database of its own for a benchmark: an embedded PostgreSQL in a temporary folder, migrated."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def own_database(**options: str) -> Iterator[Path]:
    """Run it with these server options and set Django up on it; give the folder, which is deleted in the end."""
    with tempfile.TemporaryDirectory(prefix="aftercart-bench-") as name:
        folder = Path(name)
        os.environ["AFTERCART_VAR"] = name
        os.environ.pop("DATABASE_URL", None)  # nobody else's
        os.environ["LOG_LEVEL"] = "WARNING"  # or each request that we make is a line
        os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aftercart.settings")
        from aftercart.lib import postgres

        with postgres.running(folder / "postgres", [f"{name}={value}" for name, value in options.items()]):
            import django
            from django.core.management import call_command
            from django.db import connection

            django.setup()
            call_command("migrate", verbosity=0)
            try:
                yield folder
            finally:
                connection.close()
                connection.close_pool()  # type: ignore[attr-defined]  # only PostgreSQL's connection has it
