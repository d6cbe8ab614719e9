"""Set a customer's password: by who knows the old one, or by the link of an e-mail."""

from django.contrib.auth.tokens import default_token_generator
from django.db import transaction
from django.utils.encoding import force_bytes
from django.utils.http import urlsafe_base64_decode, urlsafe_base64_encode

from aftercart.accounts.models import Session, User

#: Longer than any id in this writing.
_LONGEST_UID = 32


def set_password(user: User, password: str, *, keeping: str | None = None) -> None:
    """Set a password that the validators have passed, and end every session but the one named by `keeping`."""
    with transaction.atomic(durable=True):
        user.set_password(password)
        user.save(update_fields=["password"])
        Session.objects.filter(user=user).exclude(session_key=keeping or "").delete()


def make_reset_path(user: User) -> str:
    """Make the end of a link that sets a user's password once, for as long as `PASSWORD_RESET_TIMEOUT` says."""
    uid = urlsafe_base64_encode(force_bytes(user.pk))
    return f"{uid}/{default_token_generator.make_token(user)}"


def find_by_reset_link(uid: str, token: str) -> User | None:
    """Find whose link this is; None if it is nobody's, used, or too old."""
    try:
        pk = int(urlsafe_base64_decode(uid[:_LONGEST_UID]).decode())
        user = User.objects.list_customers().filter(pk=pk).first()
    except (ValueError, OverflowError):
        return None
    return user if user is not None and default_token_generator.check_token(user, token) else None
