"""Photos go after their time, with their files; what was given up half-way, and files that belong to none, too."""

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from django.utils import timezone

from aftercart.actions.account.anonymize_customer import anonymize_customer
from aftercart.actions.cancel.request_cancellation import request_cancellation
from aftercart.actions.returns.add_photo import add_photo
from aftercart.actions.returns.forget_photos import forget_photos
from aftercart.cancellations.models import ReturnPhoto, SubmissionLine
from aftercart.orders.models import Order
from tests.photos import make_photo
from tests.shop import Line, Shop, ask, make_command

pytestmark = pytest.mark.django_db(transaction=True)


@pytest.fixture
def shop() -> Shop:
    """A return with a photo that was sent long ago."""
    shop = Shop([Line("550")])
    request_cancellation(make_command(shop.order, ask(shop.items[0], shop.refund_reason)))
    add_photo(shop.user, shop.order.number, shop.items[0].pk, make_photo())
    age(timedelta(days=181))
    return shop


def age(time: timedelta) -> None:
    ReturnPhoto.objects.update(created_at=timezone.now() - time)


def close() -> None:
    SubmissionLine.objects.update(is_open=False, outcome="completed")


def count(photo_folder: Path) -> tuple[int, int]:
    return ReturnPhoto.objects.count(), len(list(photo_folder.iterdir()))


def test_an_open_return_keeps_its_photos_and_a_closed_one_for_as_long_as_the_setting_says(
    shop: Shop, photo_folder: Path
) -> None:
    assert (shop.order.pk > 0, forget_photos(), count(photo_folder)) == (True, 0, (1, 1))
    close()
    age(timedelta(days=179))
    assert (forget_photos(), count(photo_folder)) == (0, (1, 1))
    age(timedelta(days=181))
    assert (forget_photos(), count(photo_folder)) == (1, (0, 0))
    assert forget_photos() == 0


@pytest.mark.usefixtures("shop")
def test_what_never_came_whole_is_given_up_after_an_hour(photo_folder: Path) -> None:
    ReturnPhoto.objects.update(stored_at=None)
    age(timedelta(minutes=59))
    assert (forget_photos(), count(photo_folder)) == (0, (1, 1))
    age(timedelta(minutes=61))
    assert (forget_photos(), count(photo_folder)) == (1, (0, 0))


def test_files_of_an_order_or_account_that_is_gone_go_too_and_nobody_elses(
    shop: Shop, photo_folder: Path
) -> None:
    close()
    stranger = photo_folder / "keep.txt"
    stranger.write_text("not ours")
    (photo_folder / f"{uuid4().hex}.jpg").write_bytes(b"left by a crash")
    assert (forget_photos(), count(photo_folder)) == (2, (0, 1))

    SubmissionLine.objects.update(is_open=True)
    add_photo(shop.user, shop.order.number, shop.items[0].pk, make_photo())
    close()
    anonymize_customer(shop.user)
    assert (count(photo_folder), forget_photos(), count(photo_folder)) == ((0, 2), 1, (0, 1))

    Order.objects.all().delete()
    assert stranger.exists()


def test_without_any_photo_there_is_nothing_to_do(photo_folder: Path) -> None:
    assert forget_photos() == 0
    assert not photo_folder.exists()
