"""Exchanges as they are counted, in short."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxy.imap.transcript import Ending, Outcome
from storage.statistics.values import Fact, Letter, Told
from storage.values import Recording, Session
from tests.storage.scenes import WALL, exchange

if TYPE_CHECKING:
    from collections.abc import Iterable

RECORDING = Recording(1, "told", WALL, WALL, WALL, "host", 1, "0", "")


def fact(
    started: int, sent: int, ended: int | None, command: str = "NOOP", arguments: str = "", *,
    units: int = 1, letters: tuple[Letter, ...] = (), chosen: bool = True, **changes: Any,
) -> Fact:  # fmt: skip
    """An exchange that has no responses and no marks, unless told otherwise."""
    told: dict[str, Any] = {"responses": (), "marks": (), "outcome": Outcome.COMPLETED if ended else Outcome.OPEN}
    told |= {"status": "OK" if ended else None, **changes}
    value = exchange(1, command=command, arguments=arguments, started=started, ended=ended, **told)
    return Fact(value, sent, units, letters, chosen)


def said(command: str, arguments: str = "", **changes: Any) -> Fact:
    """One whose times do not matter."""
    return fact(10, 11, 20, command, arguments, **changes)


def session(number: int = 1, end: int | None = None) -> Session:
    return Session(number, RECORDING, number, WALL, end, "c", "l", "u", Ending.CLIENT if end else None, None, 0, 0)


def told(facts: Iterable[Fact], *, number: int = 1, end: int | None = None, news: Iterable[int] = ()) -> Told:
    return Told(session(number, end), facts, news, end)
