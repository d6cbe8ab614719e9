"""Races for an address book: what its lock prevents, shown by taking it away."""

import threading
from unittest import mock

import pytest

from aftercart.accounts.drafts import AddressDraft
from aftercart.accounts.models import Address
from aftercart.actions import add_address as adding
from aftercart.actions.add_address import add_address
from aftercart.actions.change_address import change_address
from aftercart.actions.check_address import check_address
from aftercart.actions.commands import AddressCommand
from aftercart.actions.edit_address import edit_address
from aftercart.actions.remove_address import remove_address
from aftercart.cancellations.models import AddressChange
from aftercart.omnitron.errors import NotSent
from aftercart.orders.errors import AddressRefused
from tests.db.test_address_book import list_primaries, make_draft
from tests.races.together import race
from tests.shop import Shop, make_address_command, make_customer

pytestmark = pytest.mark.django_db(transaction=True)


def test_of_many_first_addresses_one_becomes_the_first_choice() -> None:
    user = make_customer()
    drafts = [make_draft(title=f"Home {n}") for n in range(12)]

    race(12, lambda n: add_address(user, drafts[n]))

    assert Address.objects.filter(user=user).count() == 12
    assert len(list_primaries(user)) == 1


def test_the_same_address_sent_twelve_times_at_once_is_kept_once() -> None:
    user, draft = make_customer(), make_draft()

    outcomes = race(12, lambda _n: add_address(user, draft))

    assert sorted(is_new for _entry, is_new in outcomes) == [False] * 11 + [True]
    assert Address.objects.filter(user=user).count() == 1


def test_of_many_who_choose_each_gets_an_answer_and_one_choice_stays() -> None:
    user = make_customer()
    pks = [add_address(user, make_draft(title=f"Home {n}"))[0].pk for n in range(8)]

    outcomes = race(8, lambda n: edit_address(user, pks[n], {}, is_primary=True).pk)

    assert outcomes == pks
    assert len(list_primaries(user)) == 1


def test_without_the_lock_a_book_grows_beyond_its_bound() -> None:
    """What the lock prevents: a count that everybody reads before anybody writes."""
    user = make_customer()
    drafts = [make_draft(title=f"Home {n}") for n in range(8)]
    with mock.patch.object(adding, "LARGEST_BOOK", 3):
        outcomes = race(8, lambda n: add_address(user, drafts[n])[1])
    assert sorted(map(str, outcomes)) == ["True"] * 3 + ["address_book_full"] * 5

    stranger = make_customer()
    Address.objects.filter(user=user).delete()
    barrier = threading.Barrier(4)
    check = check_address

    def check_and_wait(draft: AddressDraft) -> Address:
        barrier.wait(10)
        return check(draft)

    with (
        mock.patch.object(adding, "LARGEST_BOOK", 1),
        mock.patch.object(adding, "lock_book"),
        mock.patch.object(adding, "make_primary"),
        mock.patch.object(adding, "check_address", check_and_wait),
    ):
        race(4, lambda n: add_address(stranger, drafts[n])[1])
    assert Address.objects.filter(user=stranger).count() > 1


def test_an_address_is_either_chosen_or_removed_never_both() -> None:
    """An order's change of address locks the entry that it chooses; the removal waits, and then sees it."""
    for _try in range(6):
        shop = Shop()
        entry, _ = add_address(shop.user, make_draft())
        shop.fake.fail("change_address", NotSent("down", code="unreachable"))
        command = make_address_command(shop.order, entry)

        def act(n: int, shop: Shop = shop, command: AddressCommand = command, pk: int = entry.pk) -> str:
            if n:
                remove_address(shop.user, pk)
                return "removed"
            return str(change_address(command, shop.fake).status)

        outcomes = race(2, act)

        is_pending = AddressChange.objects.filter(order=shop.order, state="pending").exists()
        is_there = Address.objects.filter(pk=entry.pk).exists()
        assert is_pending == is_there, outcomes


def test_a_removal_that_comes_second_is_refused_with_a_code() -> None:
    shop = Shop()
    entry, _ = add_address(shop.user, make_draft())
    AddressChange.objects.create(order=shop.order, user=shop.user, address={"pk": entry.pk})

    with pytest.raises(AddressRefused):
        remove_address(shop.user, entry.pk)

    assert Address.objects.filter(pk=entry.pk).exists()
