"""A session's gates at work: what is said goes through them before it may go on, as long as they stand.

The gates themselves (`proxy.imap.gate`) know the language only. What must be done because of what they have seen is the
session's; it is told through the relay.
"""

from __future__ import annotations

from proxy.imap.capabilities import Scram
from proxy.imap.gate import Act, ClientGate, Passed, ServerGate
from proxy.imap.state import Phase
from proxy.imap.transcript import Direction
from proxy.live.leg import Leg
from proxy.live.notices import Notices
from proxy.live.tap import Tap

_LOOKED_AT = 4096
_SCRAM_HIDDEN = (
    "The server offers channel-bound SCRAM, which no middleman can pass: all SCRAM words are hidden from the client.",
    "The client falls back to another mechanism; --scram pass leaves the words as they are.",
)


class Gates:
    """At most one gate in each direction. Whoever sets them decides when; here they go again, and perhaps come back."""

    def __init__(self, client_leg: Leg, upstream_leg: Leg, tap: Tap, notices: Notices) -> None:
        self.client: ClientGate | None = None
        """What the client says has to pass it."""
        self.server: ServerGate | None = None
        self._client_leg, self._upstream_leg = client_leg, upstream_leg
        self._tap = tap
        self._notices = notices
        self._dropped: ServerGate | None = None
        self._wary = False
        """Whether UNAUTHENTICATE was offered or sent (RFC 8437), after which capabilities would be listed again."""

    @property
    def heed(self) -> bool:
        """Whether what goes by is looked at before anything else may go by. That takes time."""
        return bool(self.client or self.server or self._wary)

    def client_says(self, gate: ClientGate, data: bytes) -> Passed | None:
        """Pass on what the client says as far as it may go on. Returns what is left to be done, if anything."""
        gate.authenticated = self._tap.conversation.state.authenticated
        passed = gate.receive(data)
        self._upstream_leg.write(passed.forward)
        again = passed.rest if passed.act is Act.DENY else b""
        self._tap.heard(Direction.CLIENT, data[: len(data) - len(again)], self._client_leg.layer)
        if passed.act is Act.RELAY and self.server:
            self.server.starttls_tag = passed.tag
            return None
        self._client_leg.keep(again)
        return None if passed.act is Act.NONE else passed

    def server_says(self, gate: ServerGate, data: bytes) -> Passed | None:
        """The same for the server's words."""
        tap = self._tap
        gate.compress_tag = tap.conversation.compressing
        gate.rewriter.authenticated = tap.conversation.state.authenticated
        awaited = gate.starttls_tag
        passed = gate.receive(data)
        self._client_leg.write(passed.forward)
        tap.heard(Direction.SERVER, data, self._upstream_leg.layer)
        for rewrite in passed.rewrites:
            tap.rewrote(Direction.SERVER, rewrite)
        if gate.rewriter.plus_seen and gate.rewriter.words.scram is Scram.AUTO:
            self._notices.once(*_SCRAM_HIDDEN)
        if self.client:
            if passed.act is Act.NONE and awaited and gate.starttls_tag is None:
                self.client.settled()
            if tap.conversation.awaits_command:
                self.client.literal_refused()
        self._drop(gate)
        return None if passed.act is Act.NONE else passed

    def client_said(self, data: bytes) -> None:
        """This has gone to the server without a gate: may it have to be raised again?"""
        if self._dropped and not self._wary:
            self._wary = self._tap.offered("UNAUTHENTICATE") or b"UNAUTH" in data[:_LOOKED_AT].upper()

    def server_said(self) -> None:
        """The server was heard without a gate. UNAUTHENTICATE may have brought the time before login back (RFC 8437).

        Mechanisms will be listed again then.
        """
        dropped = self._dropped
        if self._wary and dropped and self._tap.conversation.state.phase is Phase.NOT_AUTHENTICATED:
            self._dropped = None
            self.server = ServerGate(dropped.rewriter.words, self._tap.conversation.received(Direction.SERVER))
            self.server.rewriter.plus_seen = dropped.rewriter.plus_seen

    def pass_held(self, direction: Direction) -> None:
        """No more comes from there: an unfinished line that its gate holds back goes on as it is."""
        if direction is Direction.CLIENT and self.client:
            self._upstream_leg.write(self.client.flush())
        elif direction is Direction.SERVER and self.server:
            self._client_leg.write(self.server.flush())

    def withhold(self) -> None:
        """What gates hold back will not go on: say so in the record."""
        for direction, gate in ((Direction.CLIENT, self.client), (Direction.SERVER, self.server)):
            if gate:
                self._tap.withheld(direction, len(gate.flush()))

    def open(self) -> None:
        """What comes now is compressed or encrypted: no gate can read it, and none may hold any of it back."""
        if self.client and self.client.tls_required:
            return
        for direction in Direction:
            self.pass_held(direction)
        self.client = self.server = self._dropped = None

    def _drop(self, gate: ServerGate) -> None:
        """Once nothing is left to rewrite, bytes go first and are looked at afterwards."""
        state = self._tap.conversation.state
        words = gate.rewriter.words
        scram_lasts = words.scram is Scram.AUTO and gate.rewriter.plus_seen
        if gate.done or (state.authenticated and self.client is None and not words.lasting and not scram_lasts):
            self._client_leg.write(gate.flush())
            self.server = None
            self._dropped = None if gate.done else gate
