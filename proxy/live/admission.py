"""Who may connect: networks in CIDR notation (RFC 4632, RFC 4291 2.3), as `--allow` names them."""

from __future__ import annotations

from collections.abc import Iterable
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network

from proxy.live.errors import LiveError

Network = IPv4Network | IPv6Network

_FORMS = "Write a network such as 192.0.2.0/24 or 2001:db8::/32, or one address."
_MAPPED_BITS = 96
"""Bits before the IPv4 address in an IPv4-mapped one (RFC 4291 2.5.5.2)."""


def parse_network(text: str) -> Network:
    """Read a network, or an address that stands for itself. Raises LiveError naming what is wrong with it."""
    try:
        network = ip_network(text, strict=False)
    except ValueError:
        raise LiveError(f"{text!r} is no network of addresses.", _FORMS) from None
    if "/" in text and network.network_address != ip_address(text.partition("/")[0]):
        # A slip in either half, and only its writer knows in which: the wider reading would let strangers in.
        raise LiveError(f"{text} is an address within {network}, not a network.", f"Write {network} if you mean it.")
    mapped = network.network_address.ipv4_mapped if isinstance(network, IPv6Network) else None
    if mapped is not None and network.prefixlen >= _MAPPED_BITS:
        return IPv4Network((mapped, network.prefixlen - _MAPPED_BITS))
    return network


def plain_address(host: str) -> IPv4Address | IPv6Address:
    """The address that a socket calls `host`: without its zone, IPv4 where it is mapped. Raises ValueError."""
    address = ip_address(host.partition("%")[0])
    mapped = address.ipv4_mapped if isinstance(address, IPv6Address) else None
    return mapped or address


class Admission:
    """Lets in whom the networks name, everybody where there are none, and this machine always."""

    def __init__(self, networks: Iterable[Network]) -> None:
        self._networks = tuple(networks)

    def admits(self, host: str) -> bool:
        """Whether a client at this address (as a socket names it) may connect."""
        address = plain_address(host)
        return not self._networks or address.is_loopback or any(address in network for network in self._networks)
