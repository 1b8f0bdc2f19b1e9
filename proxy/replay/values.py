"""What a replay decides, step by step, and what became of it. A step is a recorded command that is to be sent again."""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proxy.imap.grammar import Command
    from proxy.imap.units import Unit


class Fate(enum.StrEnum):
    """What became of a step."""

    SENT = "sent"
    SKIPPED = "skipped"
    NOT_REACHED = "not reached"
    """A step that it depends on was answered otherwise than when it was recorded."""
    CUT = "cut"
    """It was sent, and no whole answer came: the connection was lost, or the replay was stopped."""


@dataclass(frozen=True, slots=True)
class Send:
    """What is to be sent for a step: the command with its new tag, and everything in it mapped.

    Literals without `content` are sent from the recording: `start` is their offset in the recorded client's stream.
    `changes` says for people what is not as it was recorded, as in "UID 4 → 17". `command` is what the unit says, where
    that is known without reading it.
    """

    unit: Unit
    changes: tuple[str, ...] = ()
    command: Command | None = None


@dataclass(frozen=True, slots=True)
class Skip:
    """Why a step is not sent: a sentence without a full stop, as in "the target has no MOVE"."""

    reason: str
    fate: Fate = Fate.SKIPPED


Decision = Send | Skip


@dataclass(frozen=True, slots=True)
class Policy:
    """What the person who replays wants.

    `write`: commands that change mail may be sent (M 9.13). `strict`: so are those whose capability the target lacks.
    `any_state`: a mailbox may have another number of messages than it had when it was recorded (M 8.2).
    `names` are mailboxes that the person has mapped by hand, recorded name to the target's.
    """

    write: bool = False
    strict: bool = False
    any_state: bool = False
    names: dict[str, str] = field(default_factory=dict[str, str])


@dataclass(frozen=True, slots=True)
class Target:
    """What is known of the server that is replayed to, right before a step of one session.

    Capability words in capitals. `delimiter` and `prefix` are those of its personal namespace; `mailbox` is the one
    that is selected there (Unicode), `exists` its number of messages.
    """

    capabilities: frozenset[str]
    enabled: frozenset[str] = frozenset()
    delimiter: str | None = None
    prefix: str = ""
    mailbox: str | None = None
    exists: int | None = None


@dataclass(frozen=True, slots=True)
class Step:
    """What became of a recorded exchange. `exchange` is its counterpart in the new recording, 0 where there is none.

    `status` is what the target answered ("OK"), None where it did not.
    """

    session: int
    recorded: int
    fate: Fate
    exchange: int = 0
    status: str | None = None
    reason: str = ""
    changes: tuple[str, ...] = ()
