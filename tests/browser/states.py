"""Every page of the customer's site in every state that has a look of its own: how to get there."""

from collections.abc import Callable
from datetime import timedelta
from decimal import Decimal
from typing import Any, Final

from django.db import OperationalError, transaction
from django.db.models import F
from django.utils import timezone

from aftercart.actions.close_line import complete_line, reject_line
from aftercart.cancellations.models import SubmissionLine
from aftercart.loyalty.models import LoyaltyEntry
from aftercart.omnitron.errors import AnswerUnknown, NotSent
from aftercart.omnitron.fake import FakeOmnitron
from aftercart.orders.models import Order, OrderItem
from aftercart.orders.timeline import OMNITRON, record_event
from tests.browser.scene import list_products, make_customer, make_omnitron, make_order, sign
from tests.browser.steps import choose, confirm, go_on
from tests.browser.visit import Visit

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
            reject_line(line.order_item.order, line, OMNITRON, reason=reason)
        else:
            complete_line(line.order_item.order, line, OMNITRON)
    tour.page.reload()


def _returned(tour: Tour) -> None:
    order = tour.take_order("550", "400", "400")
    tour.look(order, 0)
    confirm(tour.page)


def _busy_order(tour: Tour) -> None:
    _returned(tour)
    item = OrderItem.objects.latest("pk")
    record_event(item.order, "address_change_too_late", OMNITRON)
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
    tour.page.locator("main form button").click()
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


def _guest(tour: Tour, *, is_asked: bool) -> None:
    _nobody(tour, "/orders/guest/")
    if is_asked:
        tour.page.get_by_role("textbox").first.fill("ORD-2024-000000")
        tour.page.get_by_role("textbox").last.fill("guest@example.com")
        tour.page.locator("main form button").click()
        tour.page.locator("#id_code").wait_for()


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
    "address": _go("/orders/change-address/?order={order.pk}"),
    "addresses": _go("/address/"),
    "points": _points,
    "withdraw": _go("/orders/{order.number}/withdraw/"),
    "withdraw-check": _withdraw,
    "withdrawn": _withdrawn,
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
    "not-found": _go("/nowhere/"),
    "down": _down,
    "stale": _stale_token,
    "log-out": _go("/users/logout/"),
    "guest": lambda tour: _guest(tour, is_asked=False),
    "guest-code": lambda tour: _guest(tour, is_asked=True),
    "log-in": lambda tour: _nobody(tour, "/users/login/"),
    "log-in-wrong": _wrong_login,
    "orders-empty": _empty,
}
