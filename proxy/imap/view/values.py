"""What goes into a `SessionView`, and the states that come out of it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from proxy.imap.grammar import Tagged
from proxy.imap.transcript import readable

if TYPE_CHECKING:
    from proxy.imap.grammar import Parsed
    from proxy.imap.grammar.commands import Command, Done
    from proxy.imap.grammar.responses import Response
    from proxy.imap.grammar.sasl import SaslLine
    from proxy.imap.grammar.sets import SequenceSet
    from proxy.imap.state import Phase
    from proxy.imap.transcript import Certainty, Direction, Exchange, Layer
    from proxy.imap.view.numbers import Numbers


class Said(NamedTuple):
    """A unit as it was recorded: who said it, when (microseconds since the session opened), and whose it is.

    `others` names the exchanges that were open beside `exchange`, where it is ambiguous.
    """

    direction: Direction
    at: int
    layer: Layer
    exchange: Exchange | None
    certainty: Certainty
    others: tuple[int, ...]
    parsed: Parsed[Response] | Parsed[Command | Done] | Parsed[SaslLine]

    @property
    def completes(self) -> bool:
        """Whether it ends its exchange. Any line of two words reads like a tag and a status: so the tag must fit."""
        value, exchange = self.parsed.value, self.exchange
        return isinstance(value, Tagged) and exchange is not None and readable(value.tag).startswith(exchange.tag)


class Change(NamedTuple):
    """How a list of capabilities differs from the last one known; `first` where there was none."""

    added: tuple[str, ...]
    removed: tuple[str, ...]
    first: bool


class Heard(NamedTuple):
    """What a unit turned out to be.

    `exchange` is the number of the exchange that it belongs to, None for none, and `certainty` how sure that is, now
    that the whole unit has been read; `reason` says what it was read from where that differs from the recording.
    `uid` is that of the message it is about, where it is known; `gone` is how many messages went by it.
    """

    exchange: int | None
    certainty: Certainty
    reason: str = ""
    uid: int | None = None
    gone: int = 0
    change: Change | None = None


class Capabilities(NamedTuple):
    """A list of capabilities: words in capitals, what told it ("greeting", "CAPABILITY", "OK to LOGIN"), and when.

    `trusted` is False for what was said in clear before TLS began (RFC 9051 section 6.2.1, M 6.8).
    """

    source: str
    words: tuple[str, ...]
    at: int
    trusted: bool


class SavedSearch(NamedTuple):
    """`$`: the exchange that saved it, how many messages it holds and which, as far as that was told (RFC 5182)."""

    exchange: int
    uid: bool
    size: int | None
    messages: SequenceSet | None


@dataclass(frozen=True, slots=True)
class MailboxState:
    """The selected mailbox. What has not been told is None."""

    name: str
    read_only: bool | None
    exists: int | None
    recent: int | None
    uidvalidity: int | None
    uidnext: int | None
    highestmodseq: int | None
    mailboxid: str | None
    flags: tuple[str, ...] | None
    permanent_flags: tuple[str, ...] | None
    numbers: Numbers
    """Which messages have a known UID: a copy, four bytes a message."""


@dataclass(frozen=True, slots=True)
class State:
    """A session at one moment. `capabilities` holds the last list of each source, the one in force last."""

    at: int
    phase: Phase
    mechanism: str | None
    user: str | None
    layers: str
    mailbox: MailboxState | None
    capabilities: tuple[Capabilities, ...]
    enabled: tuple[str, ...]
    saved: SavedSearch | None
    contexts: tuple[tuple[str, int], ...]
    """Searches that are kept up to date, by tag and number of their exchange (RFC 5267)."""
    notify: int | None
    """The exchange whose NOTIFY is in force (RFC 5465)."""
    idle: int | None
    """The exchange that idles."""
    open: tuple[int, ...]
