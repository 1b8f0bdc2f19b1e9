"""What is served: recorded sessions cut into steps, and what is to be done with the client's connection."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from proxy.imap.units import Unit
    from proxy.replay.asked import Asked, Place


class Kind(enum.Enum):
    """What a line of the server's is."""

    UNTAGGED = enum.auto()
    NEWS = enum.auto()
    """Untagged, and an answer to nothing: it came of the server's own accord."""
    CONTINUATION = enum.auto()
    COMPLETION = enum.auto()


class Line(NamedTuple):
    """A unit of the server's stream, literals included: its place there, and microseconds since what came before it.

    `varying` are the places within it where not the recorded bytes are due, but those that the client has said.
    """

    start: int
    end: int
    wait: int
    kind: Kind
    varying: tuple[Place, ...] = ()


class Step(NamedTuple):
    """A recorded command and what was said to it.

    `mailbox` was selected before it, `after` when the next one was sent; `news` came since the step before this one.
    `status` is that of the completion, None where there was none. `logged_in`: whether the client was when it asked,
    which was at `at`, in microseconds since 1970 UTC. `capabilities` is what it had been told by then.
    """

    number: int
    asked: Asked
    lines: tuple[Line, ...]
    news: tuple[Line, ...]
    mailbox: str | None
    after: str | None
    logged_in: bool
    status: str | None
    at: int
    capabilities: frozenset[str]


@dataclass(frozen=True, slots=True)
class Scene:
    """A recorded session. `read` gives the bytes of its server's stream between two offsets, in parts.

    `greeting` is what the server said before the first command, `rest` what it said after the last; `hangs_up`: whether
    it was the server who closed. `user` is who logged in, where that is known.
    """

    number: int
    user: str | None
    greeting: tuple[Line, ...]
    steps: tuple[Step, ...]
    rest: tuple[Line, ...]
    hangs_up: bool
    read: Callable[[int, int], Iterator[bytes]]


class Repeat(enum.StrEnum):
    """What a command gets that is asked more often than it was recorded."""

    NEVER = "never"
    LAST = "last"
    LOOP = "loop"


class Found(NamedTuple):
    """A step that answers a command, its session, and the steps before it that nobody has asked for."""

    scene: Scene
    step: Step
    left_out: tuple[Step, ...] = ()


class Say(NamedTuple):
    """Send these bytes."""

    data: bytes


class Play(NamedTuple):
    """Send a recorded line; a completion gets this tag in the place of its own.

    `apart`: even without recorded pauses it comes a moment after what came before, as news in an IDLE does: clients
    that read "+" and wait for their socket then would not see what had come along with it. `said` is what the
    client has said where the recording varies, by name.
    """

    scene: Scene
    line: Line
    tag: bytes
    apart: bool = False
    said: tuple[tuple[str, bytes], ...] = ()


class Several(NamedTuple):
    """Send these lines, one after another: an answer may have millions, which are made when their turn comes."""

    plays: Iterator[Play]


class Plain(enum.Enum):
    """What else may be done."""

    HURRY = enum.auto()
    """What came of the server's own accord and still waits for its time waits no longer."""
    DEFLATE = enum.auto()
    """From here on both directions are compressed (RFC 4978)."""
    CLOSE = enum.auto()
    SELECTS = enum.auto()
    """What is said from here on is about another mailbox."""


@dataclass(slots=True)
class Ask:
    """Ask a server what nothing recorded answers, and note here what came of it before more is asked for.

    `unit` is the command with this tag, or None for a login; `shown` is either without its secrets. `logged_in`:
    whether somebody has, or does so now.
    """

    tag: bytes
    shown: str
    unit: Unit | None
    logged_in: bool
    taken: bool = False
    """Whether it is the server that answers from here on, to the end of the session."""
    refusal: str = "the connection was over before the server had answered"
    """Why it could not be asked; nothing if it was."""


class Pass(NamedTuple):
    """Send these bytes to the server that has taken the session over."""

    data: bytes


Act: TypeAlias = Say | Play | Several | Plain | Ask | Pass
