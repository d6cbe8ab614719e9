"""The client of the order-management system that a process has, made by the adapter that the settings name.

It is made anew when the settings say something else (as tests make them do).
"""

from collections.abc import Callable, Hashable
from dataclasses import dataclass
from importlib import import_module
from typing import Final, Protocol, cast

from django.conf import settings

from aftercart.lib.kept_clients import KeptClient
from aftercart.oms.port import OmsClient


@dataclass(slots=True)
class Hooks:
    """What a process has its client call: when the OMS answers again after failures, and before each write."""

    on_recovery: Callable[[], None] | None = None
    may_write: Callable[[], bool] | None = None


class Adapter(Protocol):
    """The module that `OMS_ADAPTER` names: it reads its own settings, and makes a client of them."""

    def read_configuration(self) -> Hashable:
        """Read the settings. A client is kept for as long as they stay equal."""
        ...

    def make_client(self, hooks: Hooks) -> OmsClient:
        """Make a client from the settings as they are now."""
        ...


_hooks = Hooks()


def _get_adapter() -> Adapter:
    return cast("Adapter", import_module(settings.OMS_ADAPTER))


def listen_for_recovery(act: Callable[[], None]) -> None:
    """Have something done whenever the OMS answers this process again after failures; before the first client."""
    _hooks.on_recovery = act
    _KEPT.forget()


def ask_before_writing(may_write: Callable[[], bool]) -> None:
    """Have something asked before each write of this process; before the first client."""
    _hooks.may_write = may_write
    _KEPT.forget()


_KEPT: Final[KeptClient[OmsClient, Hashable]] = KeptClient(
    lambda: (settings.OMS_ADAPTER, _get_adapter().read_configuration()),
    lambda _configuration: _get_adapter().make_client(_hooks),
)
get_client: Final = _KEPT.get
replace_client: Final = _KEPT.replace
