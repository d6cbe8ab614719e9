"""What each command needs first: Django, and the embedded database for the while."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

import click

from aftercart.lib.garbage import collecting_rarely


@contextmanager
def django_ready(*, database: bool = True, takes_long: bool = False) -> Iterator[None]:
    """Set Django up; with the embedded database, have it running for the while.

    A command that `takes_long` is not bound by the time limits of web and worker.
    """
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aftercart.settings")
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured  # of which a ConfigurationError is one

    from aftercart.lib import postgres

    try:
        if database and settings.IS_DATABASE_EMBEDDED:
            with postgres.running(settings.EMBEDDED_DATABASE):
                _set_up(takes_long=takes_long)
                try:
                    yield
                finally:
                    close_connections()
        else:
            _set_up(takes_long=takes_long)
            yield
    except (ImproperlyConfigured, postgres.PostgresError) as error:
        raise click.ClickException(str(error)) from error


def _set_up(*, takes_long: bool) -> None:
    import django

    with collecting_rarely():
        django.setup()
    if takes_long:
        from aftercart.lib.database import lift_limits

        lift_limits()


def close_connections() -> None:
    """Let go of the embedded database before it stops, so that it stops quietly."""
    from django.db import connection

    connection.close()
    connection.close_pool()  # type: ignore[attr-defined]  # only PostgreSQL's connection has it
