"""The public storefront client, `@akinon/next` as published, works against Aftercart as it is.

Node runs the package's own data layer (its RTK Query endpoints, with their retries), its proxy (`api/client`),
its log-in (`api/auth`) and its log-out (`api/logout`); only Next.js and the shop's settings are stubs.
"""

import json
import os
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
from django.core.management import call_command
from pytest_django import DjangoDbBlocker

from aftercart.accounts.models import District, Session
from aftercart.lib.links import sign_number
from aftercart.loyalty.models import LoyaltyEntry
from tests.faults.conftest import OrderScenario, make_scenario
from tests.processes import running_web
from tests.remote.sandbox_process import SandboxProcess, item_document, order_document
from tests.remote.sandbox_process import running as running_sandbox
from tests.shop import PASSWORD, Line, get_items, make_address, make_order

pytestmark = [
    pytest.mark.django_db,
    pytest.mark.skipif(
        not (shutil.which("node") and shutil.which("npm")),
        reason="NOT RUN: the storefront client needs node and npm",
    ),
    pytest.mark.timeout(900),
]
FOLDER = Path(__file__).parent
#: What the proxy drops on the way, and what it sends instead.
DROPPED = {"x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "origin"}


@pytest.fixture(scope="module")
def script(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install what the lock file names, and bundle the script with the package's sources."""
    installed = FOLDER / "node_modules" / ".package-lock.json"
    if not installed.exists() or installed.stat().st_mtime < (FOLDER / "package-lock.json").stat().st_mtime:
        command = ["npm", "ci", "--ignore-scripts", "--no-audit", "--no-fund"]
        done = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=3000, check=False)
        if done.returncode:
            pytest.skip(f"NOT RUN: npm could not install the storefront client: {done.stderr[-500:]}")
        installed.touch()
    bundle = tmp_path_factory.mktemp("storefront") / "drive.cjs"
    subprocess.run(["node", "build.mjs", str(bundle)], cwd=FOLDER, check=True, timeout=300)
    return bundle


@pytest.fixture(scope="module")
def played(
    script: Path,
    tmp_path_factory: pytest.TempPathFactory,
    django_db_setup: None,  # noqa: ARG001 - a fixture that only has to be there
    django_db_blocker: DjangoDbBlocker,
) -> Any:
    """Play the whole script once; what each call got, and the scenario it was played in."""
    store = tmp_path_factory.mktemp("sandbox") / "omnitron.sqlite3"
    with (
        django_db_blocker.unblock(),
        running_sandbox(store) as sandbox,
        running_web(sandbox.base_url) as base,
    ):
        scenario, world = make_world(sandbox, base)
        done = subprocess.run(
            ["node", str(script)],
            env={**os.environ, "COMMERCE_URL": base, "WORLD": json.dumps(world), "NODE_ENV": "test"},
            capture_output=True,
            text=True,
            timeout=600,
            check=False,
        )
        assert done.returncode == 0, done.stderr[-3000:] + done.stdout[-3000:]
        answers = json.loads(done.stdout.strip().splitlines()[-1])
        return answers, world, read_books(scenario)


def read_books(scenario: OrderScenario) -> dict[str, Any]:
    """Read what has become of it, here and at Omnitron, and leave nothing behind for other tests."""
    submissions = scenario.order.submissions.all()
    books = {
        "statuses": [item.status for item in scenario.items],
        "submissions": sorted((row.state, row.lines.count()) for row in submissions),
        "taken": scenario.count_cancelled(),
        "sent": scenario.count_posts(),
        "sessions": Session.objects.filter(user=scenario.order.user).count(),
    }
    call_command("flush", verbosity=0, interactive=False)  # as after every test with real transactions
    return books


def make_world(sandbox: SandboxProcess, base_url: str) -> tuple[OrderScenario, dict[str, Any]]:
    scenario = make_scenario(sandbox, base_url, Line(), Line())
    user = scenario.order.user
    assert user is not None
    Session.objects.all().delete()  # the scenario's own customer; this one logs in by the package
    home = make_address(user)
    District.objects.create(township=home.township, name="Moda")
    other = make_order(user, Line(), Line())
    documents = [
        item_document(item.pk, quantity=1, status="400", price="100.00") for item in get_items(other)
    ]
    sandbox.load(order_document(other.pk, *documents, number=other.number))
    guests = make_order(None)
    order = scenario.order
    LoyaltyEntry.objects.create(user=user, order=order, currency="TRY", kind="earned", amount=25)
    return scenario, {
        "email": user.email,
        "password": PASSWORD,
        "order": {
            "id": order.pk,
            "number": order.number,
            "signed": sign_number(order.number, purpose="completed", link_version=1),
            "items": [item.pk for item in scenario.items],
        },
        "other": {"number": other.number, "items": [item.pk for item in get_items(other)]},
        "reason": scenario.reason.pk,
        "guest": {"number": guests.number, "email": guests.user_email},
    }


def test_the_application_for_browsers_is_on_the_same_client() -> None:
    package = "node_modules/@akinon/next"
    locks = [json.loads((FOLDER / place / "package-lock.json").read_text()) for place in (".", "shop")]

    here, there = (lock["packages"][package] for lock in locks)
    assert (here["version"], here["integrity"]) == (there["version"], there["integrity"])


def get_statuses(answer: dict[str, Any]) -> list[int]:
    return [call["status"] for call in answer["calls"]]


def test_a_visitor_is_told_to_log_in(played: Any) -> None:
    answers, _world, _books = played

    for name in ("anonymous_orders", "orders_after_logout"):
        assert answers[name]["error"]["status"] == 401
        assert answers[name]["error"]["data"]["code"] == "not_authenticated"


def test_the_log_in_gives_the_sessions_cookies_and_the_customer(played: Any) -> None:
    answers, world, _books = played

    assert answers["login"]["user"]["email"] == world["email"]
    assert answers["cookies"] == ["csrftoken", "osessionid", "sessionid"]


def test_a_wrong_password_is_told_as_the_client_reads_errors(played: Any) -> None:
    """Whatever stands beside `non_field_errors` is a field to this client, which then leaves the sentence out."""
    answers, _world, _books = played

    assert answers["wrong_login"]["errors"] == [
        {"type": "non_field_errors", "data": ["Unable to log in with provided credentials."]}
    ]


def test_a_guest_finds_the_order_by_the_form_that_the_client_sends(played: Any) -> None:
    answers, world, _books = played

    assert [order["number"] for order in answers["guest"]["data"]] == [world["guest"]["number"]]
    [sent] = answers["guest"]["calls"]
    assert sent["headers"]["content-type"] == "application/x-www-form-urlencoded;charset=UTF-8"
    assert answers["wrong_guest"]["error"]["data"]["code"] == "order_not_found"


def test_orders_are_listed_filtered_and_read(played: Any) -> None:
    answers, world, _books = played

    assert {order["number"] for order in answers["orders"]["data"]["results"]} == {
        world["order"]["number"],
        world["other"]["number"],
    }
    assert answers["orders_of_a_time"]["data"]["results"] == []
    assert answers["order"]["data"]["number"] == world["order"]["number"]
    assert answers["foreign_order"]["error"]["status"] == 404
    assert get_statuses(answers["foreign_order"]) == [404] * 4  # the client tries again, whatever the answer
    assert answers["checkout_result"]["data"]["order"]["number"] == world["order"]["number"]
    assert [row["id"] for row in answers["reasons"]["data"]["results"]] == [world["reason"]]


def test_points_are_told(played: Any) -> None:
    answers, world, _books = played

    assert answers["balance"]["data"] == {"balance": "25.00"}
    [entry] = answers["points"]["data"]["results"]
    assert (entry["amount"], entry["order"]) == ("25.00", world["order"]["id"])


def test_the_proxy_sends_what_the_contract_says_it_sends(played: Any) -> None:
    answers, _world, _books = played

    [sent] = answers["cancel"]["calls"]
    assert sent["headers"]["x-requested-with"] == "XMLHttpRequest"
    assert sent["headers"]["content-type"] == "application/json"
    assert {"sessionid", "osessionid", "csrftoken"} <= {
        pair.split("=")[0] for pair in sent["headers"]["cookie"].split("; ")
    }
    assert not DROPPED & set(sent["headers"])


def test_places_and_addresses_work_as_the_forms_use_them(played: Any) -> None:
    answers, _world, _books = played

    for name, place in (
        ("countries", "TR"),
        ("cities", "İstanbul"),
        ("townships", "Kadıköy"),
        ("districts", "Moda"),
    ):
        assert [row["name"] for row in answers[name]["data"]["results"]] == [place]
    for name in ("stores", "store_cities", "store_townships"):
        assert answers[name]["data"]["results"] == []
    added = answers["add_address"]["data"]
    assert (added["title"], added["phone_number"], added["district"]["name"]) == (
        "Work",
        "05321234567",
        "Moda",
    )
    assert answers["edit_address"]["data"]["line"] == "Büyükdere Caddesi 102"
    assert answers["prefer_address"]["data"]["primary"] is True
    listed = answers["addresses"]["data"]["results"]
    assert [row["title"] for row in listed] == ["Summer", "Work", "Home"]
    assert [row["title"] for row in listed if row["primary"]] == ["Work"]
    assert (answers["remove_address"]["error"], get_statuses(answers["remove_address"])) == (None, [204])
    left = answers["addresses_left"]["data"]["results"]
    assert [row["title"] for row in left] == ["Summer", "Home"]
    assert [row["title"] for row in left if row["primary"]] == ["Summer"]


def test_an_address_whose_answer_is_lost_is_sent_again_and_kept_once(played: Any) -> None:
    answers, _world, _books = played

    assert get_statuses(answers["add_address_again"]) == [201, 200]
    assert answers["add_address_again"]["data"]["title"] == "Summer"


def test_an_address_that_makes_no_sense_is_told_field_by_field(played: Any) -> None:
    answers, _world, _books = played

    assert get_statuses(answers["bad_address"]) == [400] * 4
    assert set(answers["bad_address"]["error"]["data"]) == {"city", "code"}


def test_items_are_cancelled_directly_and_the_204_arrives_as_a_success(played: Any) -> None:
    answers, _world, books = played

    assert (get_statuses(answers["cancel"]), answers["cancel"]["error"]) == ([204], None)
    assert books["statuses"] == ["50", "50"]


def test_a_cancellation_whose_answer_is_lost_twice_is_sent_to_omnitron_once(played: Any) -> None:
    answers, _world, books = played

    assert get_statuses(answers["cancel_with_lost_answers"]) == [204, 204, 204]
    assert answers["cancel_with_lost_answers"]["error"] is None
    assert books["submissions"] == [("applied", 1), ("applied", 1)]
    assert (books["sent"], books["taken"]) == (2, [1, 1])


def test_requests_are_recorded(played: Any) -> None:
    answers, world, _books = played

    assert get_statuses(answers["bulk"]) == [201]
    assert [row["order_item"] for row in answers["bulk"]["data"]] == world["other"]["items"]


def test_a_wrong_token_is_refused_and_the_refusal_brings_a_right_one(played: Any) -> None:
    answers, _world, _books = played

    assert get_statuses(answers["no_token"]) == [
        403,
        400,
        400,
        400,
    ]  # the form is empty, which it learns next


def test_the_log_out_ends_the_session(played: Any) -> None:
    answers, _world, books = played

    assert answers["logout"]["error"] is None
    assert books["sessions"] == 0
