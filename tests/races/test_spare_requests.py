"""Two who see one surplus request at Omnitron."""

import pytest

from aftercart.actions.requests.note_spares import note_spares
from aftercart.cancellations.models import SpareRequest
from aftercart.oms.messages import RequestDraft
from tests.races.together import interrupted, race, without_unique
from tests.shop import Shop, get_request, request_units

pytestmark = pytest.mark.django_db(transaction=True)

_CREATE = "django.db.models.query.QuerySet.create"


def begin(shop: Shop) -> None:
    """Note what Omnitron has beside the only request."""
    request = request_units(shop, delivered=False)
    [item_pk] = shop.fake.backoffice.items
    shop.fake.backoffice.create_request(1, RequestDraft(item_pk, 1, request.uuid.hex, quantity=1))


def note(shop: Shop) -> None:
    [record] = shop.fake.backoffice.requests.values()
    note_spares(get_request().pk, [record.remote])


@pytest.mark.parametrize("count", [2, 8])
def test_many_who_see_it_note_it_once(count: int) -> None:
    shop = Shop()
    begin(shop)

    race(count, lambda _n: note(shop))

    assert SpareRequest.objects.count() == 1


def test_without_the_constraint_it_is_noted_twice() -> None:
    shop = Shop()
    begin(shop)

    with (
        without_unique("one_spare_a_creation"),
        interrupted(_CREATE, lambda: note(shop), when=lambda rows, **_: rows.model is SpareRequest),
    ):
        note(shop)
        assert SpareRequest.objects.count() == 2
