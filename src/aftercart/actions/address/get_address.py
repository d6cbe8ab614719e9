"""Get the address that a write names: an entry of the customer's book, or what a guest has typed."""

from django.db import connection

from aftercart.accounts.address_book import list_addresses
from aftercart.accounts.drafts import AddressDraft
from aftercart.accounts.models import Address
from aftercart.actions.address.check_address import check_address
from aftercart.actions.commands import Caller
from aftercart.lib.bulk import reserve_ids
from aftercart.lib.identity import has_own_accounts


class AddressUnknown(Exception):
    """There is no such entry in the writer's book; nobody is told whether it is in another one."""


def get_address(named: int | AddressDraft | Address, caller: Caller) -> Address:
    """Get or make the address, with its places. Raises `AddressUnknown`, `InputInvalid`.

    Inside a transaction the entry stays as it is until the end: it must not be deleted or altered between
    being chosen and being in use (`remove_address` looks for uses). What a guest types is kept in no book; it
    gets a number that no entry will ever have, since the OMS wants one.
    """
    if isinstance(named, Address):  # the shop has just said that it is the writer's
        return named
    if isinstance(named, AddressDraft):
        address = check_address(named)
        [address.pk] = reserve_ids(Address._meta.db_table, 1)
        return address
    if caller.user is None or not has_own_accounts():  # elsewhere our books hold what is long out of date
        raise AddressUnknown
    addresses = list_addresses(caller.user).filter(pk=named)
    if connection.in_atomic_block:
        addresses = addresses.select_for_update(no_key=True, of=("self",))
    entry = addresses.first()
    if entry is None:
        raise AddressUnknown
    return entry
