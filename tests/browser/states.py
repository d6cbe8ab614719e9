"""Every page of the customer's site in every state that has a look of its own: how to get there."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from importlib import import_module
from typing import Any, Final
from urllib.parse import urlsplit

from django.db import OperationalError, transaction
from django.db.models import F
from django.utils import timezone

from aftercart.actions.cancel.close_line import complete_line, reject_line
from aftercart.cancellations.models import SubmissionLine
from aftercart.lib.links import sign_number
from aftercart.loyalty.models import LoyaltyEntry
from aftercart.mail.compose import make_opt_out_url
from aftercart.oms.errors import AnswerUnknown, NotSent
from aftercart.orders.errors import TooManyTries
from aftercart.orders.models import OneTimeCode, Order, OrderItem
from aftercart.orders.timeline import OMS, WORKER, record_event
from tests.browser.fixtures import (
    EMAIL,
    PASSWORD,
    list_products,
    make_customer,
    make_omnitron,
    make_order,
    sign,
)
from tests.browser.steps import add_photos, choose, confirm, go_on
from tests.browser.visit import Visit
from tests.emails import send_code
from tests.fake_omnitron import FakeOmnitron
from tests.photos import make_photo

State = Callable[["Tour"], object]


class Tour:
    """A walk through the shop with one customer, and a fresh order wherever one is used up."""

    def __init__(self, visit: Visit, order: Order, fake: FakeOmnitron, patch: Any) -> None:
        self.visit, self.order, self.fake, self.patch = visit, order, fake, patch
        self.page = visit.page
        self._orders = 0

    def take_order(self, *statuses: str, **fields: Any) -> Order:
        """Make another order of the same customer, which Omnitron knows."""
        assert self.order.user is not None
        self._orders += 1
        number = f"ORD-2024-1{self._orders:05}"
        order = make_order(self.order.user, list_products(*statuses), number=number, **fields)
        self.fake.backoffice = make_omnitron(self.order, order).backoffice
        return order

    def choose(self, order: Order, *places: int) -> None:
        choose(self.page, order, *places)
        if self.page.locator("[name=shipping_company]").count():
            self.page.locator("[name=shipping_company]").first.check()
        if self.page.locator("[name$=exchange_preference]").first.is_visible():
            self.page.locator("[name$=exchange_preference]").first.fill("Size 42, in dark blue")

    def look(self, order: Order, *places: int) -> None:
        self.choose(order, *places)
        go_on(self.page)


def _refund_error(tour: Tour) -> None:
    tour.look(tour.take_order("400", payment_option={"payment_type": "funds_transfer"}), 0)
    tour.page.locator("button[value=send]").click()
    tour.page.locator(".summary").wait_for()


def _refund_changed(tour: Tour) -> None:
    order = tour.take_order("400", "400")
    tour.look(order, 0)
    Order.objects.filter(pk=order.pk).update(
        discount_amount=0, amount=Decimal("2498.80"), version=F("version") + 1
    )
    tour.page.locator("[name=return_policy]").check()
    tour.page.locator("button[value=send]").click()
    tour.page.locator(".changes").wait_for()


def _choose_error(tour: Tour) -> None:
    tour.page.goto(f"/orders/{tour.take_order('400', '450', '400').number}/cancel/")
    for place in range(3):
        tour.page.locator(".choice [type=checkbox]").nth(place).check()
    tour.page.locator("button[value=quote]").click()
    tour.page.locator(".summary").wait_for()


def _send(tour: Tour, error: Any = None) -> None:
    order = tour.take_order("400", "400")
    if error:
        tour.fake.fail("cancel_items", error)
    tour.look(order, 0)
    confirm(tour.page)


def _end(tour: Tour, reason: str = "") -> None:
    _send(tour, NotSent)
    line = SubmissionLine.objects.select_related("order_item__order").filter(is_open=True).latest("pk")
    with transaction.atomic():
        if reason:
            reject_line(line.order_item.order, line, OMS, reason=reason)
        else:
            complete_line(line.order_item.order, line, OMS)
    tour.page.reload()


def _returned(tour: Tour) -> None:
    order = tour.take_order("550", "400", "400")
    tour.look(order, 0)
    confirm(tour.page)


def _change_pickup(tour: Tour, *, is_wrong: bool = False) -> None:
    _returned(tour)
    tour.page.locator("a[href$='/pickup/']").click()
    if is_wrong:
        tour.page.locator("[name=pickup_date]").fill("2020-01-01")
        tour.page.locator("button[value=change]").click()
        tour.page.locator(".summary").wait_for()
    else:
        tour.page.locator("button[value=change]").wait_for()


def _returned_with_photos(tour: Tour) -> None:
    """Add photos to a return; one of the files is none."""
    _returned(tour)
    add_photos(tour.page, make_photo((800, 600)), b"no photo", make_photo((600, 800), shade=120))
    tour.page.locator(".notice.error").wait_for()


def _busy_order(tour: Tour) -> None:
    _returned(tour)
    item = OrderItem.objects.latest("pk")
    record_event(item.order, "address_change_too_late", WORKER)
    tour.page.goto(f"/users/orders/{item.order_id}/")


def _too_late(tour: Tour) -> None:
    order = tour.take_order("550")
    order.items.update(delivered_at=timezone.now() - timedelta(days=30))
    tour.page.goto(f"/orders/{order.number}/cancel/")


def _down(tour: Tour) -> None:
    def fail(*_args: object, **_options: object) -> None:
        raise OperationalError("away")

    with tour.patch.context() as patch:
        patch.setattr("aftercart.pages.views.orders.list_orders", fail)
        tour.page.goto("/users/orders/")


def _broken(tour: Tour) -> None:
    def fail(*_args: object, **_options: object) -> None:
        raise RuntimeError("a fault of ours")

    with tour.patch.context() as patch:
        patch.setattr("aftercart.pages.views.orders.list_orders", fail)
        tour.page.goto("/users/orders/")
    tour.page.get_by_text("500").wait_for()
    assert ["status of 500" in text for text in tour.visit.complaints] == [True]
    tour.visit.complaints.clear()


def _address_error(tour: Tour) -> None:
    entry = tour.order.user.addresses.first() if tour.order.user else None
    assert entry is not None
    tour.page.goto(f"/address/?edit={entry.pk}")
    tour.page.locator("#id_phone_number").fill("12")
    tour.page.locator("#id_line").fill("")
    tour.page.locator("#typed .primary").click()
    tour.page.locator(".summary").wait_for()


def _address_remove(tour: Tour) -> None:
    """Be asked whether an address shall go."""
    tour.page.goto("/address/")
    tour.page.locator("a[href*='?remove=']").first.click()
    tour.page.locator("[name=remove]").wait_for()


def _kept(tour: Tour, *, is_back: bool = False) -> None:
    """Send a form without a session; log in again, and be offered it."""
    if is_back:
        tour.visit.log_in("/users/login/?next=/address/")
    else:
        tour.page.goto("/address/")
    tour.visit.context.clear_cookies(name="sessionid")
    tour.visit.context.clear_cookies(name="osessionid")
    tour.page.locator("#typed .primary").click()
    tour.page.locator("[name=kept]").wait_for(state="attached")
    if is_back:
        tour.page.locator("#id_email").fill(EMAIL)
        tour.page.locator("#id_password").fill(PASSWORD)
        tour.page.locator("main form .primary").click()
        tour.page.locator("#typed[action='/address/']").wait_for()


def _address_too_late(tour: Tour) -> None:
    tour.page.goto(f"/orders/change-address/?order={tour.take_order('500').pk}")


def _address_sent(tour: Tour) -> None:
    tour.page.goto(f"/orders/change-address/?order={tour.take_order('400').pk}")
    tour.page.locator("[name=address]").last.check()
    tour.page.locator("#typed .primary").click()
    tour.page.locator(".notice[role=status]").wait_for()


def _stale_token(tour: Tour) -> None:
    tour.page.goto("/users/orders/")
    tour.visit.context.clear_cookies(name="csrftoken")
    tour.page.locator("header form button").click()
    tour.page.get_by_text("403").wait_for()


def _nobody(tour: Tour, path: str) -> None:
    tour.visit.context.clear_cookies(name="sessionid")
    tour.visit.context.clear_cookies(name="osessionid")
    tour.page.goto(path)


def _wrong_login(tour: Tour) -> None:
    _nobody(tour, "/users/login/")
    tour.page.locator("#id_email").fill("nobody@example.com")
    tour.page.locator("#id_password").fill("wrong")
    tour.page.locator("main form .primary").click()
    tour.page.locator(".summary").wait_for()


def _login_code(tour: Tour, *, is_wrong: bool = False) -> None:
    """Ask for a code to log in with."""
    _nobody(tour, "/users/login/")
    tour.page.locator("#id_email").fill(EMAIL)
    tour.page.locator("[formaction]").click()
    tour.page.locator("#id_code").wait_for()
    if is_wrong:
        tour.page.locator("#id_code").fill("nothing")
        tour.page.locator("main form .primary").click()
        tour.page.locator(".summary").wait_for()


def _empty(tour: Tour) -> None:
    make_customer("new@example.com")
    _nobody(tour, "/users/login/")
    tour.visit.log_in("/users/orders/", "new@example.com")


def _go(path: str) -> State:
    return lambda tour: tour.page.goto(path.format(order=tour.order))


def _points(tour: Tour) -> None:
    user, order = tour.order.user, tour.order
    for kind, amount in ((LoyaltyEntry.Kind.EARNED, 40), (LoyaltyEntry.Kind.SPENT, -15)):
        LoyaltyEntry.objects.create(user=user, order=order, kind=kind, currency="TRY", amount=Decimal(amount))
    tour.page.goto("/account/points/")


def _withdraw(tour: Tour) -> None:
    tour.page.goto(f"/orders/{tour.take_order('400', '400').number}/withdraw/")
    tour.page.locator("button[value=review]").click()
    tour.page.locator("[name=step][value=confirm]").wait_for(state="attached")


def _withdrawn(tour: Tour) -> None:
    _withdraw(tour)
    tour.page.locator("main form .primary").click()
    tour.page.wait_for_url("**/withdraw/*-*/")


def _state(tour: Tour, *, is_wrong: bool = False) -> None:
    """Withdraw without a log-in."""
    _nobody(tour, "/withdraw/")
    tour.page.locator("#id_name").fill("Ayşe Yılmaz")
    tour.page.locator("#id_number").fill("ORD-2024-000000")
    tour.page.locator("#id_email").fill("" if is_wrong else "ayse@example.com")
    tour.page.locator("#typed .primary").click()
    tour.page.locator(".summary" if is_wrong else "[data-print]").wait_for(state="attached")


def _guest(tour: Tour, *, is_asked: bool) -> None:
    _nobody(tour, "/orders/guest/")
    if is_asked:
        tour.page.get_by_role("textbox").first.fill("ORD-2024-000000")
        tour.page.get_by_role("textbox").last.fill("guest@example.com")
        tour.page.locator("main form button").click()
        tour.page.locator("#id_code").wait_for()


def _wait(tour: Tour) -> None:
    """Ask for codes until there are no more."""
    with tour.patch.context() as patch:
        patch.setattr(import_module("aftercart.pages.views.guest"), "ask_one_time_code", _refuse)
        _guest(tour, is_asked=False)
        tour.page.get_by_role("textbox").first.fill("ORD-2024-000000")
        tour.page.get_by_role("textbox").last.fill("guest@example.com")
        tour.page.locator("main form button").click()
        tour.page.get_by_text("429").wait_for()


def _refuse(**_options: object) -> None:
    raise TooManyTries(60)


def _guest_order(tour: Tour, *statuses: str) -> Order:
    order = tour.take_order(*statuses)
    Order.objects.filter(pk=order.pk).update(user=None, user_email="guest@example.com")
    token = sign_number(order.number, purpose="guest-view", link_version=order.link_version)
    _nobody(tour, f"/orders/guest/{token}/")
    return order


def _guest_acts(tour: Tour, path: str, *statuses: str) -> None:
    """See an order by its link, and be let in by a code to act on it."""
    order = _guest_order(tour, *statuses)
    tour.page.goto(path.format(order=order))
    tour.page.locator("main form button").click()
    tour.page.locator("#id_code").wait_for()
    tour.page.locator("#id_code").fill(send_code(OneTimeCode.objects.latest("pk").pk))
    tour.page.locator("main form button").first.click()
    tour.page.locator("#typed").wait_for()


#: In the order in which they are visited; those at the end are no longer logged in as the customer.
STATES: Final[dict[str, State]] = {
    "home": _go("/"),
    "confirmation": lambda tour: tour.page.goto(sign(tour.order)),
    "orders": _go("/users/orders/"),
    "orders-none": _go("/users/orders/?search=nothing"),
    "orders-by-date": _go("/users/orders/?since=2020-01-01"),
    "order": _go("/users/orders/{order.pk}/"),
    "order-busy": _busy_order,
    "receipt": _go("/users/orders/{order.pk}/receipt/"),
    "address-too-late": _address_too_late,
    "address-sent": _address_sent,
    "address": _go("/orders/change-address/?order={order.pk}"),
    "addresses": _go("/address/"),
    "address-remove": _address_remove,
    "address-edit-error": _address_error,
    "points": _points,
    "withdraw": _go("/orders/{order.number}/withdraw/"),
    "withdraw-check": _withdraw,
    "withdrawn": _withdrawn,
    "ways": _go("/orders/{order.number}/ways/"),
    "choose": lambda tour: tour.choose(tour.take_order("550", "400", "400"), 0, 2),
    "choose-error": _choose_error,
    "too-late": _too_late,
    "refund": lambda tour: tour.look(tour.take_order("400", "400", "400"), 0, 2),
    "refund-error": _refund_error,
    "refund-changed": _refund_changed,
    "sent": _send,
    "requested": lambda tour: _send(tour, NotSent),
    "checking": lambda tour: _send(tour, AnswerUnknown),
    "done": _end,
    "declined": lambda tour: _end(tour, "It is on the lorry already."),
    "returned": _returned,
    "pickup": _change_pickup,
    "pickup-error": lambda tour: _change_pickup(tour, is_wrong=True),
    "returned-with-photos": _returned_with_photos,
    "not-found": _go("/nowhere/"),
    "down": _down,
    "broken": _broken,
    "stale": _stale_token,
    "log-out": _go("/users/logout/"),
    "log-in-kept": _kept,
    "log-in-resumed": lambda tour: _kept(tour, is_back=True),
    "guest": lambda tour: _guest(tour, is_asked=False),
    "guest-code": lambda tour: _guest(tour, is_asked=True),
    "guest-wait": _wait,
    "guest-order": lambda tour: _guest_order(tour, "550", "400"),
    "guest-choose": lambda tour: _guest_acts(tour, "/orders/{order.number}/cancel/", "550", "400"),
    "guest-address": lambda tour: _guest_acts(tour, "/orders/change-address/?order={order.pk}", "400"),
    "opt-out": lambda tour: tour.page.goto(urlsplit(make_opt_out_url("guest@example.com")).path),
    "statement": lambda tour: _nobody(tour, "/withdraw/"),
    "statement-error": lambda tour: _state(tour, is_wrong=True),
    "stated": _state,
    "log-in": lambda tour: _nobody(tour, "/users/login/"),
    "log-in-wrong": _wrong_login,
    "log-in-code": _login_code,
    "log-in-code-wrong": lambda tour: _login_code(tour, is_wrong=True),
    "orders-empty": _empty,
}
