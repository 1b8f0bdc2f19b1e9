"""What goes from one stage of a comparison to the next."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from storage.diff.rules import Rules

if TYPE_CHECKING:
    from storage import Recording, Session


class Step(NamedTuple):
    """The numbers of an exchange and of its counterpart; None where there is none.

    `near`: their commands are about the same. `reason` says why a replay did not send it.
    """

    left: int | None
    right: int | None
    moved: bool = False
    near: bool = False
    reason: str = ""


class Pairing(NamedTuple):
    """Two sessions. `replayed`: the right one is a replay of the left one."""

    left: Session | None
    right: Session | None
    replayed: bool = False


@dataclass(frozen=True, slots=True)
class Group:
    """Pairs of sessions that share what is learned about names and UIDs: those of one user, in their order."""

    pairs: tuple[tuple[int, Pairing], ...]
    """Each with its place among all."""
    size: int = 0


@dataclass(frozen=True, slots=True)
class Chosen:
    """A side: a recording, or one session of it."""

    recording: Recording
    session: Session | None = None

    @property
    def address(self) -> str:
        """How people name it."""
        return self.recording.name if self.session is None else f"{self.recording.name}/{self.session.number}"


@dataclass(frozen=True, slots=True)
class Task:
    """All that a process needs to compare a group: the database, and the rules."""

    db: str
    rules: Rules = field(default_factory=Rules)
    learn: bool = False
    """Whether what differs is to be learned as noise; nothing else is wanted then."""
