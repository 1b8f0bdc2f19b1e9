"""A recorded session as it is played: what is known of it before its first command is sent."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from proxy.imap.view.dialogue import Dialogue, Literals


class Moment(NamedTuple):
    """When a step was sent and when it was answered, microseconds since 1970 UTC; `ended` is None where it was not."""

    number: int
    command: str
    started: int
    ended: int | None


@dataclass(frozen=True, slots=True)
class Part:
    """One session. `dialogues` gives its exchanges in the order of their numbers, each time from the first one on.

    `began` and `ended` are microseconds since 1970 UTC. `user` is who logged in, None where that is not known (SASL)
    or nobody did; `logs_in`: whether somebody did; `starttls`: whether it went over to TLS itself.
    """

    number: int
    began: int
    ended: int
    user: str | None
    logs_in: bool
    starttls: bool
    moments: tuple[Moment, ...]
    dialogues: Callable[[], Iterable[Dialogue]]
    literals: Literals
