"""What each setting allows, and that what it does not is told in one sentence that names it and no secret."""

from typing import Any

import pytest
from django.core.exceptions import ImproperlyConfigured

from aftercart.lib.configuration import OPTIONS, STATUSES, Configuration
from aftercart.orders.status import Status

STRONG = "f7Kq2mXv9RtLw4Zb8NcJ6sHd3GpYe5Ua"
PRODUCTION = {
    "AFTERCART_ENV": "production",
    "SECRET_KEY": STRONG,
    "ALLOWED_HOSTS": "orders.example.com",
    "DATABASE_URL": "postgresql://aftercart@localhost/aftercart",
    "EMAIL_URL": "smtp://mail.example.com",
}
#: Values that are refused everywhere; the texts of the last ones are secret.
REFUSED = [
    ("AFTERCART_ENV", "prod", "AFTERCART_ENV must be local or production, not 'prod'."),
    ("AFTERCART_ENV", "Production", "AFTERCART_ENV must be local or production, not 'Production'."),
    ("AFTERCART_HOST", "no host", "AFTERCART_HOST must be a host name or an address"),
    ("PORT", "0", "PORT must be a number from 1 to 65535, not '0'."),
    ("PORT", "80.5", "PORT must be a whole number, not '80.5'."),
    ("WEB_THREADS", "nan", "WEB_THREADS must be a number from 1 to 1024, not 'nan'."),
    ("LINK_DAYS", "-1", "LINK_DAYS must be a number from 0 to 36500, not '-1'."),
    ("OMNITRON_CONNECT_SECONDS", "inf", "OMNITRON_CONNECT_SECONDS must be a number from 0.001"),
    ("EASY_RETURN", "maybe", "EASY_RETURN must be true or false, not 'maybe'."),
    ("TIME_ZONE", "Europe/Istambul", "TIME_ZONE must be a time zone of the IANA database"),
    ("TIME_ZONE", "Europe", "TIME_ZONE must be a time zone of the IANA database"),
    ("TIME_ZONE", "../UTC", "TIME_ZONE must be a time zone of the IANA database"),
    ("TIME_ZONE", "/etc/localtime", "TIME_ZONE must be a time zone of the IANA database"),
    ("TIME_ZONE", "posix/Europe/Istanbul", "TIME_ZONE must be a time zone of the IANA database"),
    ("TIME_ZONE", "right/UTC", "TIME_ZONE must be a time zone of the IANA database"),
    ("AFTERCART_LANGUAGE", "de", "AFTERCART_LANGUAGE must be en or tr, not 'de'."),
    ("LOG_LEVEL", "info", "LOG_LEVEL must be DEBUG, INFO, WARNING or ERROR, not 'info'."),
    ("LOG_FORMAT", "xml", "LOG_FORMAT must be text or json, not 'xml'."),
    ("PUBLIC_URL", "orders.example.com", "PUBLIC_URL must be an http or https address"),
    ("PUBLIC_URL", "ftp://orders.example.com", "PUBLIC_URL must be an http or https address"),
    ("PUBLIC_URL", "https://", "PUBLIC_URL must be an http or https address"),
    ("PUBLIC_URL", "https://a.example.com:99999", "PUBLIC_URL must be an http or https address"),
    ("PUBLIC_URL", "https://a.example.com/?x", "PUBLIC_URL must be one without ? and #"),
    ("OMNITRON_URL", "http://[::1", "OMNITRON_URL must be an http or https address"),
    ("OMNITRON_API_PREFIX", "/api v1", "OMNITRON_API_PREFIX must be a path"),
    ("OMNITRON_ADDRESS_PATH", "channel/{channel}/", "OMNITRON_ADDRESS_PATH must be a path"),
    ("OMNITRON_ADDRESS_METHOD", "GET", "OMNITRON_ADDRESS_METHOD must be POST, PUT or PATCH, not 'GET'."),
    ("ALLOWED_HOSTS", "https://orders.example.com", "ALLOWED_HOSTS must be names of hosts"),
    ("ALLOWED_HOSTS", "orders.example.com:8000", "ALLOWED_HOSTS must be names of hosts"),
    ("CSRF_TRUSTED_ORIGINS", "shop.example.com", "CSRF_TRUSTED_ORIGINS must be an http or https address"),
    (
        "CSRF_TRUSTED_ORIGINS",
        "https://shop.example.com/a",
        "CSRF_TRUSTED_ORIGINS must be an address without a path",
    ),
    ("CANCEL_STATUSES", "200,201", "CANCEL_STATUSES must be 50, 100"),
    ("REVIEW_TYPES", "cancel,return", "REVIEW_TYPES must be cancel or refund, not 'cancel,return'."),
    (
        "REVIEW_ABOVE_AMOUNT",
        "1.000,50",
        "REVIEW_ABOVE_AMOUNT must be an amount, as in 1500.00, not '1.000,50'.",
    ),
    ("REVIEW_ABOVE_AMOUNT", "NaN", "REVIEW_ABOVE_AMOUNT must be an amount from 0 on, not 'NaN'."),
    (
        "LOYALTY_CURRENCY",
        "TRL",
        "LOYALTY_CURRENCY must be the ISO 4217 code of a currency, as in TRY, not 'TRL'.",
    ),
    ("WITHDRAWAL_COUNTRIES", "de,uk", "WITHDRAWAL_COUNTRIES must be ISO 3166 codes of countries"),
    ("HOLIDAYS", "2026-02-30", "HOLIDAYS must be days as in 2026-04-23, not '2026-02-30'."),
    ("SHOP_NETWORKS", "10.1.0.0/33", "SHOP_NETWORKS must be addresses or networks"),
    ("SHOP_COLOUR", "#12345", "SHOP_COLOUR must be # and six hexadecimal digits, not '#12345'."),
    ("SHOP_NAME", "a\nb", "SHOP_NAME must be one line without control characters"),
    ("BRAND_FOLDER", "/nowhere", "BRAND_FOLDER must be a folder that is there, not '/nowhere'."),
    ("DEFAULT_FROM_EMAIL", "Shop", "DEFAULT_FROM_EMAIL must be an e-mail address"),
    ("EMAIL_URL", "imap://me:hush@mail.example.com", "EMAIL_URL must be smtp://"),
    ("OMNITRON_URL", "http://me:hush@oms.example.com", "OMNITRON_URL must be an http or https address"),
    ("DATABASE_URL", "mysql://me:hush@db/shop", "DATABASE_URL must be a PostgreSQL URI"),
]
#: Values that only a production refuses.
WEAK = [
    ("SECRET_KEY", "a"),
    ("SECRET_KEY", "hush-hush"),
    ("SECRET_KEY", "hushhush" * 8),
    ("SECRET_KEY", f"django-insecure-hush{STRONG}"),
    ("SECRET_KEY_FALLBACKS", f"{STRONG},hush"),
    ("FIELD_ENCRYPTION_KEYS", "hush"),
    ("FIELD_ENCRYPTION_KEYS", f"hush,{STRONG}"),
    ("METRICS_TOKEN", "hush"),
    ("OMNITRON_WEBHOOK_SECRETS", f"{STRONG},hush"),
]


