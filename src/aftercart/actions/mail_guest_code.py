"""Write the mail with a guest's one-time code."""

from django.conf import settings
from django.core.mail import send_mail
from django.utils.translation import gettext as _
from django.utils.translation import override

from aftercart.orders.guests import CODE_LIFE
from aftercart.orders.models import Order


def mail_guest_code(order: Order, code: str, language: str) -> None:
    """Mail a code to the order's e-mail address, and to no other. Outside of any transaction."""
    minutes = int(CODE_LIFE.total_seconds()) // 60
    with override(language):
        subject = _("%(code)s is your code") % {"code": code}
        body = _(
            "Your code for order %(number)s is %(code)s.\n\n"
            "It is valid for %(minutes)s minutes, and for one use. We never ask for it by phone or e-mail. If you "
            "did not ask for it, you need not do anything."
        ) % {"number": order.number, "code": code, "minutes": minutes}
    send_mail(subject, f"{body}\n", settings.DEFAULT_FROM_EMAIL, [order.user_email])
