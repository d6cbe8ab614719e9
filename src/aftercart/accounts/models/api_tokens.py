"""Tokens with which other programs call the API: each for some scopes and until a day, and kept only as a digest."""

import hashlib
import re
import secrets
from datetime import datetime
from typing import ClassVar, Final

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models.functions import Now

#: What a token may be good for.
ORDERS_WRITE: Final = "orders:write"

_MARK: Final = "act_"
_FORM: Final = re.compile(rf"{_MARK}[A-Za-z0-9_-]{{43}}")
_SHOWN: Final = len(_MARK) + 6


class ApiToken(models.Model):
    """A token, known by its first characters; `digest` is its SHA-256, unsalted: it has 32 random bytes."""

    name = models.CharField(max_length=100, help_text="Whose it is, or what for.")
    prefix = models.CharField(max_length=16, help_text="Its first characters.")
    digest = models.CharField(max_length=64, unique=True)
    scopes = ArrayField(models.CharField(max_length=32))
    created_at = models.DateTimeField(db_default=Now())
    expires_at = models.DateTimeField()
    revoked_at = models.DateTimeField(null=True, blank=True)
    last_used_at = models.DateTimeField(null=True, blank=True)

    objects: ClassVar[models.Manager["ApiToken"]]

    class Meta:
        ordering = ["pk"]

    def __str__(self) -> str:
        return f"{self.name} ({self.prefix}…)"

    # Django REST framework asks whoever calls.
    is_authenticated: ClassVar = True


def create_token(name: str, scopes: tuple[str, ...], expires_at: datetime) -> tuple[ApiToken, str]:
    """Create a token; return its row and the secret, which nobody can read again."""
    secret = f"{_MARK}{secrets.token_urlsafe(32)}"
    row = ApiToken.objects.create(
        name=name,
        prefix=secret[:_SHOWN],
        digest=_compute_digest(secret),
        scopes=list(scopes),
        expires_at=expires_at,
    )
    return row, secret


def find_token(secret: str) -> ApiToken | None:
    """Find the token that a caller brings, unless it is unknown, revoked or expired, by the database's clock."""
    if not _FORM.fullmatch(secret):
        return None
    valid = ApiToken.objects.filter(revoked_at=None, expires_at__gt=Now())
    return valid.filter(digest=_compute_digest(secret)).first()


def revoke_token(prefix: str) -> int:
    """Revoke the tokens that begin so; return how many were valid until now. Too short a prefix names none."""
    if len(prefix) < _SHOWN:
        return 0
    named = ApiToken.objects.filter(prefix=prefix[:_SHOWN], revoked_at=None)
    return named.update(revoked_at=Now())


def _compute_digest(secret: str) -> str:
    return hashlib.sha256(secret.encode()).hexdigest()
