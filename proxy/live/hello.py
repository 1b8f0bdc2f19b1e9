"""Looking at the first bytes of a connection without taking them: is it TLS, and which name does it ask for?"""

from __future__ import annotations

import asyncio
import contextlib
import socket

from certs.hello import LIMIT, Hello, read_hello

_PAUSE = 0.01  # a ClientHello in several segments is rare; the socket stays readable meanwhile


async def peek_hello(sock: socket.socket, seconds: float) -> Hello | None:
    """What the peer begins with; None if it closes, or says too little for `seconds`. Nothing is consumed.

    A duplicate of the socket is watched, because the event loop keeps the original to itself once it has a transport.
    """
    with contextlib.suppress(TimeoutError, OSError), sock.dup() as watched:
        watched.setblocking(False)
        async with asyncio.timeout(seconds):
            return await _peek(watched)
    return None


async def _peek(sock: socket.socket) -> Hello | None:
    seen = 0
    while True:
        await _readable(sock)
        data = sock.recv(LIMIT + 1, socket.MSG_PEEK)
        if not data:
            return None
        hello = read_hello(data)
        if hello is not None:
            return hello
        if len(data) == seen:
            await asyncio.sleep(_PAUSE)
        seen = len(data)


async def _readable(sock: socket.socket) -> None:
    loop = asyncio.get_running_loop()
    ready: asyncio.Future[None] = loop.create_future()

    def wake() -> None:
        if not ready.done():
            ready.set_result(None)

    loop.add_reader(sock.fileno(), wake)
    try:
        await ready
    finally:
        loop.remove_reader(sock.fileno())
