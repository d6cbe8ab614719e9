"""The address that a command names, where the shop keeps the address books."""

from dataclasses import replace

from rest_framework.request import Request

from aftercart.accounts.models import Address
from aftercart.accounts.shop_sessions import ShopSession
from aftercart.actions.address.list_shop_addresses import choose_shop_address
from aftercart.actions.commands import AddressCommand, CancellationCommand


def take_address(request: Request, command: AddressCommand) -> AddressCommand:
    """Put the shop's address in the place of its id. Before any transaction, and only of the caller's own."""
    address = command.address
    return replace(command, address=_find(request, address)) if isinstance(address, int) else command


def take_pickup(request: Request, command: CancellationCommand) -> CancellationCommand:
    """Put the shop's address in the place of its id, if the command names one."""
    pickup = command.pickup_address
    return replace(command, pickup_address=_find(request, pickup)) if isinstance(pickup, int) else command


def _find(request: Request, pk: int) -> Address | int:
    session = request._request.session  # noqa: SLF001 - Django's own request, which the framework keeps there
    return choose_shop_address(session.cookie, pk) if isinstance(session, ShopSession) else pk
