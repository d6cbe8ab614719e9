"""A shop's commerce backend in memory: sessions, customers, addresses; and it can be away."""

from collections import Counter
from typing import Any

from aftercart.commerce.client import CommerceUnavailable, ShopUser


class FakeCommerce:
    """Answers by session key. `asked` counts questions by key; `hold` is called before an answer."""

    def __init__(self) -> None:
        self.users: dict[str, ShopUser] = {}
        self.addresses: dict[str, list[dict[str, Any]]] = {}
        self.orders: dict[str, dict[str, Any]] = {}
        self.is_away = False
        self.asked: Counter[str] = Counter()

    def log_in(self, key: str, pk: int, email: str, **fields: Any) -> str:
        """Let a session be a customer's."""
        self.users[key] = ShopUser(pk=pk, email=email, **fields)
        return key

    def read_user(self, key: str) -> ShopUser | None:
        self._answer(key)
        return self.users.get(key)

    def list_addresses(self, key: str) -> list[dict[str, Any]]:
        self._answer(key)
        return self.addresses.get(key, [])

    def read_order(self, number: str) -> dict[str, Any] | None:
        self._answer(number)
        return self.orders.get(number)

    def hold(self) -> None:
        """Do something before an answer; a test puts it in this place."""

    def _answer(self, key: str) -> None:
        self.asked[key] += 1
        self.hold()
        if self.is_away:
            raise CommerceUnavailable("unreachable")
