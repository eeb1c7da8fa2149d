"""IP addresses and hosts: whether they are on the public internet or on a private network."""

from __future__ import annotations

import ipaddress

from forecasts.common.errors import CaptureError

ALLOW_PRIVATE = "If it is your own network's page, set FORECASTS_ALLOW_PRIVATE_ADDRESSES=true."

Address = ipaddress.IPv4Address | ipaddress.IPv6Address

_NAT64 = ipaddress.IPv6Network("64:ff9b::/96")


def is_public(address: Address) -> bool:
    """Return whether an address is on the public internet; IPv4 inside IPv6 is unwrapped."""
    if isinstance(address, ipaddress.IPv6Address):
        inner = address.ipv4_mapped or address.sixtofour
        if address in _NAT64:
            inner = ipaddress.IPv4Address(int(address) & 0xFFFFFFFF)
        if inner is not None:
            return is_public(inner)
        if address.teredo is not None or address.is_site_local:
            return False
    return address.is_global and not (address.is_multicast or address.is_reserved)


def is_private_host(host: str) -> bool:
    """Return whether a host is private by its name alone, without a DNS lookup."""
    name = host.rstrip(".")
    if name == "localhost" or name.endswith((".localhost", ".local")):
        return True
    try:
        return not is_public(ipaddress.ip_address(host))
    except ValueError:
        return False


def private_address(shown: str) -> CaptureError:
    """Return the error for a private address, shown as given."""
    return CaptureError(
        f"{shown} is a private address, not on the public internet; it is not fetched.",
        remedy=f"Paste the page's text. {ALLOW_PRIVATE}",
    )
