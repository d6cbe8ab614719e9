"""Races for an address book: what its lock prevents, shown by taking it away."""

from unittest import mock

import pytest

from aftercart.accounts.models import Address, User
from aftercart.actions.address import add_address as adding
from aftercart.actions.address.add_address import add_address
from aftercart.actions.address.change_address import change_address
from aftercart.actions.address.edit_address import edit_address
from aftercart.actions.address.remove_address import remove_address
from aftercart.actions.commands import AddressCommand
from aftercart.cancellations.models import AddressChange
from aftercart.oms.errors import NotSent
from aftercart.orders.errors import AddressRefused
from tests.db.test_address_book import list_primaries, make_draft
from tests.races.together import interrupted, race, without_lock, without_unique
from tests.shop import Shop, make_address_command, make_customer

pytestmark = pytest.mark.django_db(transaction=True)

#: After the count of what is in the book.
SAVING_AN_ENTRY = "aftercart.accounts.models.Address.save_base"
#: After the entry was found, and before the change that names it is there.
CHOSEN = "change_address.keep_policy"
#: After the look for changes that name the entry.
REMOVING = "aftercart.accounts.models.Address.delete"


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


def test_of_many_who_add_a_book_takes_as_many_as_it_holds() -> None:
    user = make_customer()
    drafts = [make_draft(title=f"Home {n}") for n in range(8)]

    with mock.patch.object(adding, "LARGEST_BOOK", 3):
        outcomes = race(8, lambda n: add_address(user, drafts[n])[1])

    assert sorted(map(str, outcomes)) == ["True"] * 3 + ["address_book_full"] * 5


# --- the last place in a book --------------------------------------------------------------------------------


@pytest.fixture
def nearly_full(monkeypatch: pytest.MonkeyPatch) -> User:
    """Make somebody whose book has place for one more."""
    monkeypatch.setattr(adding, "LARGEST_BOOK", 2)
    user = make_customer()
    add_address(user, make_draft(title="First"))
    return user


def add(user: User, title: str) -> str:
    return "new" if add_address(user, make_draft(title=title))[1] else "known"


def test_who_wants_the_last_place_in_a_book_second_waits_and_is_told_that_it_is_full(
    nearly_full: User,
) -> None:
    with interrupted(SAVING_AN_ENTRY, lambda: add(nearly_full, "Second")) as other:
        assert add(nearly_full, "Third") == "new"

    assert (other.had_to_wait, other.outcome) == (True, "address_book_full")
    assert Address.objects.filter(user=nearly_full).count() == 2


def test_without_the_lock_a_book_grows_beyond_its_bound(nearly_full: User) -> None:
    """What the lock prevents: a count that everybody reads before anybody writes."""
    with (
        without_lock("address_book.lock_book"),
        interrupted(SAVING_AN_ENTRY, lambda: add(nearly_full, "Second")) as other,
    ):
        assert add(nearly_full, "Third") == "new"

    assert (other.had_to_wait, other.outcome) == (False, "new")
    assert Address.objects.filter(user=nearly_full).count() == 3


def test_without_lock_and_constraint_a_book_holds_one_address_twice() -> None:
    user = make_customer()
    with (
        without_lock("address_book.lock_book"),
        without_unique("address_once_a_user"),
        interrupted(SAVING_AN_ENTRY, lambda: add(user, "Home")),
    ):
        assert add(user, "Home") == "new"
        assert Address.objects.filter(user=user).count() == 2


def test_without_lock_and_constraint_a_book_has_two_first_choices() -> None:
    user = make_customer()
    with (
        without_lock("address_book.lock_book"),
        without_unique("one_primary_address_a_user"),
        interrupted(SAVING_AN_ENTRY, lambda: add(user, "Home"), when=lambda entry, **_: entry.primary),
    ):
        assert add(user, "Work") == "new"
        assert len(list_primaries(user)) == 2


def test_without_the_lock_the_constraints_make_the_second_try_again() -> None:
    user = make_customer()
    with (
        without_lock("address_book.lock_book"),
        interrupted(SAVING_AN_ENTRY, lambda: add(user, "First")),
    ):
        assert add(user, "First") == "known"
    assert list(Address.objects.filter(user=user).values_list("primary", flat=True)) == [True]


# --- chosen by an order, and removed -------------------------------------------------------------------------


def make_silent_shop() -> tuple[Shop, Address]:
    """Make a shop whose Omnitron cannot be reached, so that a change stays pending, and an entry to choose."""
    shop = Shop()
    shop.fake.fail("change_address", NotSent("down", code="unreachable"))
    return shop, add_address(shop.user, make_draft())[0]


def choose(shop: Shop, entry: Address) -> int:
    return change_address(make_address_command(shop.order, entry), shop.fake).status


def describe_outcome(entry: Address) -> tuple[int, int]:
    """Return how many changes to an address are on their way, and how many such entries there are."""
    pending = AddressChange.objects.filter(address__pk=entry.pk, state="pending").count()
    return pending, Address.objects.filter(pk=entry.pk).count()


def test_a_removal_waits_for_the_change_that_chooses_the_entry_and_is_refused() -> None:
    shop, entry = make_silent_shop()

    with interrupted(CHOSEN, lambda: remove_address(shop.user, entry.pk)) as other:
        assert choose(shop, entry) == 202

    assert (other.had_to_wait, other.outcome) == (True, "address_in_use")
    assert describe_outcome(entry) == (1, 1)


def test_without_the_lock_of_who_chooses_an_entry_is_chosen_and_removed() -> None:
    shop, entry = make_silent_shop()

    with (
        without_lock("get_address.get_address"),
        interrupted(CHOSEN, lambda: remove_address(shop.user, entry.pk)) as other,
    ):
        assert choose(shop, entry) == 202

    assert (other.had_to_wait, other.outcome) == (False, None)
    assert describe_outcome(entry) == (1, 0)


def test_who_chooses_an_entry_that_is_being_removed_waits_and_is_told_that_there_is_none() -> None:
    shop, entry = make_silent_shop()

    with interrupted(REMOVING, lambda: choose(shop, entry)) as other:
        remove_address(shop.user, entry.pk)

    assert (other.had_to_wait, other.outcome) == (True, "invalid")
    assert describe_outcome(entry) == (0, 0)


def test_without_the_lock_of_who_removes_an_entry_is_chosen_and_removed() -> None:
    shop, entry = make_silent_shop()

    with (
        without_lock("edit_address.lock_entry"),
        interrupted(REMOVING, lambda: choose(shop, entry)) as other,
    ):
        remove_address(shop.user, entry.pk)

    assert (other.had_to_wait, other.outcome) == (False, 202)
    assert describe_outcome(entry) == (1, 0)


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
