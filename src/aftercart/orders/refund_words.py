"""Where a refund goes, in the customer's words: the same on pages and in e-mails."""

from django.utils.translation import gettext as _


def name_destination(destination: str, *, account_end: str = "", method: str = "") -> str:
    """Name a destination; of an account no more than its end. "" where nothing goes anywhere."""
    if destination == "none":
        return ""
    if destination == "loyalty":
        return _("Loyalty points")
    if destination == "iban":
        return _("Account ending in %(end)s") % {"end": account_end} if account_end else _("A bank account")
    return (
        _("Original payment method (%(method)s)") % {"method": method}
        if method
        else _("Original payment method")
    )
