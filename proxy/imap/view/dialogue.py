"""Dialogues: exchanges whose every unit has been read by the grammar. What is replayed, and what is compared.

A dialogue holds no bodies: literals of BODY_MIN bytes or more are `Absent` in its values, and a `Literals` has them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Protocol

from proxy.imap.grammar import Command, Tagged

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.imap.grammar import Done, Parsed, Response, SaslLine
    from proxy.imap.state import Phase
    from proxy.imap.transcript import Certainty, Direction, Exchange
    from proxy.imap.units import Unit


class Ask(NamedTuple):
    """A client's unit: as it stood in its stream, and what it says. `at` is when its first byte came.

    Masked bytes in `unit` are those of secrets: `secret` tells whether there are any.
    """

    at: int
    unit: Unit
    parsed: Parsed[Command | Done] | Parsed[SaslLine]
    secret: bool = False


class Answer(NamedTuple):
    """A server's unit: when its last byte came, and what it says.

    `certainty` is how sure it is that it belongs here; `uid` is that of the message it is about, where it is known.
    `secret` tells whether any of its bytes are masked.
    """

    at: int
    parsed: Parsed[Response]
    certainty: Certainty
    uid: int | None = None
    secret: bool = False


class Before(NamedTuple):
    """What the session was when a command was sent.

    `mailbox` is the selected one (Unicode where its name decodes); `exists` how many messages it was known to have;
    `capabilities` the words in force, in capitals; `enabled` what ENABLE has turned on; `open` the numbers of the
    exchanges that were still in flight.
    """

    phase: Phase
    mailbox: str | None = None
    read_only: bool | None = None
    exists: int | None = None
    uidvalidity: int | None = None
    capabilities: frozenset[str] = frozenset()
    enabled: frozenset[str] = frozenset()
    open: tuple[int, ...] = ()


class Dialogue(NamedTuple):
    """An exchange, its units in the order in which they were said, and what the session was before it.

    `asks` begins with the command itself; what follows are lines of SASL, or DONE. `news` is what the server had said
    of its own accord since the dialogue before this one, the greeting among it. `left_out` is how many answers, all but
    the last one, are not among its answers: they were too many to be kept.
    """

    exchange: Exchange
    asks: tuple[Ask, ...]
    answers: tuple[Answer, ...]
    before: Before
    news: tuple[Answer, ...] = ()
    left_out: int = 0

    @property
    def command(self) -> Command | None:
        """The command, where the grammar could read it."""
        value = self.asks[0].parsed.value if self.asks else None
        return value if isinstance(value, Command) else None

    @property
    def completion(self) -> Tagged | None:
        """The tagged answer, where it came and could be read."""
        value = self.answers[-1].parsed.value if self.answers else None
        return value if isinstance(value, Tagged) else None


class Literals(Protocol):
    """The contents of literals that lie elsewhere, of one session. `start` is a literal's offset in its stream."""

    def content(self, direction: Direction, start: int, size: int) -> Iterator[bytes] | None:
        """All of its bytes, in parts; None where they were not kept, or not all of them, or some are masked."""
        ...

    def digest(self, direction: Direction, start: int, size: int) -> str | None:
        """A hash of its content: "blake3:" and hex digits, or "sha256:" where nothing else is known of it.

        None where nobody knows it.
        """
        ...

    def sha256(self, direction: Direction, start: int, size: int) -> str | None:
        """Its SHA-256, hex: for comparing with one that was not kept. None where nobody knows it."""
        ...
