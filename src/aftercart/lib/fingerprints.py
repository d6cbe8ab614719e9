"""Digests by which a repeated request is recognised (contract section 3.5).

Keyed, since what they digest may hold an account number, which whoever reads the table could otherwise guess. The key
comes from `SECRET_KEY`; its fallbacks recognise what was recorded before a rotation.
"""

import hashlib

from django.conf import settings
from django.utils.crypto import salted_hmac

_SALT = "aftercart.fingerprints"


def list_fingerprints(path: str, content: str) -> tuple[str, ...]:
    """Return the fingerprint of a request, and after it those under earlier secrets."""
    text = f"{path}\n{content}".encode("utf-8", "surrogatepass")
    return list_keyed(hashlib.sha256(text).hexdigest())


def list_keyed(digest: str) -> tuple[str, ...]:
    """Return a digest under the secret, and after it under each earlier one."""
    secrets = [settings.SECRET_KEY, *settings.SECRET_KEY_FALLBACKS]
    return tuple(salted_hmac(_SALT, digest, secret=one, algorithm="sha256").hexdigest() for one in secrets)
