"""The shop's own look: its name, and its theme behind ours in the one style sheet (docs/branding.md)."""

import hashlib
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from django.conf import settings
from django.http import HttpRequest
from django.urls import reverse

from aftercart.lib.identity import has_own_accounts

_OURS: Final = Path(__file__).parent / "static" / "pages" / "aftercart.css"


@lru_cache(maxsize=4)
def read_style(brand: Path | None) -> bytes:
    """Read the style sheet: ours, then what the shop says otherwise. Once a process: a change wants a restart."""
    theme = brand / "theme.css" if brand else None
    return _OURS.read_bytes() + (b"\n" + theme.read_bytes() if theme and theme.is_file() else b"")


@lru_cache(maxsize=4)
def find_style_version(brand: Path | None) -> str:
    """Digest the style sheet: part of its address, so that a new one is fetched and an old one is kept."""
    return hashlib.sha256(read_style(brand)).hexdigest()[:12]


def name_shop(request: HttpRequest | None) -> dict[str, Any]:  # noqa: ARG001 - a context processor's signature
    """Give templates the shop's name, where its style sheet is, and whether accounts are kept here."""
    style = f"{reverse('style')}?v={find_style_version(settings.BRAND)}"
    return {
        "shop_name": settings.SHOP_NAME,
        "style_url": style,
        "has_own_accounts": has_own_accounts(),
        "terms_url": settings.TERMS_URL,
        "withdrawal_url": reverse("state-withdrawal") if settings.WITHDRAWAL_COUNTRIES else "",
        "privacy_url": settings.PRIVACY_URL,
    }
