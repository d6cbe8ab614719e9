"""Signed messages from a machine that shares a secret with us: HMAC, timestamp, a window for replays."""

import hmac
from collections.abc import Sequence

from aftercart.lib.clock import get_now

#: How far a message's timestamp may be from our clock, in seconds.
WINDOW = 300


def sign_message(secret: str, timestamp: str, body: bytes) -> str:
    """Sign: the hexadecimal HMAC-SHA256 of `<timestamp>.<body>`."""
    return hmac.new(secret.encode(), timestamp.encode() + b"." + body, "sha256").hexdigest()


def is_genuine(secrets: Sequence[str], timestamp: str, signature: str, body: bytes) -> bool:
    """Return whether one of the secrets made the signature, and recently. Several secrets: for rotation."""
    if not timestamp.isascii() or not timestamp.isdigit():
        return False
    if abs(get_now().timestamp() - int(timestamp[:12])) > WINDOW:
        return False
    given = signature.removeprefix("sha256=").encode("utf-8", "surrogatepass")
    # Each secret is tried, so that time does not tell which was near.
    matches = [
        hmac.compare_digest(sign_message(secret, timestamp, body).encode(), given) for secret in secrets
    ]
    return any(matches)
