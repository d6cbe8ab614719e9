"""Who is at the other end of a connection."""

from django.http import HttpRequest


def get_client_address(request: HttpRequest) -> str:
    """Return the client's IP address, as `lib.forwarded` has settled it; empty if there is none."""
    return str(request.META.get("REMOTE_ADDR", ""))
