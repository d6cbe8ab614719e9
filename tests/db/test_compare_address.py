"""Where Omnitron sends an order after tries whose answers were lost, or that two processes told."""

from dataclasses import replace
from datetime import timedelta
from unittest import mock

import pytest
from django.conf import settings
from django.db import OperationalError
from django.db.models import F
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from aftercart.actions.address.change_address import _prepare, change_address, deliver_address
from aftercart.actions.address.compare_address import compare_address
from aftercart.actions.commands import AddressCommand
from aftercart.actions.sync.reconcile_orders import reconcile_order
from aftercart.actions.upkeep import jobs
from aftercart.actions.upkeep.recover import recover_jobs
from aftercart.cancellations.models import AddressChange, Difference
from aftercart.oms.errors import AnswerUnknown, NotSent, Refused
from aftercart.orders.errors import AddressChangeRefused
from aftercart.orders.models import Order
from tests.db.test_change_address import get_address_pk, get_change
from tests.shop import Shop, make_address, make_address_command

pytestmark = pytest.mark.django_db


def test_an_older_change_that_arrives_late_is_overtaken_by_the_last_again() -> None:
    shop = Shop()
    older, last = make_address(shop.user), make_address(shop.user, title="Work")
    shop.fake.fail("change_address", AnswerUnknown("?", code="timeout"))
    change_address(make_address_command(shop.order, older), shop.fake)
    change_address(make_address_command(shop.order, last), shop.fake)
    arrive(shop, older.pk)

    compare_address(shop.order.pk, shop.fake)
    deliver_address(AddressChange.objects.latest("pk").pk, shop.fake)

    assert list(AddressChange.objects.values_list("state", flat=True)) == ["confirmed", "superseded"]
    assert [post.body["address"]["pk"] for post in shop.fake.posts][-1] == last.pk
    assert get_address_pk(shop) == last.pk


def test_a_change_that_came_through_although_it_ended_as_too_late_is_found() -> None:
    shop = Shop()
    address = make_address(shop.user)
    shop.fake.fail("change_address", AnswerUnknown("?", code="timeout"))
    change_address(make_address_command(shop.order, address), shop.fake)
    Order.objects.update(status="500")
    deliver_address(get_change().pk, shop.fake)
    assert (get_change().state, get_address_pk(shop)) == ("too_late", None)
    arrive(shop, address.pk)

    compare_address(shop.order.pk, shop.fake)

    assert get_address_pk(shop) == address.pk
    assert shop.order.timeline.filter(event="address_change_found").count() == 1


def test_an_older_change_of_a_living_process_and_of_a_worker_is_overtaken_by_the_last_again() -> None:
    shop = Shop()
    older, last = make_address(shop.user), make_address(shop.user, title="Work")
    _prepare(make_address_command(shop.order, older))  # and its process lives on
    send_meanwhile(shop, make_address_command(shop.order, last))

    deliver_address(get_change().pk, shop.fake)
    assert [post.body["address"]["pk"] for post in shop.fake.posts] == [last.pk, older.pk]
    work_off(shop)

    assert list(AddressChange.objects.values_list("state", flat=True)) == ["confirmed", "superseded"]
    assert get_remote_address_pk(shop) == get_address_pk(shop) == last.pk


def test_a_change_that_is_being_told_is_not_told_by_a_worker_as_well() -> None:
    shop = Shop()
    _prepare(make_address_command(shop.order, make_address(shop.user)))

    assert recover_jobs() == 0
    pass_time(seconds=settings.OMNITRON_DIALOGUE_SECONDS + 6)
    assert recover_jobs() == 1


def test_while_omnitron_cannot_be_asked_it_is_asked_again() -> None:
    shop = Shop()
    lose_an_answer(shop)
    shop.fake.fail("read_order", NotSent("down", code="unreachable"))

    compare_address(shop.order.pk, shop.fake)

    assert Order.objects.filter(address_due_at__gt=timezone.now()).count() == 1
    assert count_comparisons() == 0
    pass_time(seconds=76)
    assert count_comparisons() == 1


def test_a_comparison_that_fails_of_whatever_is_made_again() -> None:
    shop = Shop()
    lose_an_answer(shop)
    pass_time(seconds=60)
    assert count_comparisons() == 1

    with (
        mock.patch.object(shop.fake, "dialogue", side_effect=OperationalError),
        pytest.raises(OperationalError),
    ):
        compare_address(shop.order.pk, shop.fake)
    ProcrastinateJob.objects.all()._raw_delete("default")

    assert count_comparisons() == 1


