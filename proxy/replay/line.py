"""The bytes between imaptap and the target: dialled, protected, deflated, on record, and held when somebody is slow."""

from __future__ import annotations

import asyncio
import contextlib
import zlib
from typing import TYPE_CHECKING, Protocol

from proxy.imap.transcript import Direction, EventKind
from proxy.live.endpoint import Security
from proxy.live.errors import LiveError
from proxy.live.leg import Leg
from proxy.live.upstream import describe_tls
from proxy.replay.inbound import Inbound
from proxy.replay.silence import Silence

if TYPE_CHECKING:
    from proxy.imap.cutter import CutUnit
    from proxy.imap.transcript import Layer
    from proxy.live.endpoint import Endpoint
    from proxy.live.leg import Owner as LegOwner
    from proxy.live.tap import Tap
    from proxy.live.upstream import Upstream

_CLIENT = "imaptap replay"
_BLOCK = 64 * 1024
_CLOSE_SECONDS = 2.0


class Owner(Protocol):
    """Who talks over a line."""

    def unit(self, found: CutUnit, at: int) -> None:
        """The server has said this."""
        ...

    def heard(self) -> None:
        """All units that have come are told."""
        ...

    def lost(self, error: Exception | None) -> None:
        """The connection is gone."""
        ...

    def broken(self, message: str, hint: str) -> None:
        """It is about to be closed, for this reason."""
        ...

    def silent(self, seconds: float) -> None:
        """It is about to be closed, since the server owes something and has said nothing for so long."""
        ...

    @property
    def owed(self) -> bool:
        """Whether the server owes something."""
        ...


