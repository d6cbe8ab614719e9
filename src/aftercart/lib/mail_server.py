"""Reading `EMAIL_URL`: which mail server, how, and as whom."""

from typing import Any, Final
from urllib.parse import unquote, urlsplit

#: By scheme: the usual port, and how the connection is secured.
_SCHEMES: Final = {"smtp": (25, ""), "smtp+tls": (587, "EMAIL_USE_TLS"), "smtps": (465, "EMAIL_USE_SSL")}


def parse_mail_url(url: str) -> dict[str, Any]:
    """Read `smtp+tls://user:password@host:587` as Django's settings. Raises `ValueError` with what it has to be."""
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        parts, port = urlsplit(""), None
    if parts.scheme not in _SCHEMES or not parts.hostname:
        raise ValueError(
            "smtp://, smtp+tls:// or smtps:// with a host, as in smtp+tls://user:password@mail.example.com:587"
        )
    usual_port, security = _SCHEMES[parts.scheme]
    return {
        "EMAIL_HOST": parts.hostname,
        "EMAIL_PORT": port or usual_port,
        "EMAIL_HOST_USER": unquote(parts.username or ""),
        "EMAIL_HOST_PASSWORD": unquote(parts.password or ""),
        **({security: True} if security else {}),
    }
