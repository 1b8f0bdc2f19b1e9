"""Listening where other machines can connect: only at an address that was written out, and never without saying so."""

from __future__ import annotations

import socket
from collections.abc import Iterable, Sequence
from ipaddress import IPv4Address, IPv6Address

from proxy.live.admission import plain_address
from proxy.live.endpoint import Endpoint, Security
from proxy.live.errors import LiveError
from proxy.live.settings import Settings

_DISCARD = 9
"""A port that means nothing (RFC 863)."""


def need_written_out(endpoint: Endpoint, addresses: Iterable[str]) -> None:
    """Raise LiveError where a listener's name stands for `addresses` that other machines may reach.

    A name says nothing of that: it may stand for another address tomorrow, and "0" is everywhere (inet_aton).
    """
    beyond = [address for address in dict.fromkeys(addresses) if not plain_address(address).is_loopback]
    if beyond and _literal(endpoint.host) is None:
        raise LiveError(
            f"Cannot listen on {endpoint.url}: {endpoint.host} stands for {' and '.join(beyond)}, where other "
            "machines may connect.",
            f"If they shall, write the address: --listen {Endpoint(endpoint.security, beyond[0], endpoint.port).url}",
        )


def explain_exposure(settings: Settings, listen: Sequence[Endpoint]) -> str:
    """Who can reach what on these listeners, in sentences for people, one a line; empty where only this machine can."""
    beyond = [endpoint for endpoint in listen if not _loopback_only(endpoint)]
    allowed = ", ".join(map(str, settings.allow))
    if not beyond:
        return "--allow lets nobody in from elsewhere: imaptap listens on this machine only." if allowed else ""
    servers = " or ".join(dict.fromkeys(server.url for server in (settings.upstream, *settings.routes.values())))
    sentences = [
        f"Other machines can connect to {_and([_reach(endpoint) for endpoint in beyond])}.",
        f"Whoever does is passed on to {servers} and recorded.",
        _in_clear(beyond),
        f"Only {allowed} and this machine itself are let in." if allowed else "--allow CIDR would limit who is let in.",
    ]
    return "\n".join(filter(None, sentences))


def is_ours(address: str) -> bool:
    """Whether `address` is one of this machine's: it then is what it is reached from."""
    return plain_address(address).is_loopback or _source(address) == address


def _loopback_only(endpoint: Endpoint) -> bool:
    address = _literal(endpoint.host)
    # A name got past `need_written_out`.
    return address is None or address.is_loopback


def _literal(host: str) -> IPv4Address | IPv6Address | None:
    try:
        return plain_address(host)
    except ValueError:
        return None


def _reach(endpoint: Endpoint) -> str:
    address = _literal(endpoint.host)
    if address is None or not address.is_unspecified:
        return endpoint.url
    one = _address_of_this_machine(address.version)
    example = f" ({one}, say)" if one else ""
    return f"{endpoint.url}, which is every IPv{address.version} address of this machine{example}"


def _in_clear(endpoints: Sequence[Endpoint]) -> str:
    plain = [endpoint.url for endpoint in endpoints if endpoint.security is Security.PLAIN]
    asked = [
        f"{endpoint.url} unless the client asks for STARTTLS"
        for endpoint in endpoints
        if endpoint.security is Security.STARTTLS
    ]
    return f"Passwords and letters travel in clear on {_and(plain + asked)}." if plain or asked else ""


def _and(words: Sequence[str]) -> str:
    return ", and ".join(words)


def _address_of_this_machine(version: int) -> str:
    """An address that others may reach this machine by; empty where it has none."""
    return _source("192.0.2.1" if version == 4 else "2001:db8::1")


def _source(address: str) -> str:
    """The address of ours that a connection to `address` would come from; empty where it cannot be reached.

    Nothing is sent: connecting a UDP socket only looks up the route.
    """
    try:
        with socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET, socket.SOCK_DGRAM) as probe:
            probe.connect((address, _DISCARD))
            return str(probe.getsockname()[0])
    except OSError:
        return ""
