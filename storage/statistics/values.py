"""What is counted, and what comes out. All times are microseconds, all sizes bytes as received."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proxy.imap.transcript import Exchange
    from storage.values import Session


class Letter(NamedTuple):
    """A literal of BODY_MIN bytes or more that a server sent; `key` is the same where its bytes are."""

    key: int
    length: int


class Fact(NamedTuple):
    """One exchange as it is counted: `sent` is when the last byte came that its client has sent for it.

    `client_units` counts the client's lines in it: the command, and each SASL line or DONE. One that is not `chosen` is
    not counted; it may have changed what others ask.
    """

    exchange: Exchange
    sent: int
    client_units: int
    letters: tuple[Letter, ...] = ()
    chosen: bool = True


class Told(NamedTuple):
    """The exchanges of one session in the order in which they began.

    `news` are the times, rising, at which the server said something while no command was open; `end` is when the
    session ended, None while it is open.
    """

    session: Session
    facts: Iterable[Fact]
    news: Iterable[int]
    end: int | None


@dataclass(frozen=True, slots=True)
class Durations:
    """How long some things took, of `count` things; None where there are none. `exact`: else within 1 %."""

    count: int
    total: int
    p50: int | None
    p90: int | None
    p99: int | None
    longest: int | None
    exact: bool


@dataclass(frozen=True, slots=True)
class Repeats:
    """Commands that were sent again though nothing had changed: how many, and what they took."""

    count: int = 0
    took: int = 0


class Fetched(NamedTuple):
    """What was fetched again: literals with bytes seen before, sections of messages asked for before, bytes in all."""

    letters: int = 0
    sections: int = 0
    wasted: int = 0


@dataclass(frozen=True, slots=True)
class Commands:
    """All exchanges of one command, or of all ("").

    `unfinished` ones (open or incomplete) are in `count` and the bytes, and in nothing else. `waited` is the sum of
    what each waited for the server once it was sent; IDLE has neither latency nor that.
    """

    command: str
    count: int
    refused: int
    unfinished: int
    latency: Durations
    waited: int
    client_bytes: int
    server_bytes: int
    round_trips: int
    repeats: Repeats
    fetched: Fetched


class Division(NamedTuple):
    """The time of sessions, each moment once."""

    opening: int = 0
    server: int = 0
    sending: int = 0
    idle: int = 0
    client: int = 0

    @property
    def total(self) -> int:
        """From the opening of the session to its end."""
        return sum(self)


class Pipelining(NamedTuple):
    """Commands in flight, IDLE not counted: most at once; `area` is the sum of the time each was in flight, `busy` the
    time in which any was."""

    most: int = 0
    area: int = 0
    busy: int = 0

    @property
    def mean(self) -> float | None:
        """Over the time in which any was in flight; None where none was."""
        return self.area / self.busy if self.busy else None


class Idling(NamedTuple):
    """IDLE: how long each lasted, how many heard any news, how much news, the longest time from DONE to the next."""

    lasted: Durations
    woken: int
    news: int
    longest_gap: int | None


class Summary(NamedTuple):
    """A session, or all of them: `session` is None then."""

    session: Session | None
    sessions: int
    all: Commands
    division: Division
    pipelining: Pipelining
    idling: Idling


class Slow(NamedTuple):
    """One of the exchanges that took longest."""

    session: Session
    exchange: Exchange
    took: int


class Statistics(NamedTuple):
    """All that was counted: in all, by command (most time first), by session if that was asked for, and the slowest."""

    summary: Summary
    commands: tuple[Commands, ...]
    sessions: tuple[Summary, ...]
    slowest: tuple[Slow, ...]
