"""A log, read to its end or to where it is broken, and put into a store as a recording."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, NamedTuple

from imaptap import __version__
from imaptap.importing.hearing import IMPORTED, Hearing
from imaptap.importing.values import Begun, BrokenError, Over, Remark, Said, possible
from proxy.imap.letters.policy import Bodies, bodies_told
from proxy.imap.transcript import Ending, Event, EventKind, readable
from storage.keeping import dated, keep

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence
    from pathlib import Path

    from imaptap.importing.formats import Format
    from imaptap.importing.values import Statement
    from proxy.imap.transcript import Record
    from storage import Recording, Store

_FROM = f"{IMPORTED} from "
_NAMED_MOST = 4
"""Files that are named, where there are more."""
STOPPED = "stopped"
"""Name of the event that says where reading stopped."""


class Taken(NamedTuple):
    """What has become of a log; `stopped` says where it could not be read further, None if it was read to its end."""

    recording: Recording
    stopped: str | None


class NothingError(Exception):
    """There was no session in a log; its text is a clause that says why, or empty."""


def take_in(
    store: Store,
    form: Format,
    paths: Sequence[Path],
    name: str | None,
    progress: Callable[[int], object] = bool,
    bodies: Bodies = Bodies.FULL,
) -> Taken:
    """Make a recording called `name` (default: the time) of a log; `progress` is told of bytes that have been heard.
    `bodies` is what is kept of its letters.

    Where it is broken, what stands before that is kept. Raises NothingError, OSError, StorageError; then, as when it is
    interrupted, nothing is left of it.
    """
    taking = _Taking(form.title, paths, form.read(paths), progress, bodies)
    settings = f"{_FROM}{_origin(form.title, paths)}{bodies.told}"
    recording = keep(store, name, lambda begun: taking.records(begun.started), version=__version__, settings=settings)
    if taking.started is not None:
        recording = dated(store, recording, taking.started, taking.ended)
    return Taken(recording, taking.stopped)


def origin_of(recording: Recording) -> str | None:
    """What a recording was imported from; None where it was recorded."""
    settings = recording.settings.removesuffix(bodies_told(recording.settings).told)
    return settings.removeprefix(_FROM) if settings.startswith(_FROM) else None


def _origin(title: str, paths: Sequence[Path]) -> str:
    """What kind of log it was, and which files."""
    named = ", ".join(readable(os.fsencode(path)) for path in paths[:_NAMED_MOST])
    more = len(paths) - _NAMED_MOST
    return f"{title} {named}" + (f" and {more:,} more" if more > 0 else "")


class _Taking:
    """Hears all sessions of a log."""

    def __init__(
        self,
        title: str,
        paths: Sequence[Path],
        statements: Iterator[Statement],
        progress: Callable[[int], object],
        bodies: Bodies,
    ) -> None:
        self._bodies = bodies
        self._title, self._paths, self._statements, self._progress = title, paths, statements, progress
        self._open: dict[str, Hearing] = {}
        self._count = 0
        self.stopped: str | None = None
        self.started: int | None = None
        """When the first session began, and `ended` when the last word was said, where the log says so."""
        self.ended: int | None = None

    def records(self, now: int) -> Iterator[list[Record]]:
        """Everything, in parts. Raises NothingError."""
        try:
            for statement in self._statements:
                if records := self._heard(statement, now):
                    yield records
        except BrokenError as error:
            self.stopped = str(error)
        if not self._count:
            raise NothingError(self.stopped or "")
        for key in list(self._open):
            reason = "the log ends here" if self.stopped is None else f"the log cannot be read further: {self.stopped}"
            yield self._closed(Over(key, Ending.CUT, reason))
        if self.stopped is not None:
            yield [Event(None, 0, EventKind.NOTICE, STOPPED, self.stopped)]

    def _heard(self, statement: Statement, now: int) -> list[Record]:
        if isinstance(statement, Said):
            hearing = self._open[statement.key]
            hearing.said(statement)
            self._progress(len(statement.data))
            return hearing.take()
        if isinstance(statement, Over):
            return self._closed(statement) if statement.key in self._open else []
        if isinstance(statement, Remark):
            return self._remarked(statement)
        return self._begun(statement, now)

    def _begun(self, begun: Begun, now: int) -> list[Record]:
        self._count += 1
        origin = _origin(self._title, begun.source or self._paths)
        hearing = self._open[begun.key] = Hearing(self._count, begun, origin, now, self._bodies)
        if possible(begun.wall) is not None:
            self.started = hearing.wall if self.started is None else min(hearing.wall, self.started)
        return hearing.take()

    def _remarked(self, remark: Remark) -> list[Record]:
        if remark.key is None:
            return [Event(None, 0, EventKind.NOTICE, remark.name, remark.text)]
        hearing = self._open[remark.key]
        hearing.remark(remark)
        return hearing.take()

    def _closed(self, over: Over) -> list[Record]:
        hearing = self._open.pop(over.key)
        hearing.close(over)
        if self.started is not None:
            self.ended = max(hearing.last, self.ended or 0)
        return hearing.take()
