"""Listening sockets: where the settings want them and, for several processes behind the same ports, some for each."""

from __future__ import annotations

import errno
import socket
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Final

from proxy.live.endpoint import Endpoint
from proxy.live.errors import LiveError
from proxy.live.exposure import is_ours, need_written_out
from proxy.live.settings import Settings

SPREADS: Final = sys.platform == "linux"
"""Whether the system spreads clients over sockets that share a port. Others that have SO_REUSEPORT give all clients to
the socket bound last (macOS, the BSDs)."""

_BACKLOG = 4096
"""Clients that wait to be accepted (Linux takes no more than net.core.somaxconn); further ones try again by and by."""


@dataclass(frozen=True, slots=True)
class Port:
    """Where clients may connect: the endpoint with the port it got, and listening sockets for each of its addresses."""

    endpoint: Endpoint
    sockets: tuple[socket.socket, ...]


def close_ports(ports: Iterable[Port]) -> None:
    """Close all sockets of these ports."""
    for port in ports:
        for sock in port.sockets:
            sock.close()


def open_ports(settings: Settings) -> tuple[Port, ...]:
    """Bind all that `settings` name and listen there. Raises LiveError when one cannot be had; then none is left."""
    ports: list[Port] = []
    try:
        for endpoint in settings.listen:
            sockets = _bind(endpoint)
            ports.append(Port(endpoint.at_port(sockets[0].getsockname()[1]), tuple(sockets)))
        _need_another_upstream(settings, ports)
    except BaseException:
        close_ports(ports)
        raise
    return tuple(ports)


def share_ports(ports: Sequence[Port], count: int, *, spread: bool = SPREADS) -> list[tuple[Port, ...]]:
    """The ports for each of `count` processes, of which the first gets `ports` themselves.

    With `spread` each has sockets of its own (SO_REUSEPORT), between which the system divides the clients evenly; a
    process that dies leaves its sockets to whoever holds them too. Without, all have the same, and whoever is quickest
    gets the client. Raises LiveError; then none is left open.
    """
    shares = [tuple(ports)]
    try:
        while len(shares) < count:
            shares.append(tuple(_beside(port, spread=spread) for port in ports))
    except BaseException:
        for share in shares:
            close_ports(share)
        raise
    return shares


def _beside(port: Port, *, spread: bool) -> Port:
    if not spread:
        return Port(port.endpoint, tuple(sock.dup() for sock in port.sockets))
    sockets: list[socket.socket] = []
    try:
        for first in port.sockets:
            # Only now that it listens: bound without, it was refused where another recorder has the port, whereas two
            # that both have the option would quietly get half of the clients each.
            first.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            where = first.getsockname()
            sockets.append(_bind_one(first.family, first.type, first.proto, where, option=socket.SO_REUSEPORT))
    except OSError as error:
        close_ports([Port(port.endpoint, tuple(sockets))])
        raise _not_bound(port.endpoint, error) from error
    return Port(port.endpoint, tuple(sockets))


def _need_another_upstream(settings: Settings, ports: Sequence[Port]) -> None:
    """Raise LiveError where a client would come back to us, and again, until the files run out."""
    ours = {sock.getsockname()[:2] for port in ports for sock in port.sockets}
    numbers = {number for _, number in ours}
    for endpoint in (settings.upstream, *settings.routes.values()):
        if endpoint.port in numbers and any((host, endpoint.port) in ours for host in _addresses(endpoint)):
            raise LiveError(
                f"The server {endpoint.url} is this recorder itself.", "Listen on another port, or name the server."
            )


def _addresses(endpoint: Endpoint) -> set[str]:
    """The addresses of a server; for one on this machine also those that stand for all of its addresses."""
    try:
        found = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError):
        return set()  # dialling it will say so
    addresses = {str(address[0]) for *_, address in found}
    here = any(is_ours(address) for address in addresses)
    return addresses | ({"0.0.0.0", "::"} if here else set())  # noqa: S104 - compared, not bound


def _bind(endpoint: Endpoint) -> list[socket.socket]:
    """Listening sockets for every address of the host, all on one port."""
    try:
        found = socket.getaddrinfo(endpoint.host, endpoint.port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except (OSError, UnicodeError) as error:
        raise LiveError(
            f"Cannot listen on {endpoint.url}: the name {endpoint.host} was not found.", "Use localhost or an address."
        ) from error
    need_written_out(endpoint, [str(address[0]) for *_, address in found])
    sockets: list[socket.socket] = []
    failure: OSError | None = None
    for family, kind, protocol, _, address in dict.fromkeys(found):
        port = sockets[0].getsockname()[1] if sockets else endpoint.port
        try:
            sockets.append(_bind_one(family, kind, protocol, (address[0], port, *address[2:])))
        except OSError as error:
            # A machine may know ::1 as localhost and yet have no IPv6; a port in use is another matter.
            if error.errno not in {errno.EADDRNOTAVAIL, errno.EAFNOSUPPORT}:
                for sock in sockets:
                    sock.close()
                raise _not_bound(endpoint, error) from error
            failure = error
    if not sockets:
        raise _not_bound(endpoint, failure or OSError(errno.EADDRNOTAVAIL, "no address"))
    return sockets


def _bind_one(
    family: int, kind: int, protocol: int, address: tuple[object, ...], *, option: int = socket.SO_REUSEADDR
) -> socket.socket:
    sock = socket.socket(family, kind, protocol)
    try:
        sock.setblocking(False)
        for each in {socket.SO_REUSEADDR, option}:
            sock.setsockopt(socket.SOL_SOCKET, each, 1)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.bind(address)
        sock.listen(_BACKLOG)
    except OSError:
        sock.close()
        raise
    return sock


def _not_bound(endpoint: Endpoint, error: OSError) -> LiveError:
    if error.errno == errno.EADDRINUSE:
        hint = f"Another program has port {endpoint.port}; choose another one with --listen, or 0 for any that is free."
    elif error.errno == errno.EACCES:
        hint = "Ports below 1024 are for root; choose a higher one with --listen."
    else:
        hint = "Choose an address of this machine with --listen."
    reason = (error.strerror or str(error)).lower()
    return LiveError(f"Cannot listen on {endpoint.url}: {reason}.", hint)
