"""How customers reach the shop: the same ways on every page, in every e-mail and beside every refusal."""

import re
from dataclasses import dataclass
from email.utils import parseaddr
from urllib.parse import quote

from django.conf import settings
from django.utils.translation import gettext as _


@dataclass(frozen=True, slots=True)
class Contact:
    """Each way is "" where the shop has none. `mail_url` opens an e-mail that names what it is about."""

    email: str
    mail_url: str
    phone: str
    phone_url: str
    chat_url: str

    def __bool__(self) -> bool:
        """Return whether there is any way."""
        return bool(self.email or self.phone or self.chat_url)


def find_contact(number: str = "", reference: str = "") -> Contact:
    """Return the ways to reach the shop about an order (its number, "" for none) and a submission of it."""
    email, phone = parseaddr(settings.CONTACT_EMAIL)[1], settings.CONTACT_PHONE
    return Contact(
        email=email,
        mail_url=f"mailto:{email}{_write_query(number, reference)}" if email else "",
        phone=phone,
        phone_url=f"tel:{re.sub(r'[^0-9+]', '', phone)}" if phone else "",
        chat_url=settings.CONTACT_CHAT_URL,
    )


def _write_query(number: str, reference: str) -> str:
    if not number:
        return ""
    subject = _("Order %(number)s") % {"number": number}
    body = _("Reference: %(reference)s") % {"reference": reference} if reference else ""
    return f"?subject={quote(subject)}" + (f"&body={quote(body)}" if body else "")
