"""The same body of the same user within ten minutes is the same submission, decided or not (contract section 3.5)."""

from datetime import timedelta

import pytest
from django.db.models import F
from django.utils.crypto import get_random_string
from pytest_django import Settings

from aftercart.actions.cancel.cancel_items import cancel_items
from aftercart.actions.cancel.request_cancellation import request_cancellation
from aftercart.actions.commands import Answer, Caller, CancellationCommand
from aftercart.actions.requests.deliver_request import deliver_request
from aftercart.actions.sync.sync_order import sync_order
from aftercart.cancellations.models import CancellationRequest, Submission
from aftercart.lib.fingerprints import list_fingerprints
from aftercart.orders.guests import Guest
from aftercart.orders.models import IdempotencyRecord
from tests.shop import Line, Shop, ask, get_statuses, make_command

pytestmark = pytest.mark.django_db

ALMOST, BARELY = timedelta(minutes=9, seconds=58), timedelta(minutes=10, seconds=1)


def one_unit(shop: Shop, *, key: str = "") -> CancellationCommand:
    """Ask for one unit, always in the same words."""
    item = ask(shop.items[0], shop.cancel_reason, quantity=1)
    return make_command(shop.order, item, key=key, fingerprint="one unit")


def decide(shop: Shop) -> None:
    """Have Omnitron approve at once the request that it gets, and hear of it."""
    request = CancellationRequest.objects.first()
    assert request is not None
    deliver_request(request.pk, shop.fake)
    request.refresh_from_db()
    [pk] = request.remote_pks
    shop.fake.decide_request("approve", pk)
    sync_order(shop.order.pk, shop.fake)


def pass_time(by: timedelta) -> None:
    IdempotencyRecord.objects.update(created_at=F("created_at") - by)


def count_units(shop: Shop) -> int:
    return shop.items[0].cancelled_quantity


def count_posts(shop: Shop) -> int:
    return shop.count_posts("create_request")


def test_a_replay_of_a_decided_cancellation_cancels_no_further_unit() -> None:
    shop = Shop([Line(quantity=3)])
    first = cancel_items(one_unit(shop), shop.fake)
    decide(shop)

    replays = [cancel_items(one_unit(shop), shop.fake) for _ in range(3)]

    assert (first.status, count_units(shop)) == (200, 1)
    assert replays == [Answer(200, first.body, is_replay=True)] * 3
    assert (Submission.objects.count(), count_posts(shop)) == (1, 1)


def test_a_replay_of_a_completed_request_makes_no_further_one() -> None:
    shop = Shop([Line(quantity=3)])
    first = request_cancellation(one_unit(shop))
    CancellationRequest.objects.update(status="completed")
    Submission.objects.get().lines.update(is_open=False, outcome="completed")

    replayed = request_cancellation(one_unit(shop))

    assert (replayed.status, replayed.body, replayed.is_replay) == (201, first.body, True)
    assert CancellationRequest.objects.count() == 1


@pytest.mark.parametrize(("age", "submissions"), [(ALMOST, 1), (BARELY, 2)])
def test_the_ten_minutes_are_the_databases(age: timedelta, submissions: int) -> None:
    shop = Shop([Line(quantity=3)])
    cancel_items(one_unit(shop), shop.fake)
    decide(shop)
    pass_time(age)

    answer = cancel_items(one_unit(shop), shop.fake)

    assert (answer.status, answer.is_replay) == (200, submissions == 1)
    assert Submission.objects.count() == submissions


def test_the_clock_of_a_host_does_not_decide_what_a_replay_is(monkeypatch: pytest.MonkeyPatch) -> None:
    shop = Shop([Line(quantity=3)])
    cancel_items(one_unit(shop), shop.fake)
    decide(shop)
    now = IdempotencyRecord.objects.get().created_at
    monkeypatch.setattr("django.utils.timezone.now", lambda: now + timedelta(days=2))

    assert cancel_items(one_unit(shop), shop.fake).is_replay
    assert not cancel_items(one_unit(shop, key="k"), shop.fake).is_replay
    assert cancel_items(one_unit(shop, key="k"), shop.fake).is_replay


def test_another_body_and_another_key_are_another_unit() -> None:
    """Three items, so that nothing but the replay could stand against them."""
    shop = Shop([Line(), Line(), Line()])

    def submit(position: int, **fields: str) -> bool:
        return cancel_items(shop.command(position, **fields), shop.fake).is_replay

    assert not submit(0, fingerprint="one")
    assert not submit(1, fingerprint="one", key="of a page")
    assert not submit(2, fingerprint="other")
    assert [submit(0, fingerprint="one"), submit(0, fingerprint="one", key="of a page")] == [True, True]
    assert (Submission.objects.count(), shop.count_posts()) == (3, 3)


def test_a_guests_replay_is_recognised_too() -> None:
    shop = Shop([Line(quantity=3)])
    shop.order.user = None
    shop.order.save(update_fields=["user"])
    caller = Caller(None, "one unit", "", Guest(shop.order.pk, shop.order.link_version))
    item = ask(shop.items[0], shop.cancel_reason, quantity=1)
    command = CancellationCommand(caller=caller, items=(item,), number=shop.order.number)
    cancel_items(command, shop.fake)
    decide(shop)

    assert cancel_items(command, shop.fake).is_replay
    assert (count_units(shop), count_posts(shop)) == (1, 1)


def test_a_replay_is_recognised_across_a_rotation_of_the_secret(settings: Settings) -> None:
    shop = Shop([Line(), Line()])

    def submit() -> Answer:
        fingerprint, *older = list_fingerprints("/orders/1/cancel/", "the body")
        caller = Caller(shop.user, fingerprint, older_fingerprints=tuple(older))
        item = ask(shop.items[0], shop.cancel_reason)
        return cancel_items(CancellationCommand(caller, (item,), shop.order.number), shop.fake)

    submit()
    settings.SECRET_KEY_FALLBACKS = [settings.SECRET_KEY]
    settings.SECRET_KEY = get_random_string(50)

    assert submit().is_replay
    settings.SECRET_KEY_FALLBACKS = []
    with pytest.raises(Exception, match="in progress"):
        submit()
    assert (get_statuses(shop.order), shop.count_posts()) == (["50", "400"], 1)


def test_nobody_can_guess_a_body_from_its_fingerprint_without_the_secret(settings: Settings) -> None:
    shown = list_fingerprints("/orders/1/cancel/", '{"iban":"TR330006100519786457841326"}')
    settings.SECRET_KEY = get_random_string(50)

    assert shown[0] not in list_fingerprints("/orders/1/cancel/", '{"iban":"TR330006100519786457841326"}')
