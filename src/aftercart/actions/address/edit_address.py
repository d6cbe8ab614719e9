"""Change an entry of a customer's address book, or make it the primary one."""

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from django.db import transaction
from django.utils.translation import gettext as _

from aftercart.accounts.address_book import list_addresses, lock_book
from aftercart.accounts.drafts import FIELDS, AddressDraft
from aftercart.accounts.models import Address, User
from aftercart.actions.address.add_address import find_twin, is_same, make_primary, say_duplicate
from aftercart.actions.address.check_address import check_address
from aftercart.actions.recognize_replay import once_more_if_raced
from aftercart.cancellations.selectors import is_address_in_use
from aftercart.orders.errors import AddressNotFound, AddressRefused


@once_more_if_raced
def edit_address(
    user: User, pk: int, changes: Mapping[str, Any], *, is_primary: bool | None = None
) -> Address:
    """Change the named fields of an entry, and, with `is_primary`, make it the first choice.

    Raises `AddressNotFound`, `InputInvalid`, `AddressRefused`; then nothing has been written. An entry that
    is in use may become the primary one, and change in nothing else. Orders keep the addresses that they
    were sent to.
    """
    with transaction.atomic(durable=True):
        entry = lock_entry(user, pk)
        if is_primary is False and entry.primary:
            message = _("You always need a default address. Set another one as default instead.")
            raise AddressRefused(message, "primary_needed")
        before = AddressDraft.of(entry)
        draft = replace(before, **changes)
        if draft != before:
            _write(user, entry, draft)
        if is_primary:
            make_primary(entry)
    return entry


def _write(user: User, entry: Address, draft: AddressDraft) -> None:
    address = check_address(draft)
    if is_same(entry, address):
        return
    refuse_in_use(user, entry)
    twin = find_twin(user, address)
    if twin is not None and twin.pk != entry.pk:
        raise say_duplicate()
    for name in (*FIELDS, "hash_data"):
        setattr(entry, name, getattr(address, name))
    entry.save(update_fields=[*FIELDS, "hash_data", "modified_date"])


def lock_entry(user: User, pk: int) -> Address:
    """Lock a user's book, and one entry of it for those who are about to use it. Raises `AddressNotFound`."""
    lock_book(user)
    try:
        return list_addresses(user).select_for_update(of=("self",)).get(pk=pk)
    except (Address.DoesNotExist, OverflowError):
        raise AddressNotFound from None


def refuse_in_use(user: User, entry: Address) -> None:
    """Raise `AddressRefused` for an entry where a courier is to come, or that the OMS is still to be told."""
    if is_address_in_use(user, entry.pk):
        message = _("A return pickup or a delivery uses this address. Please wait until it is done.")
        raise AddressRefused(message, "address_in_use")
