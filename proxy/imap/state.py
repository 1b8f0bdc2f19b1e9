"""What a session has become: authenticated or not, which mailbox, what the server can (RFC 9051 section 3)."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field

from proxy.imap.transcript import Layer


class Phase(enum.StrEnum):
    """RFC 9051 section 3, with the time before the greeting."""

    CONNECTED = "connected"
    NOT_AUTHENTICATED = "not authenticated"
    AUTHENTICATED = "authenticated"
    SELECTED = "selected"
    LOGOUT = "logout"


@dataclass(slots=True)
class SessionState:
    """Follows completions and greetings. Capabilities seen in clear do not survive TLS (M 6.8)."""

    phase: Phase = Phase.CONNECTED
    mailbox: str | None = None
    capabilities: frozenset[str] = frozenset()
    capabilities_layer: Layer = Layer.PLAIN
    enabled: set[str] = field(default_factory=set[str])

    @property
    def authenticated(self) -> bool:
        """Whether a login (or PREAUTH) has succeeded."""
        return self.phase in {Phase.AUTHENTICATED, Phase.SELECTED}

    def greet(self, status: str) -> None:
        """The greeting has come: OK, PREAUTH or BYE (M 2.15, 6.17)."""
        self.phase = {"PREAUTH": Phase.AUTHENTICATED, "BYE": Phase.LOGOUT}.get(status, Phase.NOT_AUTHENTICATED)

    def learn_capabilities(self, words: bytes, layer: Layer) -> None:
        """A capability list was seen on this layer."""
        self.capabilities = frozenset(words.decode("ascii", "backslashreplace").upper().split())
        self.capabilities_layer = layer

    def switch_to_tls(self) -> None:
        """STARTTLS has succeeded: forget what was said in clear (RFC 9051 section 6.2.1)."""
        self.capabilities = frozenset()

    def complete(self, command: str, status: str, mailbox: str | None) -> None:
        """A command has ended with OK, NO or BAD (M 3.12, 6.17)."""
        if command in {"SELECT", "EXAMINE"}:
            self._select(status, mailbox)
        elif command == "LOGOUT" and status in {"OK", "BYE"}:
            self.phase, self.mailbox = Phase.LOGOUT, None
        elif status != "OK":
            return
        elif command in {"LOGIN", "AUTHENTICATE"}:
            self.phase = Phase.AUTHENTICATED
        elif command in {"CLOSE", "UNSELECT"}:
            self._unselect()
        elif command == "UNAUTHENTICATE":
            self.phase, self.mailbox = Phase.NOT_AUTHENTICATED, None
            self.enabled.clear()

    def _select(self, status: str, mailbox: str | None) -> None:
        if status == "OK":
            self.phase, self.mailbox = Phase.SELECTED, mailbox
        elif status == "NO":
            self._unselect()

    def _unselect(self) -> None:
        self.mailbox = None
        if self.phase is Phase.SELECTED:
            self.phase = Phase.AUTHENTICATED
