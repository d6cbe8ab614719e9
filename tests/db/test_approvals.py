"""What our staff approve: taken out of Omnitron's queue and sent, unless Omnitron has decided; never by itself."""

from dataclasses import replace
from typing import Any
from unittest import mock

import pytest
from procrastinate.contrib.django.models import ProcrastinateJob

from aftercart.actions.requests import approve_request as approve_module
from aftercart.actions.requests import deliver_request as deliver_module
from aftercart.actions.requests.approve_request import approve_request, execute_approval
from aftercart.actions.requests.deliver_request import deliver_request
from aftercart.actions.requests.find_obstacle import RequestObstructed
from aftercart.actions.requests.reject_request import deliver_rejection, reject_request
from aftercart.actions.sync.sync_order import sync_order
from aftercart.actions.upkeep import jobs
from aftercart.actions.upkeep.recover import recover_jobs
from aftercart.cancellations.models import CancellationRequest
from aftercart.lib.notes import write_note
from aftercart.mail.models import Email
from aftercart.oms.errors import AnswerUnknown, NotSent, OmsError, Refused
from tests.shop import Line, Shop, count_jobs, get_request, get_statuses, make_customer, request_units

pytestmark = pytest.mark.django_db


def decide_there(shop: Shop, status: str) -> None:
    """Let Omnitron's staff move its only request, short of completing it."""
    [record] = [
        record for record in shop.fake.backoffice.requests.values() if record.remote.status != "rejected"
    ]
    record.remote = replace(record.remote, status=status)


def approve(shop: Shop) -> None:
    approve_request(get_request().pk, make_customer())
    execute_approval(get_request().pk, shop.fake)


def list_calls(shop: Shop) -> list[str]:
    return [post.call for post in shop.fake.posts]


def test_an_approval_that_did_not_get_through_is_not_remembered_when_omnitron_approves() -> None:
    shop = Shop()
    request = request_units(shop)
    shop.fake.fail("cancel_items", Refused)
    approve(shop)
    deliver_request(request.pk, shop.fake)
    decide_there(shop, "approved")
    sync_order(shop.order.pk, shop.fake)
    assert get_request().status == "approved"
    calls = list_calls(shop)

    drop_jobs()
    recover_jobs()
    execute_approval(request.pk, shop.fake)

    assert count_jobs(jobs.EXECUTE_APPROVAL) == 0
    assert list_calls(shop) == calls


def test_an_approval_that_omnitron_was_quicker_with_is_left_to_it_once() -> None:
    shop = Shop()
    request_units(shop)
    decide_there(shop, "approved")

    approve(shop)
    sync_order(shop.order.pk, shop.fake)
    drop_jobs()
    recover_jobs()

    assert (get_request().status, get_request().decided_by) == ("approved", None)
    assert count_jobs(jobs.EXECUTE_APPROVAL) == 0
    assert list_calls(shop) == ["create_request"]
    assert shop.order.timeline.filter(event="request_decided_there").count() == 1


def test_where_omnitron_has_decided_of_one_unit_none_is_taken_from_it() -> None:
    shop = Shop([Line(quantity=2)], split_units=True)
    first, second = request_units(shop).remote_pks
    shop.fake.decide_request("approve", first)

    approve(shop)

    assert "reject_request" not in list_calls(shop)
    assert shop.fake.backoffice.requests[second].remote.status == "waiting"
    shop.fake.decide_request("approve", second)
    sync_order(shop.order.pk, shop.fake)
    assert (get_request().status, get_request().line.completed_quantity) == ("completed", 2)


def test_a_unit_that_we_took_from_omnitron_goes_on_when_the_other_is_decided_meanwhile() -> None:
    shop = Shop([Line(quantity=2)], split_units=True)
    request = request_units(shop)
    first, second = request.remote_pks
    shop.fake.before("reject_request", lambda: decide_the_second(shop, first, second))

    approve(shop)
    deliver_request(request.pk, shop.fake)
    assert get_request().status == "waiting"
    decided, left = get_request().remote_pks
    assert decided == second
    shop.fake.decide_request("approve", left)
    for _time in range(2):
        sync_order(shop.order.pk, shop.fake)

    assert (get_request().status, get_request().line.completed_quantity) == ("completed", 2)
    assert get_statuses(shop.order) == ["100"]
    assert shop.items[0].cancelled_quantity == 2


def wait_with_a_decided_unit() -> Shop:
    """Have a request wait, not yet delivered anew, of whose two units Omnitron has completed one."""
    shop = Shop([Line(quantity=2)], split_units=True)
    first, second = request_units(shop).remote_pks
    shop.fake.before("reject_request", lambda: decide_the_second(shop, first, second))
    approve(shop)
    assert (get_request().status, get_request().remote_pks) == ("waiting", [second])
    return shop


