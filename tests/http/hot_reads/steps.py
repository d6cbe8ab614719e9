"""Answers by the front and by Django, side by side; what their tests do."""

import asyncio
import re
from datetime import timedelta

from django.contrib.auth import BACKEND_SESSION_KEY, HASH_SESSION_KEY, SESSION_KEY
from django.utils import timezone

from aftercart.accounts.models import Session, User
from aftercart.accounts.sessions import SessionStore
from aftercart.front.hot_reads import HotReads
from aftercart.lib.links import sign_number
from aftercart.loyalty.models import LoyaltyEntry
from aftercart.orders.models import DiscountItem, Order
from aftercart.wsgi import application
from tests.http.fuzz import Headers, Proto, Scope, send
from tests.shop import Line, Shop, make_customer, make_order, request_units

JSON = ("accept", "application/json")


def log_in(user: User, **changes: str) -> str:
    """Make a session; return its key."""
    session = SessionStore()
    session.update({
        SESSION_KEY: str(user.pk),
        BACKEND_SESSION_KEY: "django.contrib.auth.backends.ModelBackend",
        HASH_SESSION_KEY: user.get_session_auth_hash(),
        **changes,
    })  # fmt: skip
    session.save()
    return session.session_key or ""


def make_scope(path: str, key: str, *headers: tuple[str, str], query: str = "", method: str = "GET") -> Scope:
    cookies = [("cookie", f"sessionid={key}; osessionid={key}")] if key else []
    return Scope(method, path, query, Headers([("host", "127.0.0.1:8000"), *cookies, *headers]))


def answer_hot(scope: Scope) -> Proto | None:
    """Have the front answer as it does with a connection that is there; None if it leaves it to Django."""

    async def run() -> Proto | None:
        hot, proto = HotReads(application), Proto()
        try:
            await hot._lane._open(asyncio.get_running_loop())
            return proto if await hot.answer(scope, proto) else None
        finally:
            hot.close()

    return asyncio.run(run())


#: What is another in each answer: an id, the time, and how a token is masked.
_VARIES = re.compile(r"(?<=expires=)[^;]*|(?<= csrftoken=)[^;]*")
MASKED = re.compile(rb"(?<=\")\w{64}(?=\")")


def is_same(one: Proto, other: Proto) -> bool:
    assert (one.status, MASKED.sub(b"", one.body)) == (other.status, MASKED.sub(b"", other.body))

    def read(proto: Proto) -> list[tuple[str, str]]:
        return [
            (name, "" if name in {"X-Request-ID", "Expires"} else _VARIES.sub("", value))
            for name, value in proto.headers
        ]

    assert read(one) == read(other)
    return True


def signed(order: Order) -> str:
    token = sign_number(order.number, purpose="completed", link_version=order.link_version)
    return f"/orders/completed/{token}/"


def list_paths(order: Order) -> list[str]:
    return [f"/users/orders/{order.pk}/", signed(order)]


def answer_both(scope: Scope) -> Proto:
    """Answer by Django, then by the front, which must say the same."""
    by_django = send(scope, b"")
    by_front = answer_hot(scope)
    assert by_front is not None
    assert is_same(by_front, by_django)
    return by_front


def assert_left_to_django(scope: Scope, status: int) -> None:
    """Check that the front leaves it to Django, which answers so; also once the document is there."""
    assert answer_hot(scope) is None
    assert send(scope, b"").status == status
    assert answer_hot(scope) is None


def make_orders(shop: Shop) -> list[Order]:
    """Make an order of each kind."""
    rich = make_order(
        shop.user, Line("500"), Line("100", cancelled_quantity=1), details={"notes": "İki kez çal\u2028!"}
    )
    DiscountItem.objects.create(order=rich, name="Yaz", amount=5)
    LoyaltyEntry.objects.create(user=shop.user, order=rich, kind="earned", amount=5, currency="TRY")
    campaigns = make_order(shop.user, campaigns=[{"name": "Kış", "amount": "1.00"}])
    request_units(shop)
    return [
        shop.order,
        rich,
        campaigns,
        make_order(shop.user, Line("600", cancelled_quantity=1), status="600"),
    ]


def expire(_shop: Shop) -> None:
    Session.objects.update(expire_date=timezone.now() - timedelta(seconds=1))


def log_out(_shop: Shop) -> None:
    Session.objects.all().delete()


def deactivate(_shop: Shop) -> None:
    User.objects.update(is_active=False)


def change_password(shop: Shop) -> None:
    shop.user.set_password("another-12345")
    shop.user.save()


def tamper(_shop: Shop) -> None:
    Session.objects.update(session_data="e30:1tampered:with")


def be_another(_shop: Shop) -> None:
    """Have the row name another customer than the signed data."""
    Session.objects.update(user=make_customer())


#: How a session ends.
ENDINGS = [expire, log_out, deactivate, change_password, tamper]


def clear_caches() -> None:
    from aftercart.front import hot_reads

    hot_reads._decode_session.cache_clear()
    hot_reads._hash_password.cache_clear()


HTML = ("accept", "text/html,application/xhtml+xml,*/*;q=0.8")
SECRET = "c" * 32


def make_browser_scope(
    path: str, key: str, *headers: tuple[str, str], more: str = "", query: str = ""
) -> Scope:
    cookie = ("cookie", f"sessionid={key}; osessionid={key}; csrftoken={SECRET}{more}")
    return make_scope(path, "", HTML, cookie, ("sec-fetch-mode", "navigate"), *headers, query=query)
