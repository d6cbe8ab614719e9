"""A backup is restored: nothing is sent until Omnitron has been read, and nothing twice. Its ledger judges."""

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings
from django.db import connection

from aftercart.actions.address.change_address import _prepare, change_address, deliver_address
from aftercart.actions.cancel.cancel_items import cancel_items, prepare_submission
from aftercart.actions.cancel.record_submission import Prepared
from aftercart.actions.cancel.request_cancellation import request_cancellation
from aftercart.actions.cancel.send_submission import send_submission
from aftercart.actions.requests.deliver_request import deliver_request
from aftercart.actions.sync.hold_sending import hold_sending, release_sending
from aftercart.actions.sync.reconcile_before_sending import reconcile_before_sending
from aftercart.actions.sync.watch_restores import watch_restores
from aftercart.cancellations.models import AddressChange, CancellationRequest, Submission
from aftercart.cancellations.models.holds import find_hold, may_send
from aftercart.lib import postgres
from aftercart.omnitron.http import Configuration, HttpOmnitron
from aftercart.orders.models import Order
from tests.faults.conftest import OrderScenario, make_scenario
from tests.faults.points import recover
from tests.processes import make_environment
from tests.remote.sandbox_process import PASSWORD, USERNAME, SandboxProcess
from tests.shop import Line, ask, get_statuses, make_address, make_address_command, make_command

pytestmark = [pytest.mark.django_db(transaction=True), pytest.mark.timeout(180)]

Restore = Callable[[], None]


@pytest.fixture
def scenario(transactional_db: None, sandbox: SandboxProcess) -> OrderScenario:  # noqa: ARG001 - a fixture that only has to be there
    """A customer's order of three items, at a sandbox of which nobody else hears."""
    sandbox.control("reset", {})
    return make_scenario(sandbox, "http://127.0.0.1:9", Line(), Line(), Line())


@pytest.fixture
def client(sandbox: SandboxProcess) -> HttpOmnitron:
    """A client as every process of ours has it."""
    where = Configuration(url=sandbox.base_url, username=USERNAME, password=PASSWORD, breaker_failures=10_000)
    return HttpOmnitron(where, may_write=may_send)


