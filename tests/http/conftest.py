"""Clients for HTTP tests."""

from collections.abc import Iterator

import pytest
from django.test import Client

from aftercart.accounts.models import User
from aftercart.oms.connect import replace_client
from tests.http.browser import Browser
from tests.shop import PASSWORD, Shop


class Api:
    """A JSON client with the storefront's headers: cookies, and the CSRF token of the cookie."""

    def __init__(self) -> None:
        self.client = Client(enforce_csrf_checks=True)

    def log_in(self, user: User, password: str = PASSWORD) -> "Api":
        answer = self.post("/users/login/", {"email": user.email, "password": password})
        assert answer.status_code == 200, answer.content
        return self

    def _headers(self, headers: dict[str, str] | None) -> dict[str, str]:
        token = self.client.cookies.get("csrftoken")
        return {
            "accept": "application/json",
            **({"x-csrftoken": token.value} if token else {}),
            **(headers or {}),
        }

    def get(self, path: str, headers: dict[str, str] | None = None):  # type: ignore[no-untyped-def]  # noqa: ANN201 - Django's test response has no public type
        return self.client.get(path, headers=self._headers(headers))

    def post(self, path: str, body: object, headers: dict[str, str] | None = None):  # type: ignore[no-untyped-def]  # noqa: ANN201 - Django's test response has no public type
        return self.client.post(path, body, content_type="application/json", headers=self._headers(headers))


@pytest.fixture
def client() -> Browser:
    """A browser, where pytest-django's own would be a program that asks for anything."""
    return Browser()


@pytest.fixture
def api() -> Api:
    return Api()


@pytest.fixture
def shop(db: None) -> Iterator[Shop]:  # noqa: ARG001 - a fixture that only has to be there
    """A shop whose Omnitron is the one that views reach."""
    made = Shop()
    with replace_client(made.fake):
        yield made
