"""Networks: who a client is, what counts as one address of tries, and whose are not counted by address."""

from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

from django.conf import settings
from django.http import HttpRequest

#: Who has an IPv6 address has all addresses of its /64.
_IPV6_PREFIX = 64


def get_client_address(request: HttpRequest) -> str:
    """Return the client's IP address, as `lib.forwarded` has settled it; empty if there is none."""
    return str(request.META.get("REMOTE_ADDR", ""))


def get_client_network(request: HttpRequest) -> str:
    """Return what tries of a request's client are counted by."""
    return name_network(get_client_address(request))


def name_network(address: str) -> str:
    """Return what tries from an address are counted by: itself, or the /64 of an IPv6 address.

    What is no address (a proxy on a socket names none) counts as it is written.
    """
    parsed = _parse(address)
    if isinstance(parsed, IPv6Address):
        return str(ip_network((parsed, _IPV6_PREFIX), strict=False).network_address)
    return address if parsed is None else str(parsed)


def is_shops_own(address: str) -> bool:
    """Return whether an address is a server of the shop, behind which are all of its customers."""
    parsed = _parse(address)
    return parsed is not None and any(parsed in network for network in settings.SHOP_NETWORKS)


def _parse(address: str) -> IPv4Address | IPv6Address | None:
    try:
        parsed = ip_address(address.strip())
    except ValueError:
        return None
    mapped = parsed.ipv4_mapped if isinstance(parsed, IPv6Address) else None
    return mapped or parsed
