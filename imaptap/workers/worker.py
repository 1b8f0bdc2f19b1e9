"""What a worker process does.

It is born with all signals blocked that end a recorder: those concern its parent. It ends when the parent says so, or
is no more, which is the same thing: nothing more can come from there.
"""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import Final, cast

from certs.errors import CertificateError
from imaptap.fail_closed import steer
from imaptap.news import INTERVAL, News
from imaptap.recording import Ears, carry_on
from imaptap.workers.messages import (
    Closed,
    Failed,
    Frames,
    Heard,
    Message,
    Opened,
    Order,
    Told,
    Unrecordable,
    Up,
    frame,
)
from proxy.imap.transcript import Record, SessionClosed, SessionOpened
from proxy.live.errors import LiveError
from proxy.live.recorder import Recorder
from proxy.live.transport import loop_factory
from storage import StorageError, Writer, open_store

_READ: Final = 65536
_UNREAD_MAX: Final = 256 * 1024
"""How much the parent may leave unread before it is told no more of exchanges: no terminal may stop the mail."""


class Parent(asyncio.Protocol):
    """The parent, as its worker sees it."""

    def __init__(self, *, news: bool) -> None:
        self.stop = asyncio.Event()
        """Set when the parent wants an end, or is gone."""
        self.unrecordable: Callable[[str], None] | None = None
        """Called with the reason when it wants an end because nothing more can be recorded."""
        self._frames = Frames()
        self._loop = asyncio.get_running_loop()
        self._gone = self._loop.create_future()
        self._transport: asyncio.Transport | None = None
        self._news = News() if news else None
        self._timer: asyncio.TimerHandle | None = None

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio's."""
        self._transport = cast("asyncio.Transport", transport)  # aiofastnet's has the methods, not the base class

    def data_received(self, data: bytes) -> None:
        """asyncio's."""
        for message in self._frames.feed(data):
            if isinstance(message, Unrecordable) and self.unrecordable is not None:
                self.unrecordable(message.reason)

    def eof_received(self) -> bool:
        """asyncio's. What is left to say can still be said."""
        self.stop.set()
        return True

    def connection_lost(self, exc: Exception | None) -> None:  # noqa: ARG002 - asyncio's signature
        """asyncio's."""
        self.stop.set()
        self._gone.set_result(None)

    def say(self, message: Message) -> None:
        """Send a message, if there is anybody to hear it."""
        if self._transport is not None and not self._transport.is_closing():
            self._transport.write(frame(message))

    def tell(self, message: str, hint: str) -> None:
        """For the person at the parent's terminal; from any thread."""
        self._loop.call_soon_threadsafe(self.say, Told(message, hint))

    def hear(self, record: Record) -> None:
        """Pass on what concerns the parent: which sessions are open here, and what is worth a line."""
        if isinstance(record, SessionOpened):
            self.say(Opened(record.session))
        elif isinstance(record, SessionClosed):
            self.say(Closed(record.session))
        if self._news is not None:
            self._news.hear(record)
            if self._timer is None:
                self._timer = self._loop.call_later(INTERVAL, self._pass_on, self._news)

    async def close(self) -> None:
        """Say what is left to say."""
        if self._timer is not None and self._news is not None:
            self._timer.cancel()
            self._pass_on(self._news)
        if self._transport is not None:
            self._transport.close()
        await self._gone

    def _pass_on(self, news: News) -> None:
        self._timer = None
        if self._transport is not None and self._transport.get_write_buffer_size() < _UNREAD_MAX:
            items, missed = news.take()
            if items or missed:
                self.say(Heard(tuple(items), missed))


def work(descriptor: int) -> int:
    """Do what the parent orders on this socket. Returns the exit code: 0 when everything was recorded."""
    sock = socket.socket(fileno=descriptor)
    order = _order(sock)
    if order is None:
        return 1
    with asyncio.Runner(loop_factory=loop_factory(order.job.transport)) as runner:
        return 0 if runner.run(_obey(order, sock)) else 1


def _order(sock: socket.socket) -> Order | None:
    """The parent's one message; None when it has died before it gave it."""
    frames = Frames()
    while data := sock.recv(_READ):
        for message in frames.feed(data):
            if isinstance(message, Order):
                return message
    return None


async def _obey(order: Order, sock: socket.socket) -> bool:
    parent = Parent(news=order.news)
    await asyncio.get_running_loop().create_unix_connection(lambda: parent, sock=sock)
    try:
        return await _record(order, parent)
    except (StorageError, CertificateError, LiveError) as error:
        parent.say(Failed(str(error), error.hint))
    except Exception as error:  # noqa: BLE001 - the parent must hear of it, whatever it is
        # Without its text, which may quote the traffic.
        parent.say(Failed(f"imaptap has a fault of its own: {type(error).__name__}.", "Please report this."))
    finally:
        await parent.close()
    return False


async def _record(order: Order, parent: Parent) -> bool:
    job, shared = order.job, order.shared
    with open_store(job.db, create=False) as store:
        ears = Ears(parent.hear)
        recorder = Recorder(
            job.settings, job.authority, ears, parent.tell, job.own_leaves,
            numbers=shared.session_numbers, began=order.recording.started,
        )  # fmt: skip
        recorder.listen(order.ports)
        parent.unrecordable = recorder.unrecordable

        def end(reason: str) -> None:
            recorder.unrecordable(reason)
            parent.say(Unrecordable(reason))
            parent.stop.set()

        ears.writer = Writer(
            store, on_trouble=parent.tell, sharing=shared.sharing, joined=order.recording, max_literal=job.max_literal,
            control=steer(end, recorder) if job.fail_closed else None,
        )  # fmt: skip
        parent.say(Up())
        return await carry_on(recorder, ears.writer, parent.stop)
