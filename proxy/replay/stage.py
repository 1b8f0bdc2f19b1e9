"""What the sessions of one user have in common while they are replayed, and what they report."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Protocol

from proxy.replay.whereabouts import Beginnings

if TYPE_CHECKING:
    from proxy.imap.mapping import Mapping
    from proxy.imap.transcript import Exchange
    from proxy.replay.login import Credentials
    from proxy.replay.pace import Pace
    from proxy.replay.values import Policy, Step


@dataclass(frozen=True, slots=True)
class Manner:
    """How to replay. `idle` is how many seconds an IDLE waits for news at most; `patience` how many may be silent."""

    policy: Policy
    pace: Pace
    flatten: bool = False
    idle: float = 2.0
    patience: float = 60.0


def open_gate() -> asyncio.Event:
    """One that nobody has to wait at."""
    gate = asyncio.Event()
    gate.set()
    return gate


class Report(Protocol):
    """Who is told what becomes of each step."""

    def step(self, step: Step, recorded: Exchange, replayed: Exchange | None) -> None:
        """What became of a recorded exchange; `replayed` is its counterpart, where one was sent."""
        ...

    def trouble(self, message: str, hint: str) -> None:
        """Something went wrong that people should read."""
        ...


@dataclass(slots=True)
class Account:
    """A user's side of the target: who logs in, and what is known of the names there.

    `credentials` are None where nobody has said who this is. `delimiter` and `prefix` are those of the personal
    namespace, once a session of his has `asked` for them.
    """

    credentials: Credentials | None
    mapping: Mapping
    delimiter: str | None = None
    prefix: str = ""
    asked: bool = False
    asking: asyncio.Lock = field(default_factory=asyncio.Lock)
    beginnings: Beginnings = field(default_factory=Beginnings)
