"""Listening sockets for several processes: who gets the clients, and who is refused."""

from __future__ import annotations

import select
import socket
from contextlib import ExitStack
from typing import TYPE_CHECKING

import pytest

from proxy.live.endpoint import parse_listen, parse_upstream
from proxy.live.errors import LiveError
from proxy.live.ports import SPREADS, Port, close_ports, open_ports, share_ports
from proxy.live.settings import Settings
from tests.servers.wait import free_port

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

LISTEN = ("imap+insecure://localhost:0", "imaps://127.0.0.1:0")
UPSTREAM = parse_upstream("imaps://mail.example.org")
CLIENTS = 60


def settings(*listen: str) -> Settings:
    return Settings(UPSTREAM, tuple(map(parse_listen, listen)))


@pytest.fixture
def ports() -> Iterator[tuple[Port, ...]]:
    opened = open_ports(settings(*LISTEN))
    yield opened
    close_ports(opened)


def accepted(sockets: Sequence[socket.socket]) -> int:
    """How many clients wait there; they are sent away."""
    count = 0
    while ready := select.select(sockets, (), (), 0)[0]:
        for sock in ready:
            sock.accept()[0].close()
            count += 1
    return count


def connect(stack: ExitStack, port: Port, count: int) -> None:
    for _ in range(count):
        stack.enter_context(socket.create_connection(port.sockets[0].getsockname()[:2], timeout=5))


@pytest.mark.skipif(not SPREADS, reason="this system gives all clients to one of the sockets")
def test_each_process_gets_its_part_of_the_clients(ports: tuple[Port, ...]) -> None:
    shares = share_ports(ports, 3)
    with ExitStack() as stack:
        stack.callback(lambda: [close_ports(share) for share in shares])
        assert [[port.endpoint for port in share] for share in shares] == [[port.endpoint for port in ports]] * 3
        for number in range(len(ports)):
            connect(stack, ports[number], CLIENTS)
            parts = [accepted(share[number].sockets) for share in shares]
            assert sum(parts) == CLIENTS
            assert all(parts), f"nobody came to one of them: {parts}"


def test_without_spreading_anyone_of_them_can_take_every_client(ports: tuple[Port, ...]) -> None:
    shares = share_ports(ports, 3, spread=False)
    with ExitStack() as stack:
        stack.callback(lambda: [close_ports(share) for share in shares])
        connect(stack, ports[0], CLIENTS)
        assert accepted(shares[1][0].sockets) == CLIENTS
        close_ports(shares[0])
        connect(stack, shares[2][0], 1)
        assert accepted(shares[2][0].sockets) == 1


def test_a_second_recorder_is_refused_though_the_first_one_shares(ports: tuple[Port, ...]) -> None:
    """Both have SO_REUSEPORT and one user; that alone would let the second one have half of the first one's clients."""
    with ExitStack() as stack:
        for share in share_ports(ports, 2):
            stack.callback(close_ports, share)
        url = f"imap+insecure://127.0.0.1:{ports[1].endpoint.port}"
        with pytest.raises(LiveError, match="already in use"):
            open_ports(settings(url))


def test_what_cannot_be_had_leaves_no_socket(ports: tuple[Port, ...]) -> None:
    free = free_port()
    taken = ports[1].endpoint.port
    with pytest.raises(LiveError, match="Cannot listen"):
        open_ports(settings(f"imaps://127.0.0.1:{free}", f"imaps://127.0.0.1:{taken}"))
    with pytest.raises(ConnectionRefusedError):
        socket.create_connection(("127.0.0.1", free), timeout=5)
