"""Send the links with which somebody proves that an e-mail address is theirs: to set a password, to move an account.

An unknown address costs the same statements as a known one, and the same answer: nobody learns who has an account.
"""

import uuid
from datetime import timedelta
from typing import Any, Final

from django.conf import settings
from django.core import signing
from django.db import IntegrityError, transaction
from django.utils.crypto import salted_hmac
from django.utils.translation import get_language

from aftercart.accounts.models import User
from aftercart.actions.account.limit_tries import limit_client, limit_tries
from aftercart.actions.account.set_password import make_reset_path
from aftercart.actions.mail.notify_customer import post_orderless
from aftercart.lib.clock import get_now
from aftercart.lib.emails import fold_email
from aftercart.mail.models import Email

_SALT: Final = "aftercart.email_change"
LINK_LIFE: Final = timedelta(hours=24)
_WINDOW: Final = timedelta(minutes=15)
_MOST_TO_ONE_ADDRESS: Final = 3
#: Of one network address; the shop's own servers have no count.
_MOST_FROM_ONE_CLIENT: Final = 30


def limit_account_mail(email: str, client: str) -> None:
    """Count one mail that is asked for. Raises `TooManyTries`, whether there is such an account or not."""
    limit_tries("account_mail.email", fold_email(email), _WINDOW, _MOST_TO_ONE_ADDRESS)
    limit_client("account_mail.client", client, _WINDOW, _MOST_FROM_ONE_CLIENT)


def mail_password_link(email: str) -> None:
    """Mail the link that sets a new password, if there is such a customer; staff have the back office."""
    folded = fold_email(email)
    found = User.objects.list_customers().filter(email=folded).first()
    # A savepoint is what is rolled back: the transaction commits, and waits for the disk, whoever it is.
    with transaction.atomic(durable=True), transaction.atomic():
        path = make_reset_path(found or User(pk=0, email=folded))
        link = f"{settings.PUBLIC_URL}/users/reset/{path}/"
        _queue(Email.Kind.PASSWORD_LINK, folded, found, link=link)
        if found is None:
            transaction.set_rollback(True)


def register_customer(email: str, **names: str) -> None:
    """Make an account without a password, if there is none, and mail the link that sets one.

    What was typed as a password is not kept: who registers somebody else's address must not end up knowing it.
    """
    folded = fold_email(email)
    with transaction.atomic(durable=True):
        User.objects.get_or_create(
            email=folded, defaults={**names, "password": "!", "language": (get_language() or "")[:2]}
        )
    mail_password_link(folded)


def mail_email_change(user: User, email: str) -> None:
    """Mail the link that moves an account to another address, to that address; nothing where it has an account."""
    folded = fold_email(email)
    with transaction.atomic(durable=True), transaction.atomic():  # as above
        signed = {"user": user.pk, "old": user.email, "new": folded, "password": _digest_password(user)}
        token = signing.dumps(signed, salt=_SALT)
        link = f"{settings.PUBLIC_URL}/users/email-set-primary/{token}/"
        _queue(Email.Kind.EMAIL_CHANGE, folded, user, link=link)
        if User.objects.filter(email=folded).exists():
            transaction.set_rollback(True)


def move_account(token: str) -> bool:
    """Move the account of a link to its new address, and tell the old one; return whether it is there now.

    A link works once. One that was asked for under an earlier password is void: whoever sets a new one shuts out who
    knew the old one.
    """
    try:
        signed: dict[str, Any] = signing.loads(token, salt=_SALT, max_age=LINK_LIFE)
    except signing.BadSignature:
        return False
    user = User.objects.filter(pk=signed["user"], is_active=True).first()
    if user is None or signed.get("password") != _digest_password(user):
        return False
    try:
        with transaction.atomic(durable=True):
            mine = User.objects.filter(
                pk=user.pk, email=signed["old"], password=user.password, is_active=True
            )
            if mine.update(email=signed["new"]):
                _queue(Email.Kind.EMAIL_MOVED, signed["old"], user)
                return True
    except IntegrityError:  # somebody has opened an account with it meanwhile
        return False
    return User.objects.filter(pk=signed["user"], email=signed["new"]).exists()


def _digest_password(user: User) -> str:
    """Digest a user's password as it is kept, with a key that the database does not hold."""
    return salted_hmac(_SALT, user.password, algorithm="sha256").hexdigest()


def _queue(kind: Email.Kind, recipient: str, user: User | None, *, link: str = "") -> None:
    post_orderless(
        kind,
        uuid.uuid4(),
        recipient=recipient,
        language=(get_language() or "")[:2] or (user.language if user else ""),
        secret=link,
        expires_at=get_now() + LINK_LIFE if link else None,
    )
