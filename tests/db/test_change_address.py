from dataclasses import replace
from datetime import timedelta
from unittest import mock

import pytest
from django.conf import settings
from django.db import OperationalError
from django.db.models import F
from django.utils import timezone
from procrastinate.contrib.django.models import ProcrastinateJob

from aftercart.actions import jobs
from aftercart.actions.cancel_items import cancel_items
from aftercart.actions.change_address import _prepare, change_address, deliver_address
from aftercart.actions.commands import AddressCommand
from aftercart.actions.compare_address import compare_address
from aftercart.actions.reconcile_orders import reconcile_order
from aftercart.actions.recover import recover_jobs
from aftercart.cancellations.models import AddressChange, Difference
from aftercart.omnitron.errors import AnswerUnknown, NotSent, Refused
from aftercart.orders.errors import AddressChangeRefused, InputInvalid
from aftercart.orders.models import IdempotencyRecord, Order
from tests.shop import Line, Shop, make_address, make_address_command, make_customer

pytestmark = pytest.mark.django_db


def get_address_pk(shop: Shop) -> int | None:
    shop.order.refresh_from_db()
    address = shop.order.shipping_address
    return address["pk"] if address else None


def get_change() -> AddressChange:
    return AddressChange.objects.get()


def test_an_address_that_omnitron_takes_is_the_orders_at_once() -> None:
    shop = Shop()
    address = make_address(shop.user)

    answer = change_address(make_address_command(shop.order, address), shop.fake)

    assert (answer.status, answer.body) == (200, {"status_code": 200})
    assert get_address_pk(shop) == address.pk
    assert get_change().state == "confirmed"
    assert shop.fake.posts[0].body == {
        "channel_id": 1,
        "order": shop.order.pk,
        "address": {
            "pk": address.pk,
            "first_name": "Ayşe",
            "last_name": "Yılmaz",
            "email": "",
            "phone_number": "+905551112233",
            "title": "Home",
            "line": address.line,
            "postcode": "34710",
            "notes": None,
            "country": address.country_id,
            "city": address.city_id,
            "township": address.township_id,
            "district": None,
            "retail_store": None,
        },
        "order_address_types": ["shipping"],
    }


@pytest.mark.parametrize("error", [NotSent("down", code="unreachable"), AnswerUnknown("?", code="timeout")])
def test_while_omnitron_is_silent_the_change_is_recorded_and_delivered_later(error: NotSent) -> None:
    shop = Shop()
    address = make_address(shop.user)
    shop.fake.fail("change_address", error)

    answer = change_address(make_address_command(shop.order, address), shop.fake)
    assert (answer.status, answer.body) == (202, {"status_code": None, "state": "pending"})
    assert (get_change().state, get_address_pk(shop)) == ("pending", None)

    deliver_address(get_change().pk, shop.fake)
    assert (get_change().state, get_address_pk(shop)) == ("confirmed", address.pk)


def test_a_change_that_could_not_be_delivered_in_time_ends_as_too_late() -> None:
    shop = Shop()
    shop.fake.fail("change_address", NotSent("down", code="unreachable"))
    change_address(make_address_command(shop.order, make_address(shop.user)), shop.fake)
    Order.objects.update(status="500")

    deliver_address(get_change().pk, shop.fake)

    assert (get_change().state, shop.fake.posts) == ("too_late", [])


def test_what_omnitron_refuses_is_told_with_its_reason_and_changes_nothing() -> None:
    shop = Shop()
    shop.fake.fail("change_address", Refused("Too late.", code="address_change_100_1", status=406))
    command = make_address_command(shop.order, make_address(shop.user))

    with pytest.raises(AddressChangeRefused) as caught:
        change_address(command, shop.fake)

    assert caught.value.body() == {"non_field_errors": ["Too late."], "code": "omnitron_refused"}
    assert (get_change().state, get_address_pk(shop)) == ("refused", None)
    assert change_address(command, shop.fake).status == 200


def test_of_two_changes_the_last_one_wins() -> None:
    shop = Shop()
    first, second = make_address(shop.user, title="First"), make_address(shop.user, title="Second")
    shop.fake.fail("change_address", NotSent("down", code="unreachable"))
    change_address(make_address_command(shop.order, first), shop.fake)
    change_address(make_address_command(shop.order, second), shop.fake)

    for change in AddressChange.objects.all():
        deliver_address(change.pk, shop.fake)

    assert [change.state for change in AddressChange.objects.order_by("pk")] == ["superseded", "confirmed"]
    assert get_address_pk(shop) == second.pk


def test_going_back_to_the_first_address_is_not_taken_for_a_repeat() -> None:
    shop = Shop()
    first, second = make_address(shop.user), make_address(shop.user)
    for address in (first, second, first, first):
        change_address(make_address_command(shop.order, address, fingerprint=f"to {address.pk}"), shop.fake)

    assert get_address_pk(shop) == first.pk
    assert shop.count_posts("change_address") == 3


