"""Looking at the first bytes of a connection without taking them: is it TLS, and which name does it ask for?"""

from __future__ import annotations

import asyncio
import contextlib
import select
import socket

from certs.hello import LIMIT, Hello, read_hello

_PAUSE = 0.005
_LONGEST_PAUSE = 1.0


async def peek_hello(sock: socket.socket, seconds: float) -> Hello | None:
    """What the peer begins with; None if it closes, or says too little for `seconds`. Nothing is consumed.

    A duplicate of the socket is watched, because the event loop keeps the original to itself once it has a transport.
    """
    try:
        watched = sock.dup()
    except OSError:
        return Hello(tls=True)  # too many open files: a client without a name is better than none
    with contextlib.suppress(TimeoutError, OSError), watched:
        watched.setblocking(False)
        async with asyncio.timeout(seconds):
            return await _peek(watched)
    return None


async def _peek(sock: socket.socket) -> Hello | None:
    seen, pause = 0, _PAUSE
    while True:
        await _readable(sock)
        data = sock.recv(LIMIT + 1, socket.MSG_PEEK)
        if not data:
            return None
        hello = read_hello(data)
        if hello is not None:
            return hello
        if len(data) == seen:
            if _hung_up(sock):
                return None
            # A ClientHello in several segments; what has come stays readable. Who takes his time is asked seldom.
            pause = min(2 * pause, _LONGEST_PAUSE)
            await asyncio.sleep(pause)
        seen = len(data)


def _hung_up(sock: socket.socket) -> bool:
    """Whether the peer sends no more: behind unread bytes `recv` does not show it. Not every system can tell."""
    poller = select.poll()
    poller.register(sock, getattr(select, "POLLRDHUP", 0))
    return bool(poller.poll(0))


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
