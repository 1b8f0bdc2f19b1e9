"""Whether what is stored is whole and agrees with itself. Nothing is changed, and no more than some rows are in memory.

Each session is looked at in one snapshot, so a recorder that is writing does not make it look wrong.
"""

from __future__ import annotations

import functools
from dataclasses import replace
from typing import TYPE_CHECKING

from sqlalchemy import select

from storage import read, tables
from storage.check.database import bodies_after, body_findings, orphan_findings, sqlite_findings
from storage.check.finding import Finding, Flaw
from storage.check.session import session_findings
from storage.check.stream import left_out
from storage.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from sqlalchemy import Connection

    from storage.store import Store
    from storage.values import Recording

__all__ = ["Check", "Finding", "Flaw"]

_session = tables.session.c


class Check:
    """A check of some recordings and their bodies; of all of them, and then of the database as a whole too."""

    def __init__(self, store: Store, recordings: Sequence[Recording] | None = None) -> None:
        self.recordings = tuple(recordings or ())
        """The recordings that are looked at; where it is all of them, they are known when `findings` has begun."""
        self.sessions = 0
        """How many sessions were looked at, as far as `findings` has come."""
        self.bodies = 0
        """The same of bodies."""
        self.left_out = 0
        """How many literals of these sessions were not kept, so that nobody can look at their bytes."""
        self._store = store
        self._only = None if recordings is None else [recording.id for recording in recordings]

    def findings(self) -> Iterator[Finding]:
        """All that is wrong. What cannot be read at all is a finding too."""
        if self._only is None:
            yield from self._look(sqlite_findings, Finding(Flaw.DATABASE, ""))
            yield from self._look(orphan_findings, Finding(Flaw.DATABASE, ""))
            yield from self._look(self._all_recordings, Finding(Flaw.DATABASE, ""))
        for recording in self.recordings:
            about = Finding(Flaw.SESSION, "", recording)
            keys: list[int] = []
            yield from self._look(functools.partial(_list, recording, keys), about)
            for key in keys:
                self.sessions += 1
                yield from self._look(functools.partial(self._one, recording, key), about)
        more = [0]
        while more:  # empty where there are none, or where nothing can be read
            last, more = more[0], []
            yield from self._look(functools.partial(self._some_bodies, last, more), Finding(Flaw.BODY, ""))

    def _all_recordings(self, connection: Connection) -> Iterator[Finding]:
        self.recordings = tuple(read.recordings(connection))
        return iter(())

    def _one(self, recording: Recording, key: int, connection: Connection) -> Iterator[Finding]:
        self.left_out += left_out(connection, key)
        row = connection.execute(select(tables.session).where(_session.id == key)).first()
        return session_findings(connection, recording, row) if row else iter(())

    def _some_bodies(self, last: int, more: list[int], connection: Connection) -> Iterator[Finding]:
        """Look at a few bodies behind the one with key `last`; leave the key of the last one of them in `more`."""
        for row in bodies_after(connection, last, self._only):
            more[:] = [row.id]
            self.bodies += 1
            yield from body_findings(connection, row, self._store.hashing())

    def _look(self, look: Callable[[Connection], Iterator[Finding]], about: Finding) -> Iterator[Finding]:
        try:
            with self._store.snapshot() as connection:
                yield from look(connection)
        except StorageError as error:
            yield replace(about, text=f"it cannot be read: {error}")
        except (TypeError, ValueError) as error:  # SQLite keeps any kind of value in any column
            yield replace(about, text=f"it has a value of a kind that cannot be there ({type(error).__name__})")


def _list(recording: Recording, keys: list[int], connection: Connection) -> Iterator[Finding]:
    mine = select(_session.id).where(_session.recording_id == recording.id).order_by(_session.number)
    keys.extend(connection.execute(mine).scalars())
    return iter(())