def test_what_was_compared_is_not_compared_again() -> None:
    shop = Shop()
    lose_an_answer(shop)
    version = Order.objects.get().version

    compare_address(shop.order.pk, shop.fake)

    assert Order.objects.get().address_due_at is None
    assert Order.objects.get().version == version


def test_an_address_that_omnitron_does_not_keep_is_reported_and_not_told_for_ever() -> None:
    shop = Shop()
    lose_an_answer(shop)
    last = get_change().address["pk"]

    shop.fake.before("read_order", lambda: arrive(shop, 4711))

    work_off(shop)

    posted = [post for post in shop.fake.posts if post.body["address"]["pk"] == last]
    assert len(posted) == 2 + 5
    difference = Difference.objects.get()
    assert (difference.what, difference.ours, difference.theirs) == ("shipping address", str(last), "4711")
    assert (get_change().state, Order.objects.get().address_due_at) == ("confirmed", None)
    assert reconcile_order(shop.order.pk, shop.fake) == 1
    shop.fake.before("read_order", lambda: arrive(shop, last))
    assert reconcile_order(shop.order.pk, shop.fake) == 0
    assert not Difference.objects.filter(resolved_at=None).exists()


def test_a_refusal_of_a_change_that_has_been_superseded_leaves_its_answer() -> None:
    shop = Shop()
    older, last = make_address(shop.user), make_address(shop.user, title="Work")
    command = make_address_command(shop.order, older)
    command = replace(command, caller=replace(command.caller, key="one"))
    send_meanwhile(shop, make_address_command(shop.order, last), Refused("No.", code="no", status=406))

    first, replayed = change_address(command, shop.fake), change_address(command, shop.fake)

    assert (first.status, first.body) == (202, {"status_code": None, "state": "pending"})
    assert (replayed.status, replayed.body, replayed.is_replay) == (202, first.body, True)


def test_a_change_that_is_told_once_more_after_its_end_without_an_answer_is_compared() -> None:
    shop = Shop()
    older, last = make_address(shop.user), make_address(shop.user, title="Work")
    _prepare(make_address_command(shop.order, older))
    stalled = get_change()
    deliver_address(stalled.pk, shop.fake)  # by another process
    change_address(make_address_command(shop.order, last), shop.fake)
    compare_address(shop.order.pk, shop.fake)
    shop.fake.fail("change_address", AnswerUnknown("?", code="timeout"), applied=True)

    with (
        mock.patch.object(AddressChange.objects, "select_related") as reading,
        mock.patch(
            "aftercart.actions.address.change_address._is_pending", return_value=True
        ),  # a moment too early
    ):
        reading.return_value.get.return_value = stalled
        deliver_address(stalled.pk, shop.fake)
    assert get_remote_address_pk(shop) == older.pk
    assert list(AddressChange.objects.values_list("state", "attempts")) == [("confirmed", 0)] * 2
    work_off(shop)

    assert get_remote_address_pk(shop) == get_address_pk(shop) == last.pk


def test_a_change_that_was_refused_does_not_hide_the_last_one_that_was_granted() -> None:
    shop = Shop()
    older, last, refused = (make_address(shop.user, title=title) for title in ("Home", "Work", "Mum"))
    shop.fake.fail("change_address", AnswerUnknown("?", code="timeout"))
    change_address(make_address_command(shop.order, older), shop.fake)
    change_address(make_address_command(shop.order, last), shop.fake)
    shop.fake.fail("change_address", Refused("No.", code="no", status=406))
    with pytest.raises(AddressChangeRefused):
        change_address(make_address_command(shop.order, refused), shop.fake)
    arrive(shop, older.pk)

    work_off(shop)

    assert get_remote_address_pk(shop) == get_address_pk(shop) == last.pk


def test_a_change_that_is_sent_once_more_is_not_given_up_for_one_that_is_refused() -> None:
    shop = Shop()
    first, late, last, refused = (make_address(shop.user, title=title) for title in "ABCD")
    change_address(make_address_command(shop.order, first), shop.fake)
    shop.fake.fail("change_address", AnswerUnknown("?", code="timeout"))
    change_address(make_address_command(shop.order, late), shop.fake)
    change_address(make_address_command(shop.order, last), shop.fake)
    arrive(shop, late.pk)
    compare_address(shop.order.pk, shop.fake)
    assert AddressChange.objects.get(address__pk=last.pk).state == "pending"
    shop.fake.fail("change_address", Refused("No.", code="no", status=406))

    with pytest.raises(AddressChangeRefused):
        change_address(make_address_command(shop.order, refused), shop.fake)
    work_off(shop)

    assert get_remote_address_pk(shop) == get_address_pk(shop) == last.pk


