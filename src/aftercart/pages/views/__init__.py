"""The customer's pages. Each is the HTML half of a URL; `lib.negotiation.by_format` chooses, so each checks CSRF itself."""

from aftercart.pages.views.address import change_address
from aftercart.pages.views.cancellation import cancel
from aftercart.pages.views.orders import completed, home, order_detail, order_list
from aftercart.pages.views.session import login, logout

__all__ = [
    "cancel",
    "change_address",
    "completed",
    "home",
    "login",
    "logout",
    "order_detail",
    "order_list",
]
