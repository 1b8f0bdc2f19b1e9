"""The relay: what one leg reads, the other one writes, unchanged and first; then the tap hears it.

While a gate stands in one direction (capability words to rewrite, STARTTLS to catch) the gate sees the bytes before
they go. Flow control: a leg is not read while the other one cannot take more, or while the recorder is behind.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from dataclasses import dataclass

from certs.trust import explain_client
from proxy.imap.capabilities import Scram
from proxy.imap.gate import Act, ClientGate, Passed, ServerGate
from proxy.imap.state import Phase
from proxy.imap.transcript import Direction, Ending, EventKind, Layer
from proxy.live.leg import Leg
from proxy.live.notices import Notices
from proxy.live.tap import Tap

_IDLE_GRACE = 10.0
_SCRAM_HIDDEN = (
    "The server offers channel-bound SCRAM, which no middleman can pass: all SCRAM words are hidden from the client.",
    "The client falls back to another mechanism; --scram pass leaves the words as they are.",
)


@dataclass(frozen=True, slots=True)
class Due:
    """What the session has to do: an act of a gate, or (with `ending`) the end."""

    passed: Passed | None = None
    ending: Ending | None = None
    reason: str = ""


class Relay:
    """Joins the two legs of a session. It is told everything synchronously, and asks for acts through `next_due`."""

    def __init__(self, tap: Tap, notices: Notices) -> None:
        self.client = Leg(Direction.CLIENT, self)
        self.upstream = Leg(Direction.SERVER, self)
        self.client_gate: ClientGate | None = None
        self.server_gate: ServerGate | None = None
        self.upstream_hears: UpstreamListener | None = None
        """Takes the server's bytes while imaptap itself talks to it."""
        self._tap = tap
        self._notices = notices
        self._dropped: ServerGate | None = None
        self._dues: deque[Due] = deque()
        self._wakener: asyncio.Future[None] | None = None
        self._over = asyncio.get_running_loop().create_future()
        self._ended = False
        self._first_chunk = {Direction.CLIENT: True, Direction.SERVER: True}

    async def next_due(self) -> Due:
        """Wait until there is something that only the session can do."""
        while not self._dues:
            self._wakener = asyncio.get_running_loop().create_future()
            await self._wakener
        return self._dues.popleft()

    async def over(self) -> None:
        """Wait until both legs are closed."""
        self._check_over()
        await self._over

    def data(self, leg: Leg, data: bytes) -> None:
        """Bytes have come on this leg."""
        if self._first_chunk[leg.direction]:
            self._first_chunk[leg.direction] = False
            if data[:2] == b"\x16\x03" and not leg.layer & Layer.TLS:
                self._tls_on_plain_port(leg, data)
                return
        if leg is self.client:
            if self.client_gate is None:
                self.upstream.write(data)
                self._tap.heard(Direction.CLIENT, data, leg.layer)
            else:
                self._client_gated(self.client_gate, data)
        elif self.upstream_hears is not None:
            self._tap.heard(Direction.SERVER, data, leg.layer)
            self.upstream_hears.heard(data)
        elif self.server_gate is None:
            self.client.write(data)
            self._tap.heard(Direction.SERVER, data, leg.layer)
            if self._dropped and self._tap.conversation.state.phase is Phase.NOT_AUTHENTICATED:
                self._raise_server_gate(self._dropped)
        else:
            self._server_gated(self.server_gate, data)
        if self._tap.full:
            self._wait_for_recorder()

    def eof(self, leg: Leg) -> bool:
        """The peer sends no more. Half-closed legs stay open for the other direction where TCP alone carries them."""
        peer = self._peer(leg)
        self._end_by(leg, "end of stream")
        if peer.transport is None or peer.transport.is_closing():
            return False
        if peer.transport.can_write_eof():
            peer.transport.write_eof()
        elif leg is self.client and self._tap.conversation.in_flight:
            # TLS cannot be half-closed here: let the server finish its answers first.
            asyncio.get_running_loop().call_later(_IDLE_GRACE, peer.close)
        else:
            peer.close()
        return True

    def lost(self, leg: Leg, error: Exception | None) -> None:
        """The leg is closed; what was received from it goes out before the other one is closed too."""
        if leg is self.client and isinstance(error, ssl.SSLError):
            # In TLS 1.3 a client refuses our certificate after our side of the handshake is done.
            message, hint = explain_client(error)
            self.end(Ending.FAILED, f"{message} {hint}")
        self._end_by(leg, _reason(error))
        if leg is self.upstream and self.upstream_hears:
            self.upstream_hears.ended()
        self._peer(leg).close()
        self._check_over()

    def pressed(self, leg: Leg, *, full: bool) -> None:
        """This leg cannot take more for now, or can again: the other one is not read meanwhile."""
        if full:
            self._peer(leg).hold("peer")
        else:
            self._peer(leg).free("peer")

    def hold(self, reason: str) -> None:
        """Read neither leg."""
        self.client.hold(reason)
        self.upstream.hold(reason)

    def free(self, reason: str) -> None:
        """Read both legs again, as far as this reason goes."""
        self.client.free(reason)
        self.upstream.free(reason)

    def end(self, ending: Ending, reason: str) -> None:
        """The session ends for this reason, if it has not ended for another one before (rule 7)."""
        if not self._ended:
            self._ended = True
            self._due(Due(None, ending, reason))

    def _end_by(self, leg: Leg, reason: str) -> None:
        self.end(Ending.CLIENT if leg is self.client else Ending.SERVER, reason)

    def _due(self, due: Due) -> None:
        self._dues.append(due)
        if self._wakener and not self._wakener.done():
            self._wakener.set_result(None)

    def _peer(self, leg: Leg) -> Leg:
        return self.upstream if leg is self.client else self.client

    def _check_over(self) -> None:
        done = all(leg.closed or leg.transport is None for leg in (self.client, self.upstream))
        if done and not self._over.done():
            self._over.set_result(None)

    def _client_gated(self, gate: ClientGate, data: bytes) -> None:
        gate.authenticated = self._tap.conversation.state.authenticated
        passed = gate.receive(data)
        self.upstream.write(passed.forward)
        self._tap.heard(Direction.CLIENT, data, self.client.layer)
        if passed.act is Act.RELAY and self.server_gate:
            self.server_gate.starttls_tag = passed.tag
        elif passed.act is not Act.NONE:
            self.hold("act")
            self._due(Due(passed))

    def _server_gated(self, gate: ServerGate, data: bytes) -> None:
        gate.compress_tag = self._tap.conversation.compressing
        awaited = gate.starttls_tag
        passed = gate.receive(data)
        self.client.write(passed.forward)
        self._tap.heard(Direction.SERVER, data, self.upstream.layer)
        for rewrite in passed.rewrites:
            self._tap.rewrote(Direction.SERVER, rewrite)
        if gate.rewriter.plus_seen and gate.rewriter.words.scram is Scram.AUTO:
            self._notices.once(*_SCRAM_HIDDEN)
        if passed.act is not Act.NONE:
            self.hold("act")
            self._due(Due(passed))
        elif awaited and gate.starttls_tag is None and self.client_gate:
            self.client_gate.settled()
        self._drop_server_gate(gate)

    def _drop_server_gate(self, gate: ServerGate) -> None:
        """Once nothing is left to rewrite, bytes go first and are looked at afterwards."""
        state = self._tap.conversation.state
        words = gate.rewriter.words
        scram_lasts = words.scram is Scram.AUTO and gate.rewriter.plus_seen
        if gate.done or (state.authenticated and self.client_gate is None and not words.lasting and not scram_lasts):
            self.client.write(gate.flush())
            self.server_gate = None
            self._dropped = None if gate.done else gate
        if gate.done and self.client_gate is not None:
            # COMPRESS has begun: there are no lines to watch any more, in either direction.
            self.upstream.write(self.client_gate.flush())
            self.client_gate = None

    def _raise_server_gate(self, dropped: ServerGate) -> None:
        """UNAUTHENTICATE has brought the time before login back (RFC 8437), and mechanisms will be listed again."""
        self._dropped = None
        self.server_gate = ServerGate(dropped.rewriter.words, self._tap.conversation.received(Direction.SERVER))
        self.server_gate.rewriter.plus_seen = dropped.rewriter.plus_seen

    def _tls_on_plain_port(self, leg: Leg, data: bytes) -> None:
        """M 6.15: a ClientHello (or a server's hello) where plain IMAP was expected."""
        self._tap.heard(leg.direction, data, leg.layer)
        who, hint = ("client", "imaps:// listener") if leg is self.client else ("server", "imaps:// upstream URL")
        text = f"the {who} speaks TLS where IMAP in clear was expected: use an {hint}"
        self._tap.event(EventKind.FAULT, "TLS on a plain port", text, leg.direction)
        self.hold("act")
        self.end(Ending.FAILED, text)

    def _wait_for_recorder(self) -> None:
        """Rule 6: the recorder is behind, so the relay slows down instead of dropping anything."""
        loop = asyncio.get_running_loop()
        self.hold("recorder")

        def drained() -> None:
            if not loop.is_closed():
                loop.call_soon_threadsafe(self.free, "recorder")

        self._tap.when_drained(drained)


def _reason(error: Exception | None) -> str:
    if error is None:
        return "connection closed"
    return ((isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__).lower()


class UpstreamListener:
    """Hears the server's bytes while imaptap talks to it, as a queue that the session reads."""

    def __init__(self) -> None:
        self._chunks: asyncio.Queue[bytes] = asyncio.Queue()

    def heard(self, data: bytes) -> None:
        """The server has sent these."""
        self._chunks.put_nowait(data)

    @property
    def waiting(self) -> bool:
        """Whether chunks have come that nobody has read."""
        return not self._chunks.empty()

    def ended(self) -> None:
        """The server has gone."""
        self._chunks.put_nowait(b"")

    async def read(self, seconds: float) -> bytes:
        """The next chunk; empty when the server has gone. Raises TimeoutError."""
        async with asyncio.timeout(seconds):
            return await self._chunks.get()
