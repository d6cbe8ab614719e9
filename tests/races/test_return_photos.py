"""A return has five photos however many come at once, and each once; what lock, indexes and check prevent."""

from pathlib import Path

import pytest
from django.db import IntegrityError, transaction

from aftercart.actions.cancel.request_cancellation import request_cancellation
from aftercart.actions.returns.add_photo import add_photo
from aftercart.actions.returns.remove_photo import remove_photo
from aftercart.cancellations.models import ReturnPhoto, SubmissionLine
from aftercart.orders.selectors import lock_order
from tests.photos import make_photo
from tests.races.together import (
    attempt,
    interrupted,
    race,
    without_check,
    without_lock,
    without_unique,
)
from tests.shop import Line, Shop, ask, make_command

pytestmark = pytest.mark.django_db(transaction=True)

#: Between the look at what is free and the row.
TAKING = "add_photo._record"


@pytest.fixture
def shop() -> Shop:
    shop = Shop([Line("550")])
    request_cancellation(make_command(shop.order, ask(shop.items[0], shop.refund_reason)))
    return shop


def add(shop: Shop, shade: int) -> str:
    photo, _is_new = add_photo(
        shop.user, shop.order.number, shop.items[0].pk, make_photo((8, 8), shade=shade)
    )
    return str(photo.uuid)


def test_of_eight_photos_at_once_five_are_kept(shop: Shop, photo_folder: Path) -> None:
    outcomes = race(8, lambda n: add(shop, n))

    assert outcomes.count("photos_full") == 3
    assert sorted(ReturnPhoto.objects.values_list("place", flat=True)) == [1, 2, 3, 4, 5]
    assert len(list(photo_folder.iterdir())) == 5


def test_one_photo_sent_eight_times_at_once_is_one(shop: Shop, photo_folder: Path) -> None:
    outcomes = race(8, lambda _n: add(shop, 1))

    photo = ReturnPhoto.objects.get()
    assert outcomes == [str(photo.uuid)] * 8
    assert photo.stored_at is not None
    assert len(list(photo_folder.iterdir())) == 1


def test_who_comes_in_between_waits_and_takes_the_next_place(shop: Shop) -> None:
    with interrupted(TAKING, lambda: add(shop, 2)) as other:
        add(shop, 1)

    assert other.had_to_wait
    assert sorted(ReturnPhoto.objects.values_list("place", flat=True)) == [1, 2]


def test_without_the_lock_the_index_has_the_last_word(shop: Shop) -> None:
    with (
        without_lock("add_photo._take_place"),
        interrupted(TAKING, lambda: add(shop, 2)),
        pytest.raises(IntegrityError, match="one_photo_a_place"),
    ):
        add(shop, 1)

    assert ReturnPhoto.objects.count() == 1


def test_without_lock_and_index_two_photos_take_one_place(shop: Shop) -> None:
    with without_unique("one_photo_a_place"):
        with without_lock("add_photo._take_place"), interrupted(TAKING, lambda: add(shop, 2)) as other:
            add(shop, 1)
        assert not other.had_to_wait
        assert list(ReturnPhoto.objects.values_list("place", flat=True)) == [1, 1]


def test_without_lock_and_indexes_one_photo_is_kept_twice(shop: Shop) -> None:
    with without_unique("a_photo_once_a_line", "one_photo_a_place"):
        with without_lock("add_photo._take_place"), interrupted(TAKING, lambda: add(shop, 1)) as other:
            add(shop, 1)
        assert not other.had_to_wait
        assert ReturnPhoto.objects.count() == 2


def remove(shop: Shop) -> None:
    remove_photo(shop.user, shop.order.number, ReturnPhoto.objects.get().uuid)


def decide(shop: Shop) -> None:
    with transaction.atomic():
        lock_order(pk=shop.order.pk)
        SubmissionLine.objects.update(is_open=False, outcome="rejected")


def test_a_return_is_decided_before_a_photo_goes_or_after(shop: Shop) -> None:
    add(shop, 1)
    with interrupted("remove_photo._delete", lambda: decide(shop)) as other:
        remove(shop)
    assert (other.had_to_wait, other.outcome) == (True, None)


def test_without_the_lock_a_photo_goes_that_was_decided_on(shop: Shop) -> None:
    add(shop, 1)
    with (
        without_lock("remove_photo._remove_row"),
        interrupted("remove_photo._delete", lambda: decide(shop)) as other,
    ):
        remove(shop)
    assert not other.had_to_wait
    assert not ReturnPhoto.objects.exists()


@pytest.mark.usefixtures("shop")
def test_a_sixth_place_is_none() -> None:
    line = SubmissionLine.objects.get()
    row = {"line": line, "place": 6, "digest": "d", "width": 1, "height": 1}
    with pytest.raises(IntegrityError, match="a_line_has_few_photos"):
        ReturnPhoto.objects.create(**row)

    with without_check("a_line_has_few_photos"):
        ReturnPhoto.objects.create(**row)
        assert ReturnPhoto.objects.count() == 1


def test_of_a_photo_and_a_decision_the_first_counts(shop: Shop) -> None:
    def decide() -> None:
        SubmissionLine.objects.update(is_open=False, outcome="rejected")

    with interrupted("add_photo._take_place", decide):
        assert attempt(lambda: add(shop, 1)) == "no_open_return"

    assert not ReturnPhoto.objects.exists()