def run(program: str, *arguments: str) -> None:
    database = settings.DATABASES["default"]
    host, user = str(database["HOST"]), str(database["USER"])
    command = [str(postgres._programs() / program), "-h", host, "-U", user, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/")
    assert done.returncode == 0, done.stderr


def back_up(folder: Path) -> Restore:
    """Back the database up with PostgreSQL's own tools; what is returned restores it."""
    file, name = folder / "backup.dump", str(connection.settings_dict["NAME"])
    run("pg_dump", "-Fc", "-d", name, "-f", str(file))

    def restore() -> None:
        connection.close()
        connection.close_pool()  # type: ignore[attr-defined]  # only PostgreSQL's connection has it
        run("psql", "-q", "-d", "postgres", "-c", f'DROP DATABASE "{name}" WITH (FORCE)')
        run("psql", "-q", "-d", "postgres", "-c", f'CREATE DATABASE "{name}"')
        run("pg_restore", "-d", name, str(file))

    return restore


def list_writes(sandbox: SandboxProcess) -> list[str]:
    return [
        call["call"]
        for call in sandbox.calls(limit=1000)
        if call["method"] == "POST" and call["call"] != "login"
    ]


def command_of(scenario: OrderScenario, position: int, **fields: Any) -> Any:
    return make_command(scenario.order, ask(scenario.items[position], scenario.reason), **fields)


def do_what_the_backup_knows(scenario: OrderScenario, client: HttpOmnitron) -> tuple[int, int]:
    """Record a submission and a request, of which nothing has been sent yet."""
    prepared = prepare_submission(command_of(scenario, 0, fingerprint="direct"), Submission.Origin.DIRECT)
    assert isinstance(prepared, Prepared)
    request_cancellation(command_of(scenario, 1))
    with client.dialogue() as dialogue:
        assert dialogue.read_order(channel_id=1, number=scenario.order.number).pk
    return int(prepared.submission.pk), CancellationRequest.objects.get().pk


def test_what_was_sent_after_the_backup_is_found_and_nothing_is_sent_again(
    scenario: OrderScenario, client: HttpOmnitron, tmp_path: Path
) -> None:
    submission_pk, request_pk = do_what_the_backup_knows(scenario, client)
    restore = back_up(tmp_path)
    assert send_submission(submission_pk, client).status == 204
    deliver_request(request_pk, client)
    cancel_items(command_of(scenario, 2), client)  # of which the backup will know nothing
    scenario.sandbox.control("decide", {"decision": "approve", "all": True})
    written = list_writes(scenario.sandbox)
    assert written.count("order_cancel") == 2
    restore()

    result = reconcile_before_sending(client)

    assert list_writes(scenario.sandbox) == written
    assert (result.unread, find_hold()) == ([], None)
    recover(client)
    assert list_writes(scenario.sandbox) == written
    assert scenario.count_cancelled() == [1, 0, 1]
    assert Submission.objects.get(pk=submission_pk).state == "applied"
    assert CancellationRequest.objects.get(pk=request_pk).status == "completed"
    assert get_statuses(scenario.order) == ["100", "100", "100"]
    replayed = cancel_items(command_of(scenario, 0, fingerprint="direct"), client)
    assert (replayed.status, replayed.is_replay) == (204, True)


def test_without_the_reading_it_would_be_asked_for_again(
    scenario: OrderScenario, client: HttpOmnitron, tmp_path: Path
) -> None:
    submission_pk, _request_pk = do_what_the_backup_knows(scenario, client)
    restore = back_up(tmp_path)
    assert send_submission(submission_pk, client).status == 204
    written = list_writes(scenario.sandbox)
    restore()

    recover(client)  # as a worker does that is started at once

    assert len(list_writes(scenario.sandbox)) > len(written)
    assert Submission.objects.get(pk=submission_pk).state == "refused"  # and it was applied


def test_what_was_never_sent_goes_on_once_sending_is_released(
    scenario: OrderScenario, client: HttpOmnitron, tmp_path: Path
) -> None:
    submission_pk, request_pk = do_what_the_backup_knows(scenario, client)
    back_up(tmp_path)()
    Submission.objects.update(created_at="2026-01-01T00:00Z")

    result = reconcile_before_sending(client)

    assert (result.unread, list_writes(scenario.sandbox)) == ([], [])
    recover(client)
    assert scenario.count_cancelled() == [0, 0, 0]
    assert list_writes(scenario.sandbox) == ["request_create"] * 2
    assert Submission.objects.get(pk=submission_pk).state == "refused"
    assert CancellationRequest.objects.get(pk=request_pk).is_delivered


def test_an_address_that_was_told_after_the_backup_is_found(
    scenario: OrderScenario, client: HttpOmnitron, tmp_path: Path
) -> None:
    assert scenario.order.user is not None
    address = make_address(scenario.order.user)
    change_pk = _prepare(make_address_command(scenario.order, address))
    assert isinstance(change_pk, int)
    restore = back_up(tmp_path)
    deliver_address(change_pk, client)
    written = list_writes(scenario.sandbox)
    assert len(written) == 1
    restore()

    assert reconcile_before_sending(client).unread == []

    assert AddressChange.objects.get().state == "confirmed"
    order = Order.objects.get(pk=scenario.order.pk)
    assert order.shipping_address is not None
    assert (order.shipping_address["pk"], list_writes(scenario.sandbox)) == (address.pk, written)


def test_while_anything_cannot_be_read_the_hold_stays_and_the_next_run_goes_on(
    scenario: OrderScenario, client: HttpOmnitron
) -> None:
    submission_pk, _request_pk = do_what_the_backup_knows(scenario, client)
    scenario.sandbox.control("faults", {"call": "order_items", "kind": "status", "status": 503, "times": -1})

    result = reconcile_before_sending(client)

    assert result.unread == [f"order {scenario.order.number}"]
    assert find_hold() is not None
    assert send_submission(submission_pk, client).status == 200
    assert list_writes(scenario.sandbox) == []
    scenario.sandbox.client.delete("/sandbox/faults/").raise_for_status()
    assert reconcile_before_sending(client).is_whole
    assert find_hold() is None


def test_on_hold_a_customer_is_served_and_nothing_is_sent(
    scenario: OrderScenario, client: HttpOmnitron
) -> None:
    assert scenario.order.user is not None
    hold = hold_sending("A test.")
    assert hold_sending("Another.") == hold

    moved = change_address(make_address_command(scenario.order, make_address(scenario.order.user)), client)
    cancelled = cancel_items(command_of(scenario, 0), client)
    deliver_request(CancellationRequest.objects.get().pk, client)

    assert (cancelled.status, moved.status) == (200, 202)
    assert Submission.objects.get().cause == "on_hold"
    assert list_writes(scenario.sandbox) == []
    assert [release_sending(), release_sending()] == [True, False]
    recover(client)
    assert sorted(list_writes(scenario.sandbox)) == ["address_change", "request_create"]


def test_a_restored_database_is_noticed_and_holds_sending(
    scenario: OrderScenario, tmp_path: Path, settings: Any
) -> None:
    settings.VAR = tmp_path
    assert not watch_restores()
    restore = back_up(tmp_path)
    assert [watch_restores(), watch_restores()] == [False, False]
    restore()

    assert watch_restores()

    hold = find_hold()
    assert hold is not None
    assert "a backup was restored" in hold.reason
    assert not watch_restores()
    assert scenario.order.pk


def test_another_database_beside_the_same_folder_is_not_taken_for_a_restored_one(
    scenario: OrderScenario, tmp_path: Path, settings: Any
) -> None:
    settings.VAR = tmp_path
    (tmp_path / "last-seen.json").write_text('{"5f1c7c1e-0000-4000-8000-000000000000": 999}', "utf-8")

    assert not watch_restores()

    assert find_hold() is None
    assert scenario.order.pk


def call(sandbox: SandboxProcess, *arguments: str) -> tuple[int, str]:
    """Run `aftercart` as an operator does; its exit code and output."""
    environment = make_environment(
        sandbox.base_url, OMNITRON_USERNAME=USERNAME, OMNITRON_PASSWORD=PASSWORD, LOG_LEVEL="ERROR"
    )
    command = [sys.executable, "-m", "aftercart", *arguments]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    return done.returncode, done.stdout


def test_the_commands_of_the_runbook(scenario: OrderScenario, client: HttpOmnitron) -> None:
    do_what_the_backup_knows(scenario, client)
    Submission.objects.update(created_at="2026-01-01T00:00Z")

    code, held = call(scenario.sandbox, "hold-sending", "--reason", "A drill.")
    assert (code, held.startswith("Sending is on hold since ")) == (0, True)
    scenario.sandbox.control("faults", {"call": "order_items", "kind": "status", "status": 503, "times": -1})
    code, shown = call(scenario.sandbox, "reconcile", "--before-sending")
    assert (code, shown.splitlines()[-1]) == (1, "Sending stays on hold: run this again.")
    scenario.sandbox.client.delete("/sandbox/faults/").raise_for_status()
    code, shown = call(scenario.sandbox, "reconcile", "--before-sending")
    assert code == 0
    assert shown.splitlines() == [
        "Sending is on hold.",
        "1 of 1 orders read",
        "1 orders read, 0 things found done, 0 differ.",
        "Sending has resumed.",
    ]
    assert call(scenario.sandbox, "hold-sending", "--release") == (0, "Sending was not on hold.\n")
    assert call(scenario.sandbox, "reconcile") == (0, "1 compared, 0 different, 0 unread\n")
