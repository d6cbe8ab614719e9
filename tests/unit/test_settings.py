"""What a production refuses to start without; each in a process of its own, as settings are read once."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from aftercart.lib.mail_server import parse_mail_url

pytestmark = pytest.mark.slow  # each starts a process

COMPLETE = {
    "AFTERCART_ENV": "production",
    "SECRET_KEY": "long enough and random enough for a test",
    "ALLOWED_HOSTS": "orders.example.com",
    "DATABASE_URL": "postgresql://aftercart@localhost/aftercart",
    "EMAIL_URL": "smtp+tls://orders:p%40ss@mail.example.com",
}


COOKIES = "s.SESSION_COOKIE_SECURE, s.CSRF_COOKIE_SECURE"


def start(
    folder: Path, environment: dict[str, str], shown: str = COOKIES
) -> subprocess.CompletedProcess[str]:
    command = f"import aftercart.settings as s; print({shown})"
    inherited = {name: os.environ[name] for name in ("PATH", "PYTHONPATH") if name in os.environ}
    paths = os.pathsep.join(path for path in sys.path if path)
    return subprocess.run(
        [sys.executable, "-c", command],
        env={**inherited, "PYTHONPATH": paths, "AFTERCART_VAR": str(folder), **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_complete_production_starts_with_secure_cookies(tmp_path: Path) -> None:
    assert start(tmp_path, COMPLETE).stdout == "True True\n"


def test_a_local_run_needs_nothing(tmp_path: Path) -> None:
    assert start(tmp_path, {}).stdout == "False False\n"
    assert (tmp_path / "secret_key").stat().st_mode & 0o077 == 0


def test_forms_may_lead_to_the_shops_log_in_on_another_host(tmp_path: Path) -> None:
    shop = {"AFTERCART_IDENTITY": "commerce", "COMMERCE_LOGIN_URL": "https://shop.example.com/users/auth"}
    shown = "*s.CONTENT_SECURITY_POLICY['DIRECTIVES']['form-action']"

    assert start(tmp_path, shop, shown).stdout == "'self' https://shop.example.com\n"
    assert start(tmp_path, {}, shown).stdout == "'self'\n"


@pytest.mark.parametrize("name", ["SECRET_KEY", "ALLOWED_HOSTS", "DATABASE_URL", "EMAIL_URL"])
def test_a_production_without_one_of_these_says_which(tmp_path: Path, name: str) -> None:
    result = start(tmp_path, {key: value for key, value in COMPLETE.items() if key != name})

    assert result.returncode == 1
    assert f"ImproperlyConfigured: {name} must be set in production" in result.stderr


@pytest.mark.parametrize(
    ("name", "value", "sentence"),
    [
        ("PORT", "eighty", "PORT must be a number, not 'eighty'."),
        ("EMAIL_URL", "mail.example.com", "EMAIL_URL must be smtp://, smtp+tls:// or smtps:// with a host"),
        ("SHOP_COLOUR", "green", "SHOP_COLOUR must be # and six hexadecimal digits, not 'green'."),
        ("EASY_RETURN", "perhaps", "EASY_RETURN must be true or false, not 'perhaps'."),
    ],
)
def test_a_value_that_makes_no_sense_says_what_would(
    tmp_path: Path, name: str, value: str, sentence: str
) -> None:
    result = start(tmp_path, {name: value})

    assert result.returncode == 1
    assert sentence in result.stderr


@pytest.mark.parametrize("command", ["doctor", "web", "worker", "migrate", "run", "link X"])
def test_no_command_starts_with_a_setting_that_makes_no_sense(tmp_path: Path, command: str) -> None:
    """A `prod` that silently meant local left cookies without Secure."""
    inherited = {"PATH": os.environ["PATH"], "PYTHONPATH": os.pathsep.join(path for path in sys.path if path)}
    result = subprocess.run(
        [sys.executable, "-m", "aftercart", *command.split()],
        env={**inherited, "AFTERCART_VAR": str(tmp_path / "var"), "AFTERCART_ENV": "prod"},
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )

    assert result.returncode == 1
    assert "AFTERCART_ENV must be local or production, not 'prod'." in result.stdout + result.stderr
    assert "Traceback" not in result.stderr
    assert not (tmp_path / "var").exists()


def test_a_mail_server_is_read_from_one_address() -> None:
    assert parse_mail_url("smtp+tls://orders:p%40ss@mail.example.com") == {
        "EMAIL_HOST": "mail.example.com",
        "EMAIL_PORT": 587,
        "EMAIL_HOST_USER": "orders",
        "EMAIL_HOST_PASSWORD": "p@ss",
        "EMAIL_USE_TLS": True,
    }
    assert parse_mail_url("smtp://localhost:2525")["EMAIL_PORT"] == 2525
    assert parse_mail_url("smtps://mail.example.com") == {
        "EMAIL_HOST": "mail.example.com",
        "EMAIL_PORT": 465,
        "EMAIL_HOST_USER": "",
        "EMAIL_HOST_PASSWORD": "",
        "EMAIL_USE_SSL": True,
    }
