"""The words of e-mails about an account. Pure: the link or the code in, draft out."""

from django.conf import settings
from django.utils.translation import gettext as _

from aftercart.mail.draft import Draft, EmailContent


def write_password_link(content: EmailContent) -> Draft:
    """Write the e-mail with the link that sets a password."""
    return Draft(
        subject=_("Set your password at %(shop)s") % {"shop": settings.SHOP_NAME},
        heading=_("Set your password"),
        paragraphs=[_("Open this link to choose a new password. It works once and expires after 24 hours.")],
        button=(_("Choose a password"), content.url),
        note=_("If you did not ask for this, do nothing: your password stays as it is."),
    )


def write_email_change(content: EmailContent) -> Draft:
    """Write the e-mail with the link that moves an account to the address that it is sent to."""
    return Draft(
        subject=_("Confirm your new e-mail address at %(shop)s") % {"shop": settings.SHOP_NAME},
        heading=_("Confirm your e-mail address"),
        paragraphs=[
            _(
                "Open this link to use this address for your account. It works once and expires after 24 hours."
            ),
        ],
        button=(_("Use this address"), content.url),
        note=_("If you did not ask for this, do nothing: no account is changed."),
    )


def write_email_moved(_content: EmailContent) -> Draft:
    """Write the e-mail that tells an account's old address that the account has left it."""
    return Draft(
        subject=_("Your e-mail address at %(shop)s was changed") % {"shop": settings.SHOP_NAME},
        heading=_("Your e-mail address was changed"),
        paragraphs=[
            _("Your account now uses another e-mail address. From now on we write there."),
            _("If you did not change it, contact us right away."),
        ],
    )


def write_login_code(content: EmailContent) -> Draft:
    """Write the e-mail with the code that logs a customer in."""
    return Draft(
        subject=_("%(code)s is your code for %(shop)s")
        % {"code": content.secret, "shop": settings.SHOP_NAME},
        heading=_("Your code to log in"),
        paragraphs=[
            _(
                "Enter this code on the page where you asked for it. It works once and expires after ten minutes."
            )
        ],
        code=content.secret,
        note=_("If you did not ask for it, ignore this e-mail. Never share the code: it opens your account."),
    )
