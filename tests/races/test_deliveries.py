"""Two workers who begin to deliver a request that a process of the version before has opened."""

import pytest

from aftercart.actions.requests.open_delivery import ensure_delivery
from aftercart.cancellations.models import Delivery
from tests.races.together import interrupted, race, without_unique
from tests.shop import Shop, get_request, request_units

pytestmark = pytest.mark.django_db(transaction=True)

_CREATE = "django.db.models.query.QuerySet.create"


def begin() -> None:
    """Have a request without a delivery."""
    request_units(Shop(), delivered=False)
    Delivery.objects.all().delete()


def test_many_who_deliver_it_begin_one_round() -> None:
    begin()

    race(8, lambda _n: ensure_delivery(get_request()).pk)

    assert Delivery.objects.count() == 1


def test_without_the_constraints_there_are_two() -> None:
    begin()

    with (
        without_unique("cancellations_delivery_latest_of_id_key", "one_delivery_a_round"),
        interrupted(
            _CREATE, lambda: ensure_delivery(get_request()), when=lambda rows, **_: rows.model is Delivery
        ),
    ):
        ensure_delivery(get_request())
        assert Delivery.objects.count() == 2
