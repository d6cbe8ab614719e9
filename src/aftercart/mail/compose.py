"""Make a mail of an e-mail: words, then HTML and text, headers, links that are signed at this moment."""

from email.mime.image import MIMEImage
from typing import Any, Final
from urllib.parse import quote

from django.conf import settings
from django.core import signing
from django.core.mail import EmailMultiAlternatives
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import translation
from django.utils.translation import gettext as _

from aftercart.lib.barcodes import write_qr
from aftercart.lib.contact import find_contact
from aftercart.lib.emails import fold_email
from aftercart.lib.links import quote_token, sign_number
from aftercart.mail.draft import Draft, EmailContent
from aftercart.mail.models import Email
from aftercart.mail.texts import write_draft
from aftercart.orders.models import Order

#: What the HTML calls its picture of the code, as in `cid:return-code`.
QR_PICTURE: Final = "return-code"
_signer = signing.Signer(salt="aftercart.mail.opt-out")


def compose_mail(email: Email) -> EmailMultiAlternatives:
    """Make the mail of an e-mail, in its language."""
    content = _gather_content(email)
    opt_out = make_opt_out_url(email.recipient) if email.kind in Email.OPTIONAL else ""
    draft, text, html = render_email(email.kind, content, language=email.language, opt_out=opt_out)
    headers = {"Message-ID": email.message_id, "Auto-Submitted": "auto-generated"}
    if opt_out:
        headers |= {"List-Unsubscribe": f"<{opt_out}>", "List-Unsubscribe-Post": "List-Unsubscribe=One-Click"}
    subject = " ".join(
        draft.subject.split()
    )  # a line's end, as a code of the OMS's may have, would end the header
    mail = EmailMultiAlternatives(subject, text, to=[email.recipient], headers=headers)
    mail.attach_alternative(html, "text/html")
    if draft.is_scanned:
        mail.mixed_subtype = "related"  # type: ignore[attr-defined]  # Django's, which its stubs leave out
        mail.attach(_make_picture(write_qr(draft.code)))
    return mail


def _make_picture(png: bytes) -> MIMEImage:
    picture = MIMEImage(png, "png")
    picture.add_header("Content-ID", f"<{QR_PICTURE}>")
    picture.add_header("Content-Disposition", "inline", filename=f"{QR_PICTURE}.png")
    return picture


def _gather_content(email: Email) -> EmailContent:
    """Gather what an e-mail reports."""
    if email.order is None:
        return EmailContent(number="", facts=email.facts, url=email.secret, secret=email.secret)
    is_for_staff = email.kind in Email.FOR_STAFF
    return EmailContent(
        number=email.order.number,
        facts=email.facts,
        url=make_request_url(email) if is_for_staff else make_order_url(email.order),
        secret=email.secret,
        is_guest=email.order.user_id is None and not is_for_staff,
        name="" if is_for_staff else find_first_name(email.order),
    )


def find_first_name(order: Order) -> str:
    """Return what an order's customer is called: by their account, or, of a guest, by the address; or ""."""
    if order.user is not None:
        return str(order.user.first_name)
    return str((order.shipping_address or {}).get("first_name") or "")


def render_email(
    kind: str, content: EmailContent, *, language: str, opt_out: str = ""
) -> tuple[Draft, str, str]:
    """Write an e-mail's draft, and its text and HTML, in a language."""
    with translation.override(language):
        draft = write_draft(kind, content)
        context: dict[str, Any] = {
            "draft": draft,
            "picture": QR_PICTURE,
            "language": language,
            "shop": settings.SHOP_NAME,
            "colour": settings.SHOP_COLOUR,
            "opt_out": opt_out,
            "number": content.number,
            "greeting": _("Hello %(name)s,") % {"name": content.name} if content.name else "",
            "preheader": draft.paragraphs[0] if draft.paragraphs else "",
            "shop_address": settings.SHOP_ADDRESS,
            "contact": find_contact(content.number),
        }
        text = render_to_string("mail/email.txt", context).strip() + "\n"
        return draft, text, render_to_string("mail/email.html", context)


def make_order_url(order: Order) -> str:
    """Make the address of an order's page: for a customer, behind log-in; for a guest, a signed link."""
    if order.user_id is not None:
        return f"{settings.PUBLIC_URL}/users/orders/{order.pk}/"
    token = sign_number(order.number, purpose="guest-view", link_version=order.link_version)
    return f"{settings.PUBLIC_URL}/orders/guest/{quote_token(token)}/"


def make_request_url(email: Email) -> str:
    """Make the address of the back-office page of the request that an e-mail to staff is about."""
    path = reverse("admin:cancellations_cancellationrequest_change", args=[email.facts["request"]])
    return f"{settings.PUBLIC_URL}{path}"


def make_opt_out_url(email: str) -> str:
    """Make the address at which somebody says that they want no optional e-mails; it does not expire."""
    return f"{settings.PUBLIC_URL}/mail/opt-out/{quote(_signer.sign(fold_email(email)), safe=':@')}/"


def read_opt_out_token(token: str) -> str | None:
    """Read the address that a token of ours is about; None for any other token."""
    try:
        return _signer.unsign(token)
    except signing.BadSignature:
        return None
