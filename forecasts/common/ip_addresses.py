"""IP addresses and hosts: whether they are on the public internet or on a private network."""

from __future__ import annotations

import ipaddress

from forecasts.common.errors import CaptureError

ALLOW_PRIVATE = "If it is your own network's page, set FORECASTS_ALLOW_PRIVATE_ADDRESSES=true."

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

# Of the IANA special-purpose registries (RFC 6890), as of November 2026, since what ``ipaddress``
# counts as global differs between Python releases. None of these ranges serves a page, those that
# the registries call globally reachable included (anycast of protocols, AS112, AMT).
_SPECIAL_V4 = [
    ipaddress.IPv4Network(network)
    for network in (
        *("0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16"),
        *("172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.31.196.0/24", "192.52.193.0/24"),
        *("192.88.99.0/24", "192.168.0.0/16", "192.175.48.0/24", "198.18.0.0/15"),
        *("198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4"),
    )
]
# All unicast addresses in use; loopback, unique local, link-local and multicast lie outside.
_UNICAST_V6 = ipaddress.IPv6Network("2000::/3")
_SPECIAL_V6 = [
    ipaddress.IPv6Network(network)
    for network in ("2001::/23", "2001:db8::/32", "2620:4f:8000::/48", "3fff::/20")
]
_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def is_public(address: Address) -> bool:
    """Return whether an address is on the public internet; IPv4 inside IPv6 is unwrapped."""
    if isinstance(address, ipaddress.IPv4Address):
        return not any(address in network for network in _SPECIAL_V4)
    inner = address.ipv4_mapped or address.sixtofour
    if address in _NAT64:
        inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
    if inner is not None:
        return is_public(inner)
    return address in _UNICAST_V6 and not any(address in network for network in _SPECIAL_V6)


def is_private_host(host: str) -> bool:
    """Return whether a host is private by its name alone, without a DNS lookup."""
    name = host.rstrip(".")
    if name == "localhost" or name.endswith((".localhost", ".local")):
        return True
    try:
        return not is_public(ipaddress.ip_address(host))
    except ValueError:
        return False


def is_loopback(host: str) -> bool:
    """Return whether only this machine can reach ``host``, an IP address or a name."""
    if host.casefold().rstrip(".") == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


def private_address(shown: str) -> CaptureError:
    """Return the error for a private address, shown as given."""
    return CaptureError(
        f"{shown} is a private address, not on the public internet; it is not fetched.",
        remedy=f"Paste the page's text. {ALLOW_PRIVATE}",
    )
