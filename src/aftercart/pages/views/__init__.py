"""The customer's pages: the HTML half of URLs between whose halves `lib.negotiation.by_format` chooses.

That dispatcher is exempt from the CSRF check, so every page checks for itself.
"""

from aftercart.pages.views.address import change_address
from aftercart.pages.views.cancellation import cancel, cancel_result
from aftercart.pages.views.orders import completed, guest, home, order_detail, order_list, receipt
from aftercart.pages.views.session import login, logout
from aftercart.pages.views.site import style

__all__ = [
    "cancel",
    "cancel_result",
    "change_address",
    "completed",
    "guest",
    "home",
    "login",
    "logout",
    "order_detail",
    "order_list",
    "receipt",
    "style",
]
