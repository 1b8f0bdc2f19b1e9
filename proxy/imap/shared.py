"""What the two directions of a conversation share."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from proxy.imap.exchanges import Book
from proxy.imap.letters.policy import Bodies
from proxy.imap.state import SessionState
from proxy.imap.transcript import Event, EventKind, Record
from proxy.imap.vault import Vault


@dataclass(slots=True)
class Shared:
    """One session's state, known to its client side and its server side."""

    session: int
    put: Callable[[Record], None]
    book: Book
    state: SessionState
    vault: Vault
    bye: bool = False
    """Whether the server has said BYE outside of LOGOUT (M 3.14)."""
    compressed: bool = False
    """Whether COMPRESS has just been answered OK: the next byte of each direction is deflated (RFC 4978)."""
    deflated: bool = False
    """Whether both directions are deflated: a second COMPRESS changes nothing (RFC 4978 section 3)."""
    layered: bool = False
    """Whether a SASL mechanism that may bring a security layer has succeeded (M 4.8)."""

    bodies: Bodies = Bodies.FULL
    """What is kept of letters."""
    doubtful: bool = False
    """Whether the client has said what is no command, so that what follows may be a letter (`proxy.imap.letters`)."""

    def event(self, at: int, kind: EventKind, name: str, text: str = "") -> None:
        """Put an event of this session on record."""
        self.put(Event(self.session, at, kind, name, text))
