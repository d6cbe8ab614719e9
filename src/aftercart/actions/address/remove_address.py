"""Take an entry out of a customer's address book."""

from django.db import transaction

from aftercart.accounts.address_book import list_addresses
from aftercart.accounts.models import User
from aftercart.actions.address.add_address import make_primary
from aftercart.actions.address.edit_address import lock_entry, refuse_in_use


def remove_address(user: User, pk: int) -> None:
    """Delete an entry; if it was the primary one, the newest of the others becomes it.

    Raises `AddressNotFound`, `AddressRefused` while a pending pickup or address change uses it; then nothing
    has been written. Orders keep the addresses that they were sent to.
    """
    with transaction.atomic(durable=True):
        entry = lock_entry(user, pk)
        refuse_in_use(user, entry)
        was_primary = entry.primary
        entry.delete()
        if was_primary and (next_one := list_addresses(user).first()) is not None:
            make_primary(next_one)
