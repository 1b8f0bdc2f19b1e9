"""One leg of a session: the transport to the client, or to the server. It decides nothing."""

from __future__ import annotations

import asyncio
import contextlib
import socket
from collections.abc import Callable
from typing import TYPE_CHECKING, Protocol, cast

from proxy.imap.transcript import Direction, Layer
from proxy.live.transport import resume_reading
from proxy.live.turns import Pace

if TYPE_CHECKING:
    from proxy.live.tap import Tap


class Owner(Protocol):
    """Who is told what happens on a leg."""

    def data(self, leg: Leg, data: bytes) -> None:
        """Bytes have come."""
        ...

    def eof(self, leg: Leg) -> bool:
        """The peer will send no more; True keeps the leg open for writing."""
        ...

    def lost(self, leg: Leg, error: Exception | None) -> None:
        """The leg is closed."""
        ...

    def gone(self) -> None:
        """A leg is closed, though bytes of it still wait to be passed on; `lost` comes after them."""
        ...

    def pressed(self, leg: Leg, *, full: bool) -> None:
        """The peer does not read fast enough, or does again."""
        ...


RECORDER = "recorder"
"""Why a leg is held while the recorder is behind."""
_SLOWER = frozenset({"peer", RECORDER, "tap"})
"""Reasons to hold a leg that only ask it to be slower: what still comes is passed on. All others keep it."""
_FLOW = _SLOWER | {"turn", "standstill"}
"""Reasons that have nothing to do with what was said."""