class Line:
    """One connection's bytes. All that goes over it is heard by the tap."""

    def __init__(self, endpoint: Endpoint, upstream: Upstream, tap: Tap, owner: Owner, *, patience: float) -> None:
        """`patience` is how many seconds a server may say nothing while it owes something."""
        self.inbound = Inbound()
        self.sent = 0
        """How many bytes we have said, before they were deflated: the offset of the next one in our stream."""
        self._endpoint, self._upstream, self._tap, self._owner = endpoint, upstream, tap, owner
        self._silence = Silence(patience, self._owes, self._fell_silent)
        self._leg = Leg(Direction.SERVER, self)
        self._slow: set[str] = set()
        """Who cannot take more for now: the server, the recorder."""
        self._room = asyncio.Event()
        self._room.set()
        self._closed = asyncio.Event()

    async def dial(self) -> None:
        """Connect, with TLS where the URL says imaps. Raises LiveError."""
        url = self._endpoint.url
        self._tap.opened(_CLIENT, url, url)
        await self._upstream.dial(self._endpoint, self._leg, alpn=self._endpoint.security is Security.TLS)
        self._tell_tls()
        self._silence.begin()

    async def start_tls(self) -> None:
        """STARTTLS was answered OK: shake hands. Raises LiveError."""
        if self.inbound.injected:
            text = "the server sent bytes in clear behind its OK to STARTTLS"
            self._tap.event(EventKind.SECURITY, "STARTTLS injection", text, Direction.SERVER)
            url = self._endpoint.url
            raise LiveError(
                f"{url} sent bytes in clear behind its OK to STARTTLS: someone may be tampering with it.",
                "Use imaps:// where the server offers it.",
            )
        await self._upstream.start_tls(self._endpoint, self._leg)
        self.inbound.secured()
        self._tap.conversation.secured()
        self._tell_tls()

    @property
    def open_now(self) -> bool:
        """Whether more can be sent."""
        return self._leg.open and not self._leg.heard_all

    @property
    def secure(self) -> bool:
        """Whether TLS protects it."""
        return bool(self._leg.transport and self._leg.transport.get_extra_info("ssl_object"))

    @property
    def layer(self) -> Layer:
        """What the bytes are wrapped in."""
        return self._leg.layer

    @property
    def left(self) -> bool:
        """Whether the server has closed."""
        return self._leg.heard_all or self._leg.closed

    async def say(self, data: bytes, *, soon: bool = False) -> int:
        """Send; waits while the server or the recorder cannot take more. Returns how many bytes could be sent.

        `soon`: it may go on record a little later, together with the answer.
        """
        for start in range(0, len(data), _BLOCK):
            if not self.open_now:
                return start
            part = data[start : start + _BLOCK]
            wire = self._wire(part)
            self._leg.write(wire)
            self._tap.heard(Direction.CLIENT, wire, self._leg.layer, soon=soon)
            self._silence.broken()
            self.sent += len(part)
            if self._tap.full:
                self._wait_for_recorder()
            if self._slow:
                await self._room.wait()
        return len(data)

    def say_own(self, line: bytes) -> None:
        """Send a command of imaptap's own, which is recorded as one, outside of our stream (M 6.4)."""
        self._leg.write(self._wire(line))
        self._tap.proxy_command(line)

    def hand_over(self, owner: LegOwner) -> Leg:
        """From here on nothing is understood, or on record: all that comes is told to `owner` as it comes."""
        self._silence.end()
        self._leg.hand_over(owner)
        return self._leg

    async def close(self, *, at_once: bool) -> None:
        """Close; unless `at_once`, what was written goes out before."""
        self._silence.end()
        if not at_once:
            self._leg.close()
            await self.closed()
        self._leg.abort()

    async def closed(self) -> None:
        """Wait a moment for the connection to be closed, as a server does after LOGOUT."""
        if self._leg.transport is None:
            return
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_CLOSE_SECONDS):
                await self._closed.wait()

    # --- what a Leg tells its owner ---------------------------------------------------------------------------------

    def data(self, leg: Leg, data: bytes) -> None:
        """Bytes have come."""
        self._silence.broken()
        self._tap.heard(Direction.SERVER, data, leg.layer)
        _ = self._tap.conversation  # what is deflated is understood when somebody asks
        at = self._tap.clock.now()
        try:
            for found in self.inbound.feed(data, at):
                self._owner.unit(found, at)
        except zlib.error:
            self._owner.broken(
                f"{self._endpoint.url} sent a broken deflate stream.", "The recording shows where it broke."
            )
            self._leg.abort()
        self._owner.heard()
        if self._tap.full:
            self._wait_for_recorder()

    def eof(self, leg: Leg) -> bool:
        """The server sends no more."""
        del leg
        return False

    def lost(self, leg: Leg, error: Exception | None) -> None:
        """The connection is gone."""
        del leg
        self._closed.set()
        self._slow.clear()
        self._room.set()
        self._tap.catch_up()
        self._owner.lost(error)

    def gone(self) -> None:
        """Never the case: nothing is kept."""

    def pressed(self, leg: Leg, *, full: bool) -> None:
        """The server does not read fast enough, or does again."""
        del leg
        if full:
            self._wait_for("server")
        else:
            self._is_back("server")

    # --- flow and silence -------------------------------------------------------------------------------------------

    def _wait_for(self, who: str) -> None:
        self._slow.add(who)
        self._room.clear()

    def _is_back(self, who: str) -> None:
        self._slow.discard(who)
        if not self._slow:
            self._room.set()

    def _wait_for_recorder(self) -> None:
        self._wait_for("recorder")
        self._leg.hold("recorder")
        self._tap.when_drained(self._recorder_is_back)

    def _recorder_is_back(self) -> None:
        self._is_back("recorder")
        self._leg.free("recorder")

    def _wire(self, data: bytes) -> bytes:
        deflated = self.inbound.deflated
        return data if deflated is None else deflated.deflate(data)

    def _owes(self) -> bool:
        return self._owner.owed and not self._leg.closed and not self._tap.full

    def _fell_silent(self) -> None:
        self._owner.silent(self._silence.patience)
        self._leg.abort()

    def _tell_tls(self) -> None:
        if self._leg.transport is not None and self.secure:
            self._tap.event(EventKind.TLS, "upstream leg", describe_tls(self._leg.transport), Direction.SERVER)
