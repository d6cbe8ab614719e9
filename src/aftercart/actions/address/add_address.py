"""Put an address into a customer's book."""

from django.db import transaction
from django.utils.translation import gettext as _

from aftercart.accounts.address_book import LARGEST_BOOK, list_addresses, lock_book
from aftercart.accounts.drafts import FIELDS, AddressDraft
from aftercart.accounts.models import Address, User
from aftercart.actions.address.check_address import check_address
from aftercart.actions.recognize_replay import once_more_if_raced
from aftercart.orders.errors import AddressRefused


@once_more_if_raced
def add_address(user: User, draft: AddressDraft, *, is_primary: bool = False) -> tuple[Address, bool]:
    """Add an address; the entry, and whether it is new. The first one of a book is the primary one.

    A replay of the same write gives the entry that the first one made. Raises `InputInvalid`,
    `AddressRefused`; then nothing has been written.
    """
    with transaction.atomic(durable=True):
        lock_book(user)
        address = check_address(draft)
        entry = find_twin(user, address)
        if entry is not None and not is_same(entry, address):
            raise say_duplicate()
        is_new = entry is None
        if entry is None:
            book = Address.objects.filter(user=user)
            if book.count() >= LARGEST_BOOK:
                message = _("Your address book can hold up to %(most)s addresses.") % {"most": LARGEST_BOOK}
                raise AddressRefused(message, "address_book_full")
            address.user = user
            address.email = address.email or user.email
            is_primary = is_primary or not book.filter(primary=True).exists()
            address.save()
            entry = address
        if is_primary:
            make_primary(entry)
    return entry, is_new


def find_twin(user: User, address: Address) -> Address | None:
    """Find the entry that a courier would take for this address. Inside `lock_book`."""
    return list_addresses(user).filter(hash_data=address.hash_data).first()


def is_same(entry: Address, address: Address) -> bool:
    """Return whether an entry and what was typed say the same in every field; no e-mail means the user's."""
    names = [name for name in FIELDS if name != "email" or address.email]
    return all(getattr(entry, name) == getattr(address, name) for name in names)


def say_duplicate() -> AddressRefused:
    """Say that the book has this address already."""
    return AddressRefused(_("This address is already in your address book."), "duplicate_address")


def make_primary(entry: Address) -> None:
    """Make an entry its book's first choice. Inside `lock_book`; there is never more than one."""
    others = Address.objects.filter(user_id=entry.user_id, primary=True).exclude(pk=entry.pk)
    others.update(primary=False)  # first: the unique index allows no two, not even for a moment
    if not entry.primary:
        entry.primary = True
        entry.save(update_fields=["primary", "modified_date"])
