"""Which implementation of asyncio's transports carries the bytes: aiofastnet where there is one, else asyncio's own."""

from __future__ import annotations

import asyncio
import enum
import functools
from collections.abc import Callable

from proxy.live.errors import LiveError

_METHODS = ("connect_accepted_socket", "create_connection", "start_tls")


class TransportKind(enum.StrEnum):
    """`--transport`."""

    AUTO = "auto"
    AIOFASTNET = "aiofastnet"
    ASYNCIO = "asyncio"


def loop_factory(kind: TransportKind) -> Callable[[], asyncio.AbstractEventLoop]:
    """A maker of event loops for this kind. Raises LiveError where aiofastnet was asked for and cannot be used."""
    if kind is TransportKind.ASYNCIO:
        return asyncio.new_event_loop
    try:
        import aiofastnet  # noqa: PLC0415 - only there where it has wheels
    except ImportError:
        reason = "is not installed here"
    else:
        # Without Python's own OpenSSL it falls back to an engine that cannot resume reading (see `slow_down`).
        if aiofastnet.OPENSSL_DYN_LIBS is not None:
            return _fast_loop
        reason = "cannot find the OpenSSL library of this Python"
    if kind is TransportKind.AUTO:
        return asyncio.new_event_loop
    raise LiveError(f"aiofastnet {reason}.", "Use --transport asyncio.")


def slow_down(loop: asyncio.AbstractEventLoop) -> None:
    """Give a loop its own transports back, for sessions whose keys are logged.

    A context with a key log needs aiofastnet's other engine, whose `resume_reading` raises and leaves bytes lying.
    """
    for name in _METHODS:
        vars(loop).pop(name, None)


def resume_reading(transport: asyncio.Transport) -> None:
    """Read from the transport again.

    aiofastnet 1.2 (direct TLS engine) then looks at the socket first. What it had read before it was paused it forgets
    if the socket has nothing new: a connection that waits for its peer would hang for good. And if the stream has
    ended meanwhile, it closes at once. So it is made to look at what it has before it comes to that.
    """
    retry = getattr(transport, "_retry_ssl_read", None)
    if retry is not None:
        asyncio.get_running_loop().call_soon(retry)
    transport.resume_reading()


def _fast_loop() -> asyncio.AbstractEventLoop:
    import aiofastnet  # noqa: PLC0415

    loop = aiofastnet.loop_factory()()
    # The one method of the loop that aiofastnet 1.x has, but does not put in place by itself.
    vars(loop)["connect_accepted_socket"] = functools.partial(aiofastnet.connect_accepted_socket, loop)
    return loop
