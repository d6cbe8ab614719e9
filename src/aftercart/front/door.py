"""What is refused by its first line and headers alone."""

import re
from typing import Any

from aftercart.front.refusals import Refused
from aftercart.lib.photos import UPLOAD_PATH

#: TRACE reflects cookies, CONNECT is for proxies, and nothing here answers a method beyond these.
METHODS = ("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS")
#: Characters of all header names and values together. Hyper's own limit is 100 headers.
MOST_HEADERS = 32 * 1024

_NUL = ("\0", "%00")
#: Every other codec of Python would do: "hex" and its like are no character sets, and some always fail.
_CHARSETS = frozenset(
    {"utf-8", "utf8", "us-ascii", "ascii", "iso-8859-1", "latin-1", "latin1", "iso-8859-9", "latin5"}
    | {"windows-1252", "windows-1254"}
)
_CHARSET = re.compile(r"""charset\s*=\s*["']?([^"';,\s]*)""", re.IGNORECASE)


def check_request_head(scope: Any) -> None:
    """Raise `Refused` for a method nobody serves, headers too large, two hosts, or a NUL in the address."""
    if scope.method not in METHODS:
        allowed = (("Allow", ", ".join(METHODS)),)
        raise Refused(405, "method_not_allowed", f'Method "{scope.method}" not allowed.', headers=allowed)
    headers = scope.headers
    if sum(len(name) + len(value) for name, value in headers.items()) > MOST_HEADERS:
        raise Refused(
            431, "headers_too_large", f"A request's headers have at most {MOST_HEADERS} characters."
        )
    if len(headers.get_all("host")) > 1:
        raise Refused(400, "bad_request", "A request has one Host.")
    if not is_readable(headers.get("content-type", "")):
        raise Refused(400, "bad_request", "The body's character set is not known here.")
    if any(nul in text for text in (scope.path, scope.query_string) for nul in _NUL):
        # No address has one, and no filter finds anything by it.
        raise Refused(404, "not_found", "Not found.")


def is_upload(scope: Any) -> bool:
    """Return whether a request brings photos, whose body has limits of its own."""
    return bool(scope.method == "POST" and scope.path.endswith(UPLOAD_PATH))


def is_readable(content_type: str) -> bool:
    """Return whether a body of this type can be decoded; parameters in RFC 2231's form name a codec each."""
    return "*" not in content_type and all(
        name.lower() in _CHARSETS for name in _CHARSET.findall(content_type)
    )