def complain(monkeypatch: pytest.MonkeyPatch, **values: str) -> list[str]:
    for option in OPTIONS:
        monkeypatch.delenv(option.name, raising=False)
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return Configuration().list_problems()


def test_every_default_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert complain(monkeypatch) == []


def test_a_complete_production_is_allowed(monkeypatch: pytest.MonkeyPatch) -> None:
    assert complain(monkeypatch, **PRODUCTION) == []


@pytest.mark.parametrize(("name", "value", "sentence"), REFUSED)
def test_what_makes_no_sense_is_told_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str, sentence: str
) -> None:
    [problem] = complain(monkeypatch, **{name: value})

    assert problem.startswith(sentence)
    assert "hush" not in problem
    with pytest.raises(ImproperlyConfigured) as raised:
        Configuration().check()
    assert str(raised.value) == problem


@pytest.mark.parametrize(("name", "value"), WEAK)
def test_a_production_wants_strong_secrets_and_repeats_none(
    monkeypatch: pytest.MonkeyPatch, name: str, value: str
) -> None:
    assert complain(monkeypatch, **{name: value}) == []

    [problem] = complain(monkeypatch, **{**PRODUCTION, name: value})

    assert problem.startswith(f"{name} must be at least ")
    assert "hush" not in problem


@pytest.mark.parametrize("hosts", ["*", "orders.example.com,*"])
def test_a_production_serves_no_host_that_a_client_makes_up(
    monkeypatch: pytest.MonkeyPatch, hosts: str
) -> None:
    assert complain(monkeypatch, ALLOWED_HOSTS=hosts) == []

    [problem] = complain(monkeypatch, **{**PRODUCTION, "ALLOWED_HOSTS": hosts})

    assert problem.startswith("ALLOWED_HOSTS must be names of hosts; * would serve")


def test_all_problems_are_told_at_once_unless_it_is_unknown_whether_it_is_production(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    problems = complain(monkeypatch, AFTERCART_ENV="production", PORT="x", TIME_ZONE="y")
    assert [problem.split(" must ")[0] for problem in problems] == [
        "PORT", "TIME_ZONE", "SECRET_KEY", "ALLOWED_HOSTS", "DATABASE_URL", "EMAIL_URL",
    ]  # fmt: skip
    assert len(complain(monkeypatch, AFTERCART_ENV="prod", PORT="x")) == 1


@pytest.mark.parametrize(
    ("name", "value", "read"),
    [
        ("TRUSTED_PROXY", "Yes", True),
        ("ALLOWED_HOSTS", " a.example.com, .example.org,[::1] ", ["a.example.com", ".example.org", "[::1]"]),
        ("CSRF_TRUSTED_ORIGINS", "https://*.example.com", ["https://*.example.com"]),
        ("WITHDRAWAL_COUNTRIES", "TR, de", frozenset({"tr", "de"})),
        ("WITHDRAWAL_COUNTRIES", "*", frozenset({"*"})),
        ("LOYALTY_CURRENCY", "eur", "EUR"),
        ("SECRET_KEY_FALLBACKS", "one,two", ["one", "two"]),
        ("REVIEW_TYPES", "", frozenset()),
        ("OMNITRON_URL", "http://omnitron:8080/base/", "http://omnitron:8080/base/"),
        ("PUBLIC_URL", "http://[::1]:8000", "http://[::1]:8000"),
    ],
)  # fmt: skip
def test_what_makes_sense_is_read(monkeypatch: pytest.MonkeyPatch, name: str, value: str, read: Any) -> None:
    assert complain(monkeypatch, **{name: value}) == []
    assert Configuration().read(name) == read


def test_the_statuses_are_those_of_orders() -> None:
    assert set(STATUSES) == {status.value for status in Status}
