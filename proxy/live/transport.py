"""Which implementation of asyncio's transports carries the bytes: aiofastnet where there is one, else asyncio's own."""

from __future__ import annotations

import asyncio
import enum
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
    return aiofastnet.loop_factory()
