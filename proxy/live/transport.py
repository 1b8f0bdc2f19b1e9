"""Which implementation of asyncio's transports carries the bytes: aiofastnet where there is one, else asyncio's own."""

from __future__ import annotations

import asyncio
import enum
import functools
from collections.abc import Callable

from proxy.live.errors import LiveError


class TransportKind(enum.StrEnum):
    """`--transport`."""

    AUTO = "auto"
    AIOFASTNET = "aiofastnet"
    ASYNCIO = "asyncio"


def loop_factory(kind: TransportKind) -> Callable[[], asyncio.AbstractEventLoop]:
    """A maker of event loops for this kind. Raises LiveError where aiofastnet was asked for and is not there."""
    if kind is TransportKind.ASYNCIO:
        return asyncio.new_event_loop
    try:
        import aiofastnet  # noqa: PLC0415 - only there where it has wheels
    except ImportError:
        if kind is TransportKind.AUTO:
            return asyncio.new_event_loop
        raise LiveError("aiofastnet is not installed here.", "Use --transport asyncio.") from None
    make = aiofastnet.loop_factory()

    def factory() -> asyncio.AbstractEventLoop:
        loop = make()
        # The one method of the loop that aiofastnet 1.x has, but does not put in place by itself.
        vars(loop)["connect_accepted_socket"] = functools.partial(aiofastnet.connect_accepted_socket, loop)
        return loop

    return factory


def resume_reading(transport: asyncio.Transport) -> None:
    """Read from the transport again.

    aiofastnet 1.2 (direct TLS engine) then looks at the socket first, and forgets what it had read and decrypted
    before it was paused if the socket has nothing new: a connection that waits for its peer would hang for good.
    """
    transport.resume_reading()
    retry = getattr(transport, "_retry_ssl_read", None)
    if retry is not None:
        asyncio.get_running_loop().call_soon(retry)
