"""What all tests share."""

import os
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any
from unittest import mock
from uuid import uuid4

import pytest
from django.conf import settings as django_settings
from django.db import connection
from django.test import TransactionTestCase
from django.utils import translation
from pytest_django import Settings
from whitenoise.middleware import WhiteNoiseMiddleware

from aftercart.lib.photo_storage import describe_photo_storage
from tests.postgres import MIGRATED
from tests.tables import empty_tables


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Settings) -> None:
    """Hash passwords cheaply; what a hash costs is Django's to test."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def photo_folder(settings: Settings) -> Path:
    """Have each test keep photos in a folder of its own, which is there once something is in it."""
    folder: Path = django_settings.VAR / "photos" / uuid4().hex
    settings.STORAGES = {**settings.STORAGES, "photos": describe_photo_storage(folder, "", "")}
    return folder


@pytest.fixture(autouse=True)
def _no_language_is_left_over() -> Iterator[None]:
    """Forget the language of the last request, which Django leaves active in its thread."""
    yield
    translation.deactivate()


@pytest.fixture(scope="session", autouse=True)
def _empty_tables_after_a_test_that_commits() -> Iterator[None]:
    """Have the queue's tables emptied too, and permissions left: Django's flush does neither."""

    def empty(_case: TransactionTestCase) -> None:
        empty_tables()

    with mock.patch.object(TransactionTestCase, "_fixture_teardown", empty):
        yield


@pytest.fixture(scope="session", autouse=True)
def _static_files_are_read_once() -> Iterator[None]:
    """Have all test clients share what one has read of the static files: each would look at all 200 of them anew."""
    read: dict[tuple[object, ...], dict[str, Any]] = {}
    read_all = WhiteNoiseMiddleware.add_files_from_finders

    def add_files(middleware: WhiteNoiseMiddleware) -> None:
        key = (middleware.max_age, middleware.static_prefix, *django_settings.STATICFILES_DIRS)
        if key not in read:
            read_all(middleware)
            read[key] = middleware.files
        middleware.files = read[key]

    with mock.patch.object(WhiteNoiseMiddleware, "add_files_from_finders", add_files):
        yield


@pytest.fixture(scope="session")
def django_db_modify_db_settings(django_db_modify_db_settings_parallel_suffix: None) -> None:  # noqa: ARG001 - a fixture
    """Have this worker's database copied from the migrated one."""
    if template := os.environ.get(MIGRATED):
        django_settings.DATABASES["default"].setdefault("TEST", {})["TEMPLATE"] = template


@pytest.fixture(scope="session")
def django_db_keepdb(request: pytest.FixtureRequest) -> bool:
    """Leave the databases of the run's own PostgreSQL in it: its folder is deleted with all of them.

    To drop one fails while PostgreSQL tidies it up by itself (autovacuum), as it does after a test of many rows.
    """
    return MIGRATED in os.environ or bool(request.config.getvalue("reuse_db"))


@pytest.fixture(autouse=True)
def _revisions_move_at_once(request: pytest.FixtureRequest) -> None:
    """Have revisions move with each statement in a test that is one transaction: it never commits.

    Nor is it ended for being idle: what it does between two statements may take long on a busy machine.
    """
    if "db" in request.fixturenames:  # however it is asked for, it comes first
        request.getfixturevalue("db")
    if connection.in_atomic_block:
        with connection.cursor() as cursor:
            cursor.execute("SET CONSTRAINTS " + ", ".join(_list_revising()) + " IMMEDIATE")
            cursor.execute("SET LOCAL idle_in_transaction_session_timeout = 0")


@cache
def _list_revising() -> list[str]:
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT conname FROM pg_constraint WHERE contype = 't' AND conname ~ '_revise(_shared)?$'"
        )
        return [name for (name,) in cursor.fetchall()]
