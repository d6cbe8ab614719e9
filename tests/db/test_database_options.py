"""How processes connect to PostgreSQL: within limits, unless a command takes long or the operator says otherwise."""

import os
import subprocess
import sys

import pytest
from django.db import connection

from aftercart.lib.database import Limits, make_options

LIMITS = Limits(lock=10, statement=30, idle=15, silence=20)
SHOW = """
import os
os.environ.setdefault("DJANGO_SETTINGS_MODULE", "aftercart.settings")
from aftercart.command_setup import _set_up
_set_up(takes_long=%s)
from django.db import connection
names = ["lock_timeout", "statement_timeout", "idle_in_transaction_session_timeout"]
with connection.cursor() as cursor:
    for name in names:
        cursor.execute(f"SHOW {name}")
        print(cursor.fetchone()[0], end=" ")
connection.close()
connection.close_pool()
"""


def test_both_ends_look_whether_the_other_is_there() -> None:
    options = make_options(LIMITS, {})

    assert options == {
        "connect_timeout": 5,
        "keepalives": 1,
        "keepalives_idle": 5,
        "keepalives_interval": 5,
        "keepalives_count": 3,
        "tcp_user_timeout": 20_000,
        "options": "-c lock_timeout=10000 -c statement_timeout=30000"
        " -c idle_in_transaction_session_timeout=15000 -c tcp_keepalives_idle=5"
        " -c tcp_keepalives_interval=5 -c tcp_keepalives_count=3 -c tcp_user_timeout=20000",
    }


def test_what_the_operator_says_goes_before_ours() -> None:
    options = make_options(
        LIMITS, {"sslmode": "require", "connect_timeout": 9, "options": "-c lock_timeout=1"}
    )

    assert (options["sslmode"], options["connect_timeout"]) == ("require", 9)
    assert options["options"].endswith(" -c lock_timeout=1")  # of one that is named twice the later counts


@pytest.mark.slow
@pytest.mark.django_db
@pytest.mark.parametrize(("takes_long", "shown"), [(False, "10s 30s 15s"), (True, "0 0 5min")])
def test_a_command_that_takes_long_is_not_bound(takes_long: bool, shown: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT current_database()")
        [name] = cursor.fetchone()
    host = str(connection.settings_dict["HOST"]).replace("/", "%2F")
    url = f"postgresql://{connection.settings_dict['USER']}@{host}/{name}"
    result = subprocess.run(
        [sys.executable, "-c", SHOW % takes_long],
        env={**os.environ, "DATABASE_URL": url},
        capture_output=True,
        text=True,
        check=True,
    )

    assert result.stdout.split() == shown.split()
