"""Encryption at rest of what a customer tells us in confidence (an IBAN): a model field.

Keys are `FIELD_ENCRYPTION_KEYS`, newest first; without them they are derived from `SECRET_KEY` and its
fallbacks, so that rotating either rotates this too.
"""

import base64
import hashlib
from typing import TYPE_CHECKING, Any

from cryptography.fernet import Fernet, InvalidToken, MultiFernet
from django.conf import settings
from django.db import models


def _derive(secret: str) -> Fernet:
    digest = hashlib.blake2b(secret.encode(), digest_size=32, person=b"aftercart.field").digest()
    return Fernet(base64.urlsafe_b64encode(digest))


def _list_keys() -> list[Fernet]:
    secrets = settings.FIELD_ENCRYPTION_KEYS or [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return [_derive(secret) for secret in secrets]


def _cipher() -> MultiFernet:
    return MultiFernet(_list_keys())


def encrypt(text: str) -> str:
    """Encrypt with the newest key; the empty string stays empty, so that "none" needs no key."""
    return _cipher().encrypt(text.encode()).decode() if text else ""


def decrypt(token: str) -> str:
    """Decrypt with whichever key fits. A token that no key opens reads as empty: lost, not leaked."""
    if not token:
        return ""
    try:
        return _cipher().decrypt(token.encode()).decode()
    except InvalidToken:
        return ""


def renew(token: str) -> str | None:
    """Give a token of the newest key for the same text: itself, if it is one; None if no key opens it."""
    if not token:
        return token
    try:
        _list_keys()[0].decrypt(token.encode())
    except InvalidToken:
        try:
            return _cipher().rotate(token.encode()).decode()
        except InvalidToken:
            return None
    return token


if TYPE_CHECKING:
    _TextField = models.TextField[str, str]
else:
    _TextField = models.TextField


class EncryptedTextField(_TextField):
    """A text column whose value is encrypted in the database and plain in Python."""

    def from_db_value(self, value: str | None, _expression: Any, _connection: Any) -> str | None:
        """Decrypt on the way out."""
        return None if value is None else decrypt(value)

    def get_prep_value(self, value: Any) -> Any:
        """Encrypt on the way in."""
        return None if value is None else encrypt(str(value))
