"""The relay: what one leg reads, the other one writes, unchanged and first; then the tap hears it.

While a gate stands in one direction (capability words to rewrite, STARTTLS to catch) the gate sees the bytes before
they go. Flow control: a leg is not read while the other one cannot take more, or while the recorder is behind.
"""

from __future__ import annotations

import asyncio
import ssl
from collections import deque
from dataclasses import dataclass

from certs.trust import explain, explain_client
from proxy.imap.gate import Passed
from proxy.imap.transcript import Direction, Ending, EventKind, Layer
from proxy.live.gates import Gates
from proxy.live.leg import RECORDER, Leg
from proxy.live.listener import UpstreamListener
from proxy.live.notices import Notices
from proxy.live.tap import Tap
from proxy.live.upstream import without_greeting

_TLS_RECORDS = (b"\x16\x03", b"\x15\x03")  # a handshake, or the alert of somebody who expected one
_LAST_ANSWERS_SECONDS = 1.0


@dataclass(frozen=True, slots=True)
class Due:
    """What the session has to do: an act of a gate in `direction`, or (with `ending`) the end."""

    passed: Passed | None = None
    direction: Direction = Direction.CLIENT
    ending: Ending | None = None
    reason: str = ""
    hint: str = ""


class Relay:
    """Joins the two legs of a session. It is told everything synchronously, and asks for acts through `next_due`."""

    def __init__(self, tap: Tap, notices: Notices) -> None:
        self.client = Leg(Direction.CLIENT, self)
        self.upstream = Leg(Direction.SERVER, self, tap)
        self.gates = Gates(self.client, self.upstream, tap, notices)
        self.upstream_hears: UpstreamListener | None = None
        """Takes the server's bytes while imaptap itself talks to it."""
        self.server_name = "the server"
        self.end_due: Due | None = None
        """The end, once it is known (rule 7)."""
        self._tap = tap
        self._dues: deque[Due] = deque()
        self._wakener: asyncio.Future[None] | None = None
        self._over = asyncio.get_running_loop().create_future()
        self._moved = {Direction.CLIENT: 0, Direction.SERVER: 0}
        self._last_answers = False

    @property
    def silent(self) -> bool:
        """Whether the server has not said anything yet."""
        return not self._moved[Direction.SERVER]

    @property
    def pulse(self) -> tuple[int, ...]:
        """Changes while bytes move."""
        return (*self._moved.values(), self.client.unsent, self.upstream.unsent)

    async def next_due(self) -> Due:
        """Wait until there is something that only the session can do."""
        while not self._dues:
            self._wakener = asyncio.get_running_loop().create_future()
            await self._wakener
        return self._dues.popleft()

    async def over(self, seconds: float) -> bool:
        """Wait until both legs are closed, so long at most. Returns whether they are."""
        self.gone()
        await asyncio.wait([self._over], timeout=seconds)
        return self._over.done()

    def data(self, leg: Leg, data: bytes) -> None:
        """Bytes have come on this leg."""
        if not (self.gates.heed or self.upstream_hears):
            self._pass(leg, data)
            return
        share = leg.pace.share(data)
        if share < len(data):
            leg.keep(data[share:])
            leg.hold("turn")
            self._tap.turns.next(leg)
            data = data[:share]
        began = leg.pace.begin(share)
        self._pass(leg, data)
        leg.pace.end(share, began)

    def _pass(self, leg: Leg, data: bytes) -> None:
        first = not self._moved[leg.direction]
        self._moved[leg.direction] += len(data)
        if first and data[:2] in _TLS_RECORDS and not leg.layer & Layer.TLS:
            self._tls_on_plain_port(leg, data)
        elif leg is self.client:
            self._from_client(data)
        else:
            self._from_server(data)
        tap = self._tap
        if tap.opaque:
            self.gates.open()
        if tap.full:
            self._wait_for_recorder()
        if tap.behind:
            self.hold("tap")
            tap.when_understood(self._understood)

    def _understood(self) -> None:
        self.free("tap")
        self._close_if_answered()

    def eof(self, leg: Leg) -> bool:
        """The peer sends no more. Half-closed legs stay open for the other direction where TCP alone carries them."""
        peer = self._peer(leg)
        self._hear_silence(leg)
        self.gates.pass_held(leg.direction)
        self._end_by(leg, "end of stream")
        if leg is self.upstream and self.upstream_hears:
            self.upstream_hears.ended()
        if not peer.open or peer.kept_back:
            return False
        if peer.heard_all:
            peer.close()
            return False
        if not peer.write_eof():
            # TLS cannot be half-closed here: let the server finish its answers first.
            self._last_answers = leg is self.client and self._answers_due
            if not self._last_answers:
                peer.close()
        return True

    def lost(self, leg: Leg, error: Exception | None) -> None:
        """The leg is closed; what was received from it goes out before the other one is closed too."""
        if isinstance(error, ssl.SSLError):
            # In TLS 1.3 a certificate is refused after our side of the handshake is done.
            self.end(
                Ending.FAILED, *(explain_client(error) if leg is self.client else explain(error, self.server_name))
            )
            if self.silent:
                self.hold("act")
        elif isinstance(error, Exception) and not isinstance(error, OSError):
            # What was being done with its bytes went wrong. Not in the fault's words: they may quote the traffic.
            self.end(Ending.FAILED, f"imaptap has a fault of its own: {type(error).__name__}.", "Please report this.")
        self._hear_silence(leg)
        self.gates.pass_held(leg.direction)
        self._end_by(leg, _reason(error))
        if leg is self.upstream and self.upstream_hears:
            self.upstream_hears.ended()
        if leg is self.client and error is None and self._answers_due:
            self._let_answer()
        elif not self._peer(leg).kept_back:
            self._peer(leg).close()
        self.gone()

    def _hear_silence(self, leg: Leg) -> None:
        """Whether this is a server that goes without a greeting."""
        if leg is self.upstream and self.silent and self.end_due is None and self.upstream_hears is None:
            self.hold("act")
            self.end(Ending.FAILED, *without_greeting(self.server_name))

    def gone(self) -> None:
        """A leg is closed; perhaps it was the last one."""
        done = all(leg.closed or leg.transport is None for leg in (self.client, self.upstream))
        if done and not self._over.done():
            self._over.set_result(None)

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

    def end(self, ending: Ending, reason: str, hint: str = "") -> None:
        """The session ends for this reason, if it has not ended for another one before (rule 7)."""
        if self.end_due is None:
            self.end_due = Due(None, ending=ending, reason=reason, hint=hint)
            self._due(self.end_due)

    def give_up(self) -> None:
        """What has come and did not go on will not: say so in the record. What still comes is of no use to anybody."""
        self.hold("end")
        self.gates.withhold()
        if self.upstream_hears:
            self._tap.withheld(Direction.SERVER, self.upstream_hears.heard_bytes)
            self.upstream_hears = None
        for leg in (self.client, self.upstream):
            for data in leg.take_kept():
                self._tap.overheard(leg.direction, data, leg.layer)
                self._tap.withheld(leg.direction, len(data))

    async def understood(self) -> None:
        """Wait until all that was said is understood."""
        done = asyncio.Event()
        self._tap.when_understood(done.set)
        await done.wait()

    def _let_answer(self) -> None:
        """The client has gone without its last answers (imaplib goes after BYE); the record may still have them."""
        if not self.upstream.kept_back:
            self._last_answers = True
            self.upstream.write_eof()
            self.upstream.free("peer")
            asyncio.get_running_loop().call_later(_LAST_ANSWERS_SECONDS, self.upstream.close)

    def _end_by(self, leg: Leg, reason: str) -> None:
        self.end(Ending.CLIENT if leg is self.client else Ending.SERVER, reason)

    def _due(self, due: Due) -> None:
        self._dues.append(due)
        if self._wakener and not self._wakener.done():
            self._wakener.set_result(None)

    def _peer(self, leg: Leg) -> Leg:
        return self.upstream if leg is self.client else self.client

    def _from_client(self, data: bytes) -> None:
        gate = self.gates.client
        if gate is None:
            self.upstream.write(data)
            self.gates.client_said(data)
            self._hear(Direction.CLIENT, data, self.client.layer)
        elif passed := self.gates.client_says(gate, data):
            self._need_act(passed, Direction.CLIENT)

    def _from_server(self, data: bytes) -> None:
        gate = self.gates.server
        if self.upstream_hears is not None:
            self._tap.heard(Direction.SERVER, data, self.upstream.layer)
            self.upstream_hears.heard(data)
        elif gate is None:
            self.client.write(data)
            self._hear(Direction.SERVER, data, self.upstream.layer)
            self.gates.server_said()
        elif passed := self.gates.server_says(gate, data):
            self._need_act(passed, Direction.SERVER)
        if self._last_answers:
            self._close_if_answered()

    def _need_act(self, passed: Passed, direction: Direction) -> None:
        self.hold("act")
        self._due(Due(passed, direction))

    def _close_if_answered(self) -> None:
        if self._last_answers and not self._answers_due:
            self.upstream.close()

    @property
    def _answers_due(self) -> bool:
        """Whether the server has something left to say, as far as we have understood what it was asked."""
        return self._tap.behind or self._tap.conversation.in_flight > 0

    def _hear(self, direction: Direction, data: bytes, layer: Layer) -> None:
        """Without gates nothing hangs on what the bytes mean, unless one may have to be raised again."""
        if self.gates.heed or self.upstream_hears:
            self._tap.heard(direction, data, layer)
        else:
            self._tap.overheard(direction, data, layer)

    def _tls_on_plain_port(self, leg: Leg, data: bytes) -> None:
        """M 6.15: a ClientHello (or what a TLS server answers to IMAP) where plain IMAP was expected."""
        self._tap.heard(leg.direction, data, leg.layer)
        self._tap.withheld(leg.direction, len(data))
        who, hint = ("client", "imaps:// listener") if leg is self.client else ("server", "imaps:// upstream URL")
        text = f"The {who} speaks TLS where IMAP in clear was expected."
        self._tap.event(EventKind.FAULT, "TLS on a plain port", text, leg.direction)
        self.hold("act")
        self.end(Ending.FAILED, text, f"Use an {hint}.")
        if self.upstream_hears:
            self.upstream_hears.ended()

    def _wait_for_recorder(self) -> None:
        """Rule 6: the recorder is behind, so the relay slows down instead of dropping anything."""
        self.hold(RECORDER)
        self._tap.when_drained(lambda: self.free(RECORDER))


def _reason(error: Exception | None) -> str:
    if error is None:
        return "connection closed"
    return ((isinstance(error, OSError) and error.strerror) or str(error) or type(error).__name__).lower()
