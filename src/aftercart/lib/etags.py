"""Whether a client has what it asks for already (RFC 9110, section 13.1.2)."""

from django.utils.http import parse_etags

#: Of what is one person's: kept by their browser alone, and asked for again before each use.
PRIVATE_REVALIDATED = "private, no-cache"


def is_unchanged(if_none_match: str, etag: str) -> bool:
    """Return whether `If-None-Match` names this strong ETag, or any; it is compared weakly, as the RFC wants."""
    if not if_none_match:
        return False
    return if_none_match == etag or any(
        named == "*" or named.removeprefix("W/") == etag for named in parse_etags(if_none_match)
    )