def test_the_unit_that_is_left_is_not_given_up_for_the_decided_one() -> None:
    shop = wait_with_a_decided_unit()

    with pytest.raises(RequestObstructed) as refused:
        approve(shop)
    assert refused.value.code == "partly_decided"
    deliver_request(get_request().pk, shop.fake)

    decided, left = get_request().remote_pks
    assert [shop.fake.backoffice.requests[pk].remote.status for pk in (decided, left)] == [
        "completed",
        "waiting",
    ]


def test_a_rejection_finds_what_was_made_of_the_unit_that_is_left() -> None:
    shop = wait_with_a_decided_unit()
    shop.fake.fail("create_request", AnswerUnknown, applied=True)
    deliver_request(get_request().pk, shop.fake)
    reject_request(get_request().pk, make_customer(), "Already packed.")

    deliver_rejection(get_request().pk, shop.fake)

    statuses = sorted(record.remote.status for record in shop.fake.backoffice.requests.values())
    assert statuses == ["completed", "rejected", "rejected"]
    assert (get_request().status, get_request().line.completed_quantity) == ("completed", 1)


def test_of_more_units_than_were_asked_for_none_goes_for_the_one_that_omnitron_decided() -> None:
    shop = Shop([Line(quantity=3)], split_units=True)
    first, second = request_units(shop, 2).remote_pks
    shop.fake.before("reject_request", lambda: decide_the_second(shop, first, second))

    approve(shop)

    assert (get_request().status, get_request().cause) == ("waiting", "partly_decided")
    assert "cancel_items" not in list_calls(shop)
    deliver_request(get_request().pk, shop.fake)
    decided, left = get_request().remote_pks
    shop.fake.decide_request("approve", left)
    sync_order(shop.order.pk, shop.fake)
    assert (decided, get_request().line.completed_quantity) == (second, 2)
    assert [record.remote.status for record in shop.fake.backoffice.items.values()].count("100") == 2


def test_an_approval_that_omnitron_was_quicker_with_gives_up_no_unit_that_it_was_not_asked_for_yet() -> None:
    shop = Shop([Line(quantity=2)], split_units=True)
    request = request_units(shop, delivered=False)
    shop.fake.before("create_request", lambda: fail_the_second(shop))
    deliver_request(request.pk, shop.fake)
    [first] = shop.fake.backoffice.requests
    shop.fake.decide_request("approve", first)

    approve(shop)

    assert (get_request().status, get_request().decided_by) == ("waiting", None)
    assert count_jobs(jobs.DELIVER_REQUEST) > 0
    deliver_request(request.pk, shop.fake)
    assert get_request().remote_pks == sorted(shop.fake.backoffice.requests)
    assert len(get_request().remote_pks) == 2


def fail_the_second(shop: Shop) -> None:
    if shop.fake.backoffice.requests:
        shop.fake.before("create_request", None)
        shop.fake.fail("create_request", NotSent)


def test_once_a_unit_is_taken_from_omnitron_all_are_whatever_happens_in_between() -> None:
    shop = Shop([Line(quantity=3)], split_units=True)
    first, second, third = request_units(shop).remote_pks
    shop.fake.before("reject_request", lambda: decide_the_second(shop, first, second, NotSent))
    approve(shop)
    rows = shop.fake.backoffice.requests
    assert [rows[pk].remote.status for pk in (first, second, third)] == ["rejected", "completed", "waiting"]
    assert get_request().status == "approved"

    execute_approval(get_request().pk, shop.fake)

    assert rows[third].remote.status == "rejected"
    assert get_request().status == "waiting"  # two units are left of the three that were asked for
    deliver_request(get_request().pk, shop.fake)
    assert len(get_request().remote_pks) == 3


def decide_the_second(shop: Shop, first: int, second: int, error: type[OmsError] | None = None) -> None:
    """Let Omnitron complete the second unit once the first is taken from it; the call then meets an error."""
    if shop.fake.backoffice.requests[first].remote.status == "rejected":
        shop.fake.before("reject_request", None)
        shop.fake.decide_request("approve", second)
        if error is not None:
            shop.fake.fail("reject_request", error)


