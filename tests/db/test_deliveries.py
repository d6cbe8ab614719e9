"""A delivery and a notice from their rows: what they are after each step of which no other test says so."""

import pytest

from aftercart.actions.cancel.take_back_request import take_back_request
from aftercart.actions.requests.approve_request import approve_request, execute_approval
from aftercart.actions.requests.deliver_request import deliver_request
from aftercart.actions.requests.reject_request import deliver_rejection, reject_request
from aftercart.actions.upkeep import jobs
from aftercart.actions.upkeep.recover import recover_jobs
from aftercart.cancellations.models import DecisionNotice, Delivery
from aftercart.oms.errors import NotSent, Refused
from tests.shop import Line, Shop, count_jobs, get_request, make_customer, request_units
from tests.tables import empty_queue

pytestmark = pytest.mark.django_db


def list_rounds() -> list[tuple[int, str, str]]:
    """List the rounds of the only request: their number, the end of their name, their state."""
    hexadecimal = get_request().uuid.hex
    rows = Delivery.objects.order_by("round").values_list("round", "name", "state")
    return [(number, name.removeprefix(hexadecimal), state) for number, name, state in rows]


def test_an_approval_that_did_not_get_through_begins_the_next_round() -> None:
    shop = Shop()
    request = request_units(shop)
    assert list_rounds() == [(0, "", "known")]
    approve_request(request.pk, make_customer())
    shop.fake.fail("cancel_items", Refused)

    execute_approval(request.pk, shop.fake)

    assert list_rounds() == [(0, "", "withdrawn"), (1, "r1", "created")]
    assert get_request().delivery.round == 1


def test_of_several_units_those_that_were_made_may_still_be_recorded_if_the_next_is_not_sent() -> None:
    shop = Shop([Line(quantity=2)], split_units=True)
    request = request_units(shop, delivered=False)
    shop.fake.before("create_request", lambda: fail_the_second(shop))

    deliver_request(request.pk, shop.fake)

    delivery = get_request().delivery
    assert (delivery.state, delivery.pending_name) == ("sent", request.uuid.hex)
    deliver_request(request.pk, shop.fake)
    assert (get_request().delivery.state, len(get_request().remote_pks)) == ("known", 2)
    assert shop.count_posts("create_request") == 2


def fail_the_second(shop: Shop) -> None:
    if shop.fake.backoffice.requests:
        shop.fake.before("create_request", None)
        shop.fake.fail("create_request", NotSent)


def test_a_request_that_an_earlier_version_has_opened_is_delivered_all_the_same() -> None:
    shop = Shop()
    request = request_units(shop, delivered=False)
    Delivery.objects.all().delete()

    deliver_request(request.pk, shop.fake)

    assert list_rounds() == [(0, "", "known")]


def test_one_that_such_a_version_has_approved_is_sent() -> None:
    shop = Shop()
    request = request_units(shop, delivered=False)
    approve_request(request.pk, make_customer())
    Delivery.objects.all().delete()

    execute_approval(request.pk, shop.fake)

    assert (get_request().status, list_rounds()) == ("confirmed", [(0, "", "withdrawn")])


def test_one_that_such_a_version_has_rejected_is_reported() -> None:
    shop = Shop()
    request = request_units(shop)
    reject_request(request.pk, make_customer(), "Already packed.")
    DecisionNotice.objects.all().delete()

    deliver_rejection(request.pk, shop.fake)

    assert get_request().notice.state == "known"
    assert [record.remote.status for record in shop.fake.backoffice.requests.values()] == ["rejected"]


def test_one_that_is_rejected_before_it_was_sent_is_not_made_any_more() -> None:
    shop = Shop()
    request = request_units(shop, delivered=False)
    reject_request(request.pk, make_customer(), "Already packed.")

    deliver_rejection(request.pk, shop.fake)
    deliver_request(request.pk, shop.fake)

    assert (list_rounds(), get_request().notice.state) == ([(0, "", "withdrawn")], "known")
    assert shop.count_posts("create_request") == 0


def test_what_was_taken_back_is_reported_even_if_its_job_is_lost() -> None:
    shop = Shop([Line(invoice_number="INV-1")])
    request = request_units(shop)
    take_back_request(shop.user, request.pk)
    empty_queue()

    recover_jobs()

    assert count_jobs(jobs.DELIVER_REJECTION) == 1
