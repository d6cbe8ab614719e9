"""A superuser's browser."""

import pytest
from django.test import Client

from tests.http.backoffice_world import log_in, make_staff


@pytest.fixture
def root() -> Client:
    return log_in(make_staff(is_superuser=True))
