"""The served document against the running server: generated requests, every answer held to what is documented.

Schemathesis is run as anybody would run it, with all its checks: as nobody, as a customer and as a guest. What it may
not know stands in `schemathesis.toml`.
"""

import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from datetime import timedelta
from functools import partial
from pathlib import Path

import pytest
from django.utils import timezone

from aftercart.accounts.models import User
from aftercart.accounts.sessions import SessionStore
from aftercart.demo.kinds import NAMED
from aftercart.demo.seed import seed_demo
from aftercart.orders.guests import Guest, admit_by_code, admit_by_link
from aftercart.orders.models import Order
from tests.processes import ShopClient, running_web
from tests.strength import find_turn

pytestmark = pytest.mark.django_db(transaction=True)

CONFIGURATION = Path(__file__).parent / "schemathesis.toml"
#: How many requests an identity sends at least, and how many examples of an operation are tried for that.
QUICK, DEEP = (130, "5"), (1_700, "12")
_NOT_AS_SOMEBODY = ("--exclude-operation-id", "log_out", "--exclude-operation-id", "log_out_by_get")


@pytest.fixture
def shop() -> Iterator[str]:
    """Serve the demo, whose orders the document's examples name; Omnitron is away."""
    seed_demo(timezone.now())
    with running_web("http://127.0.0.1:9", OMNITRON_DIALOGUE_SECONDS="1") as address:
        yield address


def enter_as_customer() -> str:
    """Return the session key of the demo's first customer."""
    client = ShopClient("http://unused.invalid").enter(User.objects.get(email=NAMED[0].email))
    return str(client.client.cookies["sessionid"])


def enter_as_guest(*, has_code: bool = True) -> str:
    """Return the key of a session that has proved a guest's order to be its own: by a code, or by a link alone."""
    order = Order.objects.filter(user=None).latest("created_date")
    session, now = SessionStore(), timezone.now()
    guest = Guest(order.pk, order.link_version)
    if has_code:
        admit_by_code(session, guest, now=now)
    else:
        admit_by_link(session, guest, expires_at=now + timedelta(days=1), now=now)
    session.save()
    return str(session.session_key)


IDENTITIES: dict[str, Callable[[], str] | None] = {
    "nobody": None,
    "a customer": enter_as_customer,
    "a guest": enter_as_guest,
    "who has a guest's link": partial(enter_as_guest, has_code=False),
}


def generate(shop: str, key: str | None, examples: str, phases: str) -> str:
    """Have requests generated and answers checked; return what is said of it in the end."""
    token = "c" * 32
    cookies = f"csrftoken={token}" + (f"; sessionid={key}" if key else "")
    done = subprocess.run(
        [
            sys.executable, "-m", "schemathesis.cli", "--config-file", str(CONFIGURATION), "run",
            f"{shop}/api/schema/", "--url", shop, "--phases", phases, "--max-examples", examples,
            "--seed", str(find_turn()), "--generation-database", "none", "--continue-on-failure", "--no-color",
            "--request-timeout", "20", "-H", f"Cookie: {cookies}", "-H", f"X-CSRFToken: {token}",
            *(_NOT_AS_SOMEBODY if key else ()),
        ],
        capture_output=True,
        text=True,
        timeout=600,
        check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout[-12_000:] + done.stderr[-2_000:]
    return done.stdout


def count_requests(said: str) -> int:
    """Read how many requests were generated."""
    found = re.search(r"(\d+) generated", said)
    assert found is not None, said
    return int(found[1])


@pytest.mark.rotating("who")
@pytest.mark.parametrize("who", IDENTITIES)
def test_every_answer_is_as_documented(shop: str, who: str) -> None:
    enter = IDENTITIES[who]
    most, examples = QUICK

    said = generate(shop, enter() if enter else None, examples, "examples,fuzzing")

    assert count_requests(said) >= most


@pytest.mark.deep
@pytest.mark.timeout(900)
@pytest.mark.parametrize("who", IDENTITIES)
def test_every_answer_of_thousands_is_as_documented(shop: str, who: str) -> None:
    enter = IDENTITIES[who]
    most, examples = DEEP

    said = generate(shop, enter() if enter else None, examples, "examples,coverage,fuzzing")

    assert count_requests(said) >= most
