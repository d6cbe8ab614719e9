"""Two who put sending on hold at once: one hold, which one release ends."""

import pytest

from aftercart.actions.sync.hold_sending import hold_sending, release_sending
from aftercart.actions.sync.watch_restores import watch_restores
from aftercart.cancellations.models import Installation, SendingHold
from aftercart.cancellations.models.holds import may_send
from tests.races.together import race, without_unique

pytestmark = pytest.mark.django_db(transaction=True)


def test_many_who_hold_at_once_make_one_hold() -> None:
    holds = race(8, lambda n: hold_sending(f"For reason {n}."))

    assert len({hold.pk for hold in holds}) == SendingHold.objects.count() == 1
    assert not may_send()
    assert release_sending()
    assert may_send()


def test_without_the_index_two_holds_last() -> None:
    with without_unique("one_hold_at_a_time"):
        for reason in ("A backup.", "A drill."):
            SendingHold.objects.create(reason=reason)
        assert SendingHold.objects.filter(released_at=None).count() == 2


def test_no_rise_of_the_count_is_lost() -> None:
    watch_restores()
    before = Installation.objects.get().count

    assert race(8, lambda _n: watch_restores()) == [False] * 8

    assert Installation.objects.get().count == before + 8