def test_what_went_wrong_on_the_way_is_never_told_as_the_reason_of_a_rejection() -> None:
    shop = Shop()
    request_units(shop)
    shop.fake.fail("dialogue", NotSent("Omnitron could not be reached.", code="unreachable"))
    approve(shop)
    assert get_request().delivery.error == write_note("unreachable")
    execute_approval(get_request().pk, shop.fake)
    [item] = shop.fake.backoffice.items

    shop.fake.decide_items("reject", item)
    sync_order(shop.order.pk, shop.fake)

    assert (get_request().status, get_request().reject_reason) == ("rejected", "")
    assert Email.objects.get(kind="request_rejected").facts["reason"] == ""


def test_a_request_that_was_approved_and_done_is_not_looked_for_in_omnitrons_queue() -> None:
    shop = Shop()
    request_units(shop)
    approve(shop)
    shop.fake.decide_items("approve", *shop.fake.posts[-1].body["cancel_items"])
    sync_order(shop.order.pk, shop.fake)
    assert get_request().status == "completed"

    drop_jobs()
    recover_jobs()

    assert count_jobs(jobs.DELIVER_REQUEST) == 0
    assert get_request().is_undeliverable is False


def test_a_delivery_that_a_stalled_worker_records_late_does_not_undo_an_approval() -> None:
    shop = Shop()
    request = request_units(shop, delivered=False)
    record = deliver_module._record_known

    def stall(*args: Any) -> None:
        approve(shop)  # by whoever has taken the job over
        record(*args)

    with mock.patch.object(deliver_module, "_record_known", stall):
        deliver_request(request.pk, shop.fake)
    sync_order(shop.order.pk, shop.fake)

    assert (get_request().status, get_request().remote_pks) == ("confirmed", [])
    assert get_statuses(shop.order) == ["50"]
    assert not Email.objects.filter(kind="request_rejected").exists()


def test_an_error_that_a_stalled_worker_meets_is_not_written_on_what_came_after() -> None:
    shop = Shop()
    request = request_units(shop)
    approve_request(request.pk, make_customer())
    withdraw = approve_module._withdraw

    def stall(*_args: Any) -> None:
        with mock.patch.object(approve_module, "_withdraw", withdraw):
            shop.fake.fail("cancel_items", Refused)
            execute_approval(request.pk, shop.fake)
            deliver_request(request.pk, shop.fake)
        raise NotSent("The time for the dialogue with Omnitron is over.", code="deadline_over")

    with mock.patch.object(approve_module, "_withdraw", stall):
        execute_approval(request.pk, shop.fake)

    assert (get_request().status, get_request().delivery.error) == ("waiting", "")
    assert count_jobs(jobs.EXECUTE_APPROVAL) == 1  # that of the approval itself


def test_a_stalled_worker_does_not_send_what_was_approved_once_more() -> None:
    shop = Shop()
    request = request_units(shop)
    approve_request(request.pk, make_customer())
    prepare = approve_module._prepare

    def stall(as_read: CancellationRequest, found: list[Any]) -> int | None:
        with mock.patch.object(approve_module, "_prepare", prepare):
            shop.fake.fail("cancel_items", Refused)
            execute_approval(request.pk, shop.fake)
            deliver_request(request.pk, shop.fake)
            approve_request(request.pk, make_customer())
        return prepare(as_read, found)

    with mock.patch.object(approve_module, "_prepare", stall):
        execute_approval(request.pk, shop.fake)

    assert list_calls(shop).count("cancel_items") == 1
    assert (get_request().status, len(get_request().remote_pks)) == ("approved", 1)
    execute_approval(request.pk, shop.fake)
    assert get_request().status == "confirmed"
    assert [row.remote.status for row in shop.fake.backoffice.requests.values()] == ["rejected"] * 2


def test_an_approval_whose_request_may_not_be_rejected_waits_and_says_why() -> None:
    shop = Shop()
    request_units(shop)
    shop.fake.fail("reject_request", Refused("Not allowed.", code="no", status=403))

    approve(shop)

    assert (get_request().status, get_request().delivery.error) == ("approved", "Not allowed.")
    assert "cancel_items" not in list_calls(shop)
    execute_approval(get_request().pk, shop.fake)
    assert get_request().status == "confirmed"


def test_an_approval_that_may_not_read_the_request_sends_nothing_and_says_why() -> None:
    shop = Shop()
    request = request_units(shop)
    forbidden = Refused("You do not have permission.", code="permission_denied", status=403)
    shop.fake.fail("read_request", forbidden)

    approve(shop)

    assert (get_request().status, get_request().delivery.error) == ("approved", "You do not have permission.")
    assert get_request().remote_pks == request.remote_pks
    assert "cancel_items" not in list_calls(shop)


def drop_jobs() -> None:
    ProcrastinateJob.objects.all()._raw_delete("default")
