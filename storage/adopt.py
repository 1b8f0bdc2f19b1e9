"""Sessions that move to another recording, and a recording that takes the place of another: each all at once or not."""

from __future__ import annotations

from typing import TYPE_CHECKING

from sqlalchemy import func, select, update

from storage import tables
from storage.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from storage.store import Store
    from storage.values import Recording, Session


def adopt(store: Store, recording: Recording, sessions: Sequence[Session]) -> list[int]:
    """Put these sessions of other recordings behind those of this one. Returns their new numbers, in the same order.

    Raises StorageError while either is being recorded.
    """
    from storage.filter import clearing  # noqa: PLC0415  seldom needed, and recorders shall start quickly

    for each in (recording, *(session.recording for session in sessions)):
        _need_ended(each)
    session, event, note = tables.session, tables.event, tables.note
    with store.writing() as connection:
        clearing.clear(connection)  # it knows whose each exchange is
        last = select(func.max(session.c.number)).where(session.c.recording_id == recording.id)
        first = (connection.execute(last).scalar() or 0) + 1
        numbers = list(range(first, first + len(sessions)))
        for moved, number in zip(sessions, numbers, strict=True):
            mine = {"recording_id": recording.id}
            connection.execute(update(session).where(session.c.id == moved.id).values(**mine, number=number))
            last = select(func.max(event.c.number)).where(event.c.recording_id == recording.id)
            behind = connection.execute(last).scalar() or 0
            rows = update(event).where(event.c.session_id == moved.id)
            connection.execute(rows.values(**mine, number=event.c.number + behind))
            connection.execute(update(note).where(note.c.session_id == moved.id).values(**mine))
    return numbers


def replace(store: Store, old: Recording, new: Recording) -> None:
    """Have `new` be called as `old` was, and remove `old`. Raises StorageError while either is being recorded."""
    _need_ended(old)
    _need_ended(new)
    names = tables.recording.c
    with store.writing() as connection:
        taken = set(connection.execute(select(names.name)).scalars())
        aside = next(name for count in range(len(taken) + 1) if (name := f"{old.name} replaced {count}") not in taken)
        for recording, name in ((old, aside), (new, old.name)):
            connection.execute(update(tables.recording).where(names.id == recording.id).values(name=name))
    store.remove(old)


def _need_ended(recording: Recording) -> None:
    if recording.live:
        who = f"process {recording.pid} on {recording.host}"
        raise StorageError(f"{recording.name!r} is still being recorded by {who}.", "Stop the recorder first.")
