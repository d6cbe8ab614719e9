"""What a trusted proxy says of the connection that it had, read strictly: junk counts as not said."""

import re
from collections.abc import MutableMapping
from ipaddress import IPv6Address, ip_address
from typing import Any

_FOR, _PROTO, _HOST = "HTTP_X_FORWARDED_FOR", "HTTP_X_FORWARDED_PROTO", "HTTP_X_FORWARDED_HOST"
_PORT = re.compile(r":\d{1,5}", re.ASCII)
_HOST_FORM = re.compile(r"(?:[a-z0-9._-]{1,255}|\[[0-9a-f:.]{2,45}\])(?::\d{1,5})?", re.ASCII | re.IGNORECASE)


def parse_address(text: str) -> str | None:
    """Parse an IP address, with or without port or zone; None if it is none.

    One address has one form: an IPv4 address that is written as IPv6 is an IPv4 address.
    """
    text = text.strip()
    port = ""
    if text.startswith("["):
        text, bracket, port = text[1:].partition("]")
        if not bracket:
            return None
    elif text.count(":") == 1:
        text, _, number = text.partition(":")
        port = f":{number}"
    if port and not _PORT.fullmatch(port):
        return None
    try:
        address = ip_address(text.partition("%")[0])
    except ValueError:
        return None
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return str(mapped or address)


def settle_forwarded(environ: MutableMapping[str, Any], hops: int) -> None:
    """Make `REMOTE_ADDR` the client's address, and leave only a usable `X-Forwarded-Proto` and `-Host`.

    So many proxies in a row are trusted: each adds the address of its peer, so the client is the hops-th of
    `X-Forwarded-For` from the right, whatever stands before it. With 0 nobody is: the headers go.
    """
    peer = parse_address(str(environ.get("REMOTE_ADDR", "")))
    said = _list(environ.pop(_FOR, ""))
    client = parse_address(said[-hops]) if 0 < hops <= len(said) else None
    environ["REMOTE_ADDR"] = client or peer or ""
    for name, form in ((_PROTO, re.compile("https?", re.IGNORECASE)), (_HOST, _HOST_FORM)):
        # Most proxies set these anew; where each adds its own, they count like the addresses.
        values = _list(environ.pop(name, ""))
        value = values[-min(hops, len(values))] if hops and values else ""
        if form.fullmatch(value):
            environ[name] = value.lower()


def _list(header: str) -> list[str]:
    return [part.strip() for part in header.split(",") if part.strip()]
