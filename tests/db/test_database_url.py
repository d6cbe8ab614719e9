"""DATABASE_URL is PostgreSQL's own URI: all of it reaches Django's parameters, and the server."""

from contextlib import closing
from urllib.parse import quote

import pytest
from django.db import connection
from django.db.backends.postgresql.base import DatabaseWrapper

from aftercart.lib.database import Limits, make_options
from aftercart.lib.database_url import read_database_url


def make_wrapper(url: str, limits: Limits | None = None) -> DatabaseWrapper:
    """Make a connection as settings.py does, with limits or without, and with the defaults that Django adds."""
    read = read_database_url(url)
    if limits is not None:
        read["OPTIONS"] = make_options(limits, read["OPTIONS"])
    defaults = {"ATOMIC_REQUESTS": False, "AUTOCOMMIT": True, "CONN_MAX_AGE": 0, "CONN_HEALTH_CHECKS": False}
    names = dict.fromkeys(("NAME", "USER", "PASSWORD", "HOST", "PORT"), "")
    return DatabaseWrapper({**names, **defaults, "TIME_ZONE": None, "TEST": {}, **read}, alias="other")


@pytest.mark.parametrize(
    ("url", "parameters"),
    [
        (
            "postgresql://me:p%40ss@db.example.com:6432/shop?sslmode=verify-full&sslrootcert=%2Fetc%2Fca.pem",
            {
                "user": "me", "password": "p@ss", "host": "db.example.com", "port": "6432", "dbname": "shop",
                "sslmode": "verify-full", "sslrootcert": "/etc/ca.pem",
            },
        ),
        (
            "postgres://me@one:5433,two:5434/shop?target_session_attrs=read-write&connect_timeout=3",
            {
                "user": "me", "host": "one,two", "port": "5433,5434", "dbname": "shop",
                "target_session_attrs": "read-write", "connect_timeout": "3",
            },
        ),
        (
            "postgresql://%2Fvar%2Frun%2Fpostgresql/shop?application_name=a%20b&options=-c%20lock_timeout%3D5s",
            {
                "host": "/var/run/postgresql", "dbname": "shop", "application_name": "a b",
                "options": "-c lock_timeout=5s",
            },
        ),
        ("postgresql:///shop?host=/run/pg&port=5555", {"host": "/run/pg", "port": "5555", "dbname": "shop"}),
        ("postgresql:///?service=shop", {"service": "shop"}),
        ("postgresql://[::1]/shop", {"host": "::1", "dbname": "shop"}),
    ],
)  # fmt: skip
def test_every_part_of_the_uri_becomes_a_parameter_of_the_connection(
    url: str, parameters: dict[str, str]
) -> None:
    given = make_wrapper(url).get_connection_params()

    of_django = {"cursor_factory", "context", "prepare_threshold", "client_encoding"}
    assert {name: value for name, value in given.items() if name not in of_django} == parameters


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("mysql://me:hush@db/shop", "other databases lack the locks"),
        ("host=db dbname=shop", "other databases lack the locks"),
        ("postgresql://me:hush@db/shop?sslmod=require", "PostgreSQL knows no parameter sslmod"),
        ("postgresql://me:hush@db/shop?sslmode=yes", "sslmode is one of disable, allow, prefer"),
        ("postgresql://me:hush@db/shop?target_session_attrs=any-old", "target_session_attrs is one of any"),
        ("postgresql://me:hush@db/shop?connect_timeout=soon", "connect_timeout is a whole number"),
        ("postgresql://me:hush@db:port/shop", "a port is a number from 1 to 65535"),
        ("postgresql://me:hush@db:5432,two:99999/shop", "a port is a number from 1 to 65535"),
        ("postgresql://me:hu%sh@db/shop", "PostgreSQL cannot read it"),
        ("postgresql://me:hush@db", "it names no database"),
    ],
)
def test_what_postgresql_would_not_take_is_told_without_the_password(url: str, reason: str) -> None:
    with pytest.raises(ValueError, match="a PostgreSQL URI") as raised:
        read_database_url(url)

    assert reason in str(raised.value)
    assert "hu" not in str(raised.value)


@pytest.mark.django_db
def test_parameters_reach_the_server_and_the_next_host_is_tried() -> None:
    database = connection.settings_dict
    host, name = quote(database["HOST"], safe=""), database["NAME"]
    query = "application_name=night%20shift&options=-c%20statement_timeout%3D1234"
    url = f"postgresql://{database['USER']}@127.0.0.1:1,{host}:5432/{name}?{query}"
    other = make_wrapper(url, Limits(lock=0.077, statement=30, idle=15, silence=20))
    found = {}
    with closing(other.get_new_connection(other.get_connection_params())) as opened:
        for parameter in ("application_name", "statement_timeout", "lock_timeout"):
            [found[parameter]] = opened.execute(f"SHOW {parameter}").fetchone()

    assert found == {"application_name": "night shift", "statement_timeout": "1234ms", "lock_timeout": "77ms"}