@pytest.mark.parametrize(
    ("order_fields", "line", "code"),
    [
        ({"status": "500"}, Line(status="500"), "status_not_allowed"),
        ({"status": "100"}, Line(status="100", cancelled_quantity=1), "status_not_allowed"),
        ({"shipping_address": {"retail_store": {"pk": 3}}}, Line(), "store_pickup"),
        ({"shipping_address": {"country": {"pk": 9, "code": "de"}}}, Line(), "other_country"),
        ({"status": "50"}, Line(status="50"), "cancellation_in_progress"),
    ],
)
def test_an_order_whose_address_cannot_change_says_why(
    order_fields: dict[str, object], line: Line, code: str
) -> None:
    shop = Shop([line], order_fields=order_fields)

    with pytest.raises(AddressChangeRefused) as caught:
        change_address(make_address_command(shop.order, make_address(shop.user)), shop.fake)

    assert caught.value.code == code
    assert (AddressChange.objects.count(), shop.fake.posts) == (0, [])


def test_no_address_changes_while_a_cancellation_is_in_progress() -> None:
    shop = Shop([Line(), Line()])
    cancel_items(shop.command(0), shop.fake)

    with pytest.raises(AddressChangeRefused) as caught:
        change_address(make_address_command(shop.order, make_address(shop.user)), shop.fake)

    assert caught.value.code == "cancellation_in_progress"


def test_unknown_and_foreign_orders_and_addresses_have_one_wording() -> None:
    shop, stranger = Shop(), make_customer()
    theirs = make_address(stranger)
    mine = make_address(shop.user)
    foreign_order = Shop().order
    foreign_order.user = shop.user

    for command, field, pk in (
        (make_address_command(shop.order, theirs), "address", theirs.pk),
        (make_address_command(foreign_order, mine), "order", foreign_order.pk),
    ):
        with pytest.raises(InputInvalid) as caught:
            change_address(command, shop.fake)
        assert caught.value.fields == {field: [f'Invalid pk "{pk}" - object does not exist.']}


def test_another_channel_is_an_input_error() -> None:
    shop = Shop()

    with pytest.raises(InputInvalid) as caught:
        change_address(make_address_command(shop.order, make_address(shop.user), channel_id=2), shop.fake)

    assert list(caught.value.fields) == ["channel_id"]


def test_a_repeat_of_a_change_that_ended_too_late_is_told_so() -> None:
    shop = Shop()
    address = make_address(shop.user)
    command = make_address_command(shop.order, address, fingerprint="one")
    _prepare(command)  # and then the process dies, before it answers
    Order.objects.update(status="500")

    deliver_address(get_change().pk, shop.fake)
    repeat = change_address(command, shop.fake)

    assert (repeat.status, repeat.is_replay, repeat.body["code"]) == (400, True, "too_late")


def test_a_change_that_a_newer_one_overtook_does_not_run_for_ever() -> None:
    shop = Shop()
    first = make_address_command(shop.order, make_address(shop.user), fingerprint="one")
    _prepare(first)  # and then the process dies
    change_address(make_address_command(shop.order, make_address(shop.user)), shop.fake)

    assert IdempotencyRecord.objects.filter(status_code=None).count() == 0


def test_a_refusal_after_a_lost_answer_is_none_if_omnitron_has_the_address() -> None:
    shop = Shop()
    address = make_address(shop.user)
    shop.fake.fail("change_address", AnswerUnknown("?", code="timeout"), applied=True)
    change_address(make_address_command(shop.order, address), shop.fake)
    shop.fake.fail("change_address", Refused("No.", code="no", status=406))

    deliver_address(get_change().pk, shop.fake)

    assert (get_change().state, get_change().cause, get_address_pk(shop)) == (
        "confirmed",
        "found_applied",
        address.pk,
    )


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
    tell_meanwhile(shop, make_address_command(shop.order, last))

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
    pass_time(seconds=26)
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

    told = [post for post in shop.fake.posts if post.body["address"]["pk"] == last]
    assert len(told) == 2 + 5
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
    command = replace(command, write=replace(command.write, key="one"))
    tell_meanwhile(shop, make_address_command(shop.order, last), Refused("No.", code="no", status=406))

    with pytest.raises(AddressChangeRefused):
        change_address(command, shop.fake)
    repeat = change_address(command, shop.fake)

    assert (repeat.status, repeat.is_replay) == (202, True)


def lose_an_answer(shop: Shop) -> None:
    """Change the address without an answer, and have a worker tell it."""
    shop.fake.fail("change_address", AnswerUnknown("?", code="timeout"), applied=True)
    change_address(make_address_command(shop.order, make_address(shop.user)), shop.fake)
    deliver_address(get_change().pk, shop.fake)


def tell_meanwhile(shop: Shop, command: AddressCommand, error: Refused | None = None) -> None:
    """Have another change made while the next one is on its way; that one then meets an error."""

    def tell() -> None:
        shop.fake.before("change_address", None)
        change_address(command, shop.fake)
        if error is not None:
            shop.fake.fail("change_address", error)

    shop.fake.before("change_address", tell)


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