def test_where_all_later_changes_were_refused_ours_follows_the_one_that_came_through() -> None:
    shop = Shop()
    older, refused = make_address(shop.user), make_address(shop.user, title="Work")
    shop.fake.fail("change_address", AnswerUnknown("?", code="timeout"))
    change_address(make_address_command(shop.order, older), shop.fake)
    shop.fake.fail("change_address", Refused("No.", code="no", status=406))
    with pytest.raises(AddressChangeRefused):
        change_address(make_address_command(shop.order, refused), shop.fake)
    arrive(shop, older.pk)

    work_off(shop)

    assert get_address_pk(shop) == older.pk
    assert Order.objects.get().address_due_at is None


def test_an_imported_address_that_has_another_id_at_omnitron_is_no_difference() -> None:
    shop = Shop()
    Order.objects.update(shipping_address={"pk": 4711, "country": {"code": "tr"}})
    shop.fake.fail("change_address", NotSent("down", code="unreachable"))
    change_address(make_address_command(shop.order, make_address(shop.user)), shop.fake)
    Order.objects.update(status="500")
    arrive(shop, 999)

    work_off(shop)

    assert get_change().state == "too_late"
    assert reconcile_order(shop.order.pk, shop.fake) == 0
    assert not Difference.objects.exists()


def test_an_address_that_nobody_asked_us_for_is_reported_when_the_order_has_left() -> None:
    shop = Shop()
    lose_an_answer(shop)
    arrive(shop, 4711)
    compare_address(shop.order.pk, shop.fake)
    assert get_change().state == "pending"  # to be told once more
    Order.objects.update(status="500")
    deliver_address(get_change().pk, shop.fake)
    assert get_change().state == "too_late"

    compare_address(shop.order.pk, shop.fake)

    ours = str(get_address_pk(shop))
    assert list(Difference.objects.values_list("ours", "theirs")) == [(ours, "4711")]
    assert reconcile_order(shop.order.pk, shop.fake) == 1


def lose_an_answer(shop: Shop) -> None:
    """Change the address without an answer, and have a worker tell it."""
    shop.fake.fail("change_address", AnswerUnknown("?", code="timeout"), applied=True)
    change_address(make_address_command(shop.order, make_address(shop.user)), shop.fake)
    deliver_address(get_change().pk, shop.fake)


def send_meanwhile(shop: Shop, command: AddressCommand, error: Refused | None = None) -> None:
    """Have another change made while the next one is on its way; that one then meets an error."""

    def send_again() -> None:
        shop.fake.before("change_address", None)
        change_address(command, shop.fake)
        if error is not None:
            shop.fake.fail("change_address", error)

    shop.fake.before("change_address", send_again)


def pass_time(*, seconds: float) -> None:
    wait = timedelta(seconds=seconds)
    AddressChange.objects.update(created_at=F("created_at") - wait)
    Order.objects.update(address_due_at=F("address_due_at") - wait)


def count_comparisons() -> int:
    recover_jobs()
    return ProcrastinateJob.objects.filter(task_name=jobs.COMPARE_ADDRESS, status="todo").count()


def work_off(shop: Shop) -> None:
    """Do what a worker does about addresses, until there is nothing left."""
    tasks = {jobs.COMPARE_ADDRESS: compare_address, jobs.DELIVER_ADDRESS: deliver_address}
    while True:
        pass_time(seconds=60)
        recover_jobs()
        todo = list(ProcrastinateJob.objects.filter(task_name__in=tasks))
        if not todo:
            return
        ProcrastinateJob.objects.all()._raw_delete("default")
        for job in todo:
            tasks[job.task_name](job.args["pk"], shop.fake)


def get_remote_address_pk(shop: Shop) -> int | None:
    [record] = shop.fake.backoffice.orders.values()
    return record.remote.shipping_address_pk


def arrive(shop: Shop, address_pk: int) -> None:
    """Let a change arrive at Omnitron that nobody waits for any more."""
    for record in shop.fake.backoffice.orders.values():
        record.remote = replace(record.remote, shipping_address_pk=address_pk)
