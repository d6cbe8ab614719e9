"""A real web server of one process with few threads, for all tests of a worker."""

from collections.abc import Iterator

import pytest
from pytest_django import DjangoDbBlocker

from tests.processes import running_web

#: Shorter than in production, so that tests of the limits are quick.
BODY_SECONDS = 3.0


@pytest.fixture(scope="session")
def base_url(
    django_db_setup: None,  # noqa: ARG001 - a fixture that only has to be there
    django_db_blocker: DjangoDbBlocker,
) -> Iterator[str]:
    """Run it, without an Omnitron."""
    with django_db_blocker.unblock():
        context = running_web(
            "http://127.0.0.1:9",
            WEB_PROCESSES="1",
            WEB_THREADS="2",
            WEB_BODY_SECONDS=str(BODY_SECONDS),
            WEB_BODIES_MIB="2",
            TRUSTED_PROXY="true",
        )
        base = context.__enter__()
    yield base
    context.__exit__(None, None, None)
