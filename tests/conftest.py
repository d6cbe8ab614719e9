"""What all tests share."""

from collections.abc import Iterator

import pytest
from pytest_django import Settings

from tests.queues import empty_queue


@pytest.fixture(autouse=True)
def _quick_passwords(settings: Settings) -> None:
    """Hash passwords cheaply; what a hash costs is Django's to test."""
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]


@pytest.fixture(autouse=True)
def _own_queue(request: pytest.FixtureRequest) -> Iterator[None]:
    """Empty the queue after a test that commits: Django's flush passes over tables that are not its own."""
    marker = request.node.get_closest_marker("django_db")
    commits = bool(marker and marker.kwargs.get("transaction")) or "live_server" in request.fixturenames
    if commits:
        request.getfixturevalue("transactional_db")
    yield
    if commits:
        empty_queue()
