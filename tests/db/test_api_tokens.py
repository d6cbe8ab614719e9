"""`aftercart token`: tokens are created, listed and revoked; the secret is shown once."""

from datetime import timedelta

import pytest
from click.testing import CliRunner, Result
from django.utils import timezone
from pytest_django import Settings

from aftercart.accounts.models.api_tokens import (
    ORDERS_WRITE,
    ApiToken,
    create_token,
    find_token,
    revoke_token,
)
from aftercart.cli_token import token

pytestmark = pytest.mark.django_db


@pytest.fixture(autouse=True)
def _running_database(settings: Settings) -> None:
    settings.IS_DATABASE_EMBEDDED = False  # the tests have one that runs


def call(*arguments: str) -> Result:
    return CliRunner().invoke(token, arguments)


def test_a_token_is_printed_once_and_is_good_until_it_is_revoked() -> None:
    created = call("create", "ERP", "--days", "30")
    secret = created.stdout.splitlines()[0]

    row = ApiToken.objects.get()
    assert find_token(secret) == row
    assert (row.name, row.scopes) == ("ERP", [ORDERS_WRITE])
    assert timedelta(days=29, hours=23) < row.expires_at - timezone.now() < timedelta(days=30, hours=1)
    listed = call("list").stdout
    assert f"{row.prefix}…  ERP  orders:write  until" in listed
    assert "never used" in listed
    assert secret not in listed

    assert call("revoke", row.prefix).exit_code == 0
    assert find_token(secret) is None
    assert "revoked" in call("list").stdout


@pytest.mark.parametrize("prefix", ["", "act_", "act_unknown"])
def test_what_names_no_token_revokes_none(prefix: str) -> None:
    secret = create_token("ERP", (ORDERS_WRITE,), timezone.now() + timedelta(days=1))[1]

    assert call("revoke", prefix).exit_code == 1
    assert find_token(secret) is not None


def test_a_token_is_revoked_once() -> None:
    row, _secret = create_token("ERP", (ORDERS_WRITE,), timezone.now() + timedelta(days=1))

    assert (revoke_token(row.prefix), revoke_token(row.prefix)) == (1, 0)
