"""What a portrait is made of, and what it consists of."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from proxy.imap.units import Unit


class Situation(enum.StrEnum):
    """What a client is about when it sends a command."""

    GENERAL = "in general"
    CONNECT = "connecting"
    MAILBOXES = "looking at mailboxes"
    OPEN = "opening a mailbox"
    READ = "reading a message"
    NEWS = "new mail"
    IDLE = "waiting"
    SAVE = "sending and saving"
    MARK = "marking"
    DELETE = "deleting and moving"
    LEAVE = "leaving"
    OTHER = "anything else"


@dataclass(frozen=True, slots=True)
class Told:
    """What the server said of how many messages there are, in sum, however often it did.

    `gone` went before it gave a number; `first` and `last` are the first number and what it has come to, None where it
    gave none; `grown`: whether a number was larger than what there was between it and `first`.
    """

    gone: int = 0
    first: int | None = None
    last: int | None = None
    grown: bool = False

    def exist(self, number: int) -> Told:
        """With so many there (EXISTS)."""
        if self.last is None:
            return replace(self, first=number, last=number)
        return replace(self, last=number, grown=self.grown or number > self.last)

    def go(self, number: int) -> Told:
        """With so many fewer (EXPUNGE, VANISHED)."""
        if self.last is None:
            return replace(self, gone=self.gone + number)
        return replace(self, last=self.last - number)


NOTHING: Final = Told()


@dataclass(frozen=True, slots=True)
class Step:
    """A command of the client, and what a portrait needs of its exchange.

    `name` is in capitals, UID in front where it was; `unit` the command as it was sent, its large literals absent;
    times are microseconds since the session began; `done` is when DONE was said; `told` what the server said of
    messages until the next command.
    """

    name: str
    unit: Unit
    started: int
    ended: int | None
    status: str | None
    done: int | None = None
    told: Told = NOTHING


@dataclass(frozen=True, slots=True)
class Talk:
    """A session. `opened` and `closed` are microseconds since 1970, `closed` None while it is open.

    `tls` says how it was secured. `offered` are the capability words that reached the client, in capitals; `withheld`
    those that imaptap took out. `by_client`: whether the client ended it. `whole`: whether all its commands are here.
    """

    opened: int
    closed: int | None
    tls: str
    offered: frozenset[str]
    withheld: frozenset[str]
    steps: tuple[Step, ...]
    by_client: bool = True
    whole: bool = True


@dataclass(frozen=True, slots=True)
class Fact:
    """A sentence. What was `measured` depends on the mailbox and the day too, and is not compared."""

    text: str
    measured: bool = False


@dataclass(frozen=True, slots=True)
class Block:
    """Commands that follow each other in this order, once or again and again: between `least` and `most` times.

    With `pipelined`, some were sent before the answer to the one before had come.
    """

    forms: tuple[str, ...]
    least: int = 1
    most: int = 1
    pipelined: bool = False


@dataclass(frozen=True, slots=True)
class Way:
    """A sequence of commands, and how often it was seen."""

    blocks: tuple[Block, ...]
    times: int


@dataclass(frozen=True, slots=True)
class Traits:
    """What a client does in one situation. Neither facts nor ways: it was not seen.

    `ways` begins with the most frequent one; `others` counts sequences for which there was no room.
    """

    situation: Situation
    facts: tuple[Fact, ...]
    ways: tuple[Way, ...]
    others: int = 0

    @property
    def seen(self) -> bool:
        """Whether the client was seen in this situation."""
        return bool(self.facts or self.ways)


@dataclass(frozen=True, slots=True)
class Portrait:
    """A client. Capabilities: used though offered, offered and ignored, offered but of no use to see, used unoffered,
    taken out by imaptap. `steps` is how many commands it was made of.
    """

    sessions: int
    steps: int
    traits: tuple[Traits, ...]
    used: tuple[str, ...]
    ignored: tuple[str, ...]
    silent: tuple[str, ...]
    unoffered: tuple[str, ...]
    withheld: tuple[str, ...]