class Leg(asyncio.Protocol):
    """A connection with flow control: it is read only while nobody holds it."""

    def __init__(self, direction: Direction, owner: Owner, tap: Tap | None = None) -> None:
        """`direction` is what is read from it: CLIENT for the leg to the client. `tap` is its session's, if known."""
        self.direction = direction
        self.tap = tap
        self.layer = Layer.PLAIN
        self.closed = False
        self.heard_all = False
        """Whether the peer has said that it sends no more."""
        self.transport: asyncio.Transport | None = None
        self._owner = owner
        self._held_by: set[str] = set()
        self._kept: list[bytes] = []
        self._later: list[Callable[[], object]] = []
        """What happened after the kept bytes had come."""
        self._said_all = False
        self._deaf = False
        self._turn_came = False
        self.pace = Pace()

    @property
    def parting(self) -> bool:
        """Whether it has been sent its last word, and closes when its peer does."""
        return self._deaf and not self.closed

    @property
    def kept(self) -> bool:
        """Whether bytes have come that wait for the leg to be freed."""
        return bool(self._kept)

    @property
    def kept_back(self) -> bool:
        """Whether the session is busy with this leg, so that its bytes may not pass."""
        return bool(self._held_by - _FLOW)

    @property
    def _keeps(self) -> bool:
        return bool(self._held_by - _SLOWER)

    @property
    def open(self) -> bool:
        """Whether there is a connection that can be written to."""
        return self.transport is not None and not self.closed and not self.transport.is_closing()

    @property
    def unsent(self) -> int:
        """Bytes written that the socket has not taken yet."""
        return self.transport.get_write_buffer_size() if self.transport and self.open else 0

    def hold(self, reason: str) -> None:
        """Do not read, for this reason."""
        if not self._held_by:
            self._pause()
        self._held_by.add(reason)

    def free(self, reason: str) -> None:
        """This reason is gone; read when there is no other."""
        self._held_by.discard(reason)
        if self._turn_came and RECORDER not in self._held_by:
            self._turn_came = False
            self._held_by.discard("turn")
        while self._kept and not self._keeps:
            self._hand_over(self._kept.pop(0))
        if not self._kept:
            self._catch_up()
        if not self._held_by and self.open and not self.heard_all and self.transport:
            resume_reading(self.transport)

    def turn(self, _: float) -> None:
        """Its turn to be passed on has come; a few bytes may make very many records, so it waits for the recorder."""
        if RECORDER in self._held_by:
            self._turn_came = True
        else:
            self.free("turn")

    def hand_over(self, owner: Owner) -> None:
        """From here on it is this one who is told."""
        self._owner = owner

    def keep(self, data: bytes) -> None:
        """These bytes come again, first of all, when the leg is freed."""
        if data:
            self._kept.insert(0, data)

    def take_kept(self) -> list[bytes]:
        """What waits for the leg to be freed, which will not happen any more."""
        kept, self._kept = self._kept, []
        self._catch_up()
        return kept

    def write(self, data: bytes) -> None:
        """Send; what the socket does not take is kept by the transport, and the other leg is held meanwhile."""
        if data and self.transport and not self.closed and not self._said_all:
            self.transport.write(data)

    def write_eof(self) -> bool:
        """Tell the peer that no more will come, and go on reading. False where TLS does not allow that."""
        if not self.transport or not self.open or not self.transport.can_write_eof():
            return False
        if not self._said_all:
            self._said_all = True
            self.transport.write_eof()
        return True

    def part(self, last_word: bytes) -> None:
        """Send this on a leg that is held, and close when the peer has closed; nobody hears what still comes from it.

        To close a TCP connection while there is something unread resets it, and the last word may go with that.
        """
        self._deaf = True
        self.write(last_word)
        if self.heard_all or not self.write_eof():
            self.close()
        elif self.transport:
            resume_reading(self.transport)

    def close(self) -> None:
        """Close after what is written has gone out."""
        if self.transport and not self.closed:
            if self._held_by and self.open and not self.heard_all:
                # A TLS transport that does not read would never see the peer's goodbye.
                self.transport.resume_reading()
            self.transport.close()

    def abort(self) -> None:
        """Close at once."""
        if self.transport and not self.closed:
            self.transport.abort()

    def secured(self, transport: asyncio.Transport) -> None:
        """TLS has begun: `transport` takes the place of the old one."""
        self.transport = transport
        self.layer |= Layer.TLS
        # The old one tells the new one, and not us, when what was too much to be sent has gone out.
        self._owner.pressed(self, full=False)
        if self._held_by:
            self._pause()

    def abandoned(self) -> None:
        """TLS has failed on it. Not every event loop tells the protocol then that its connection is gone."""
        self.abort()
        self.connection_lost(None)

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """asyncio: the connection is there."""
        self.transport = cast("asyncio.Transport", transport)  # aiofastnet's has the methods, not the base class
        sock = transport.get_extra_info("socket")
        if sock is not None and sock.family != socket.AF_UNIX:
            # Nagle's algorithm against delayed ACK costs 40 ms a message; idle sessions must notice a dead peer.
            # Some systems refuse both where the peer has reset the connection already.
            with contextlib.suppress(OSError):
                sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
                sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        if self._held_by:
            self._pause()
            if transport.get_extra_info("ssl_object") is None:
                asyncio.get_running_loop().call_soon(self._pause_again)

    def data_received(self, data: bytes) -> None:
        """asyncio: bytes have come."""
        if self._kept or (self._held_by and self._keeps):
            # A transport may deliver what it had read before it was paused.
            if not self._deaf:
                self._kept.append(data)
            return
        self._owner.data(self, data)

    def eof_received(self) -> bool:
        """asyncio: the peer sends no more. A TLS transport closes by itself then."""
        self.heard_all = True
        if self._deaf:
            return False
        tls = bool(self.layer & Layer.TLS)
        if self._kept:
            self._later.append(self._eof_after_kept)
            return not tls
        return self._owner.eof(self) and not tls

    def connection_lost(self, exc: Exception | None) -> None:
        """asyncio: the connection is gone."""
        if self.closed:
            return
        self.closed = True
        if self._deaf:
            self._owner.gone()
        elif self._kept:
            self._later.append(lambda: self._owner.lost(self, exc))
            self._owner.gone()
        else:
            self._owner.lost(self, exc)

    def pause_writing(self) -> None:
        """asyncio: too much is waiting to be sent."""
        self._owner.pressed(self, full=True)

    def resume_writing(self) -> None:
        """asyncio: it has gone out."""
        self._owner.pressed(self, full=False)

    def _hand_over(self, data: bytes) -> None:
        """Kept bytes. A fault ends the connection, as it does where a transport hands them over: never silently."""
        try:
            self._owner.data(self, data)
        except Exception as error:  # noqa: BLE001 - who frees a leg has nothing to do with what it has kept
            asyncio.get_running_loop().call_exception_handler(
                {"message": "Bytes that were kept could not be passed on", "exception": error, "protocol": self}
            )
            self.take_kept()
            self.abort()
            self.connection_lost(error)

    def _pause(self) -> None:
        if self.open and not self.heard_all and self.transport:
            self.transport.pause_reading()

    def _pause_again(self) -> None:
        """A transport begins to read right after `connection_made`: aiofastnet's would then spin on what has come."""
        if self._held_by and self.open and not self.heard_all and self.transport:
            resume_reading(self.transport)
            self.transport.pause_reading()

    def _eof_after_kept(self) -> None:
        if not self._owner.eof(self):
            self.close()

    def _catch_up(self) -> None:
        later, self._later = self._later, []
        for tell in later:
            tell()
