"""Records that come from a file rather than from the wire, put into a store as a recording of their own."""

from __future__ import annotations

import threading
from dataclasses import replace
from typing import TYPE_CHECKING, Final, TypeAlias

from sqlalchemy import update

from storage import tables
from storage.errors import StorageError
from storage.recording import begin_recording, end_recording
from storage.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from proxy.imap.transcript import Record
    from storage.left_out import LeftOut
    from storage.store import Store
    from storage.values import Recording

_QUEUE_BYTES: Final = 16 * 1024 * 1024
"""What may wait for the disk: two batches. Traffic comes in bursts and gets more; a file can wait."""

Records: TypeAlias = "Sequence[Record | LeftOut]"


def keep(
    store: Store, name: str | None, make: Callable[[Recording], Iterable[Records]], *, version: str, settings: str
) -> Recording:
    """A new recording called `name` (default: the time) of all that `make` gives for it.

    Whatever is raised there leaves nothing behind, and is passed on. Raises StorageError as a `Writer` does.
    """
    recording = begin_recording(store, name, version=version, settings=settings)
    writer: Writer | None = None
    try:
        writer = Writer(store, joined=recording, queue_bytes=_QUEUE_BYTES)
        for records in make(recording):
            _put(writer, records)
    except BaseException:
        if writer is not None:
            writer.close()
        # To end it first would take as long as it took to come here: all that is open would be looked at.
        store.remove(replace(recording, ended=recording.started))
        raise
    writer.close()
    end_recording(store, recording)
    if writer.failed:
        raise StorageError("The file could not be written into the store.", "Look at the errors above.")
    return store.recording(str(recording.id))


def dated(store: Store, recording: Recording, started: int | None, ended: int | None) -> Recording:
    """The same recording with these times, where they are known: microseconds since 1970 UTC."""
    times = {"started": started, "ended": ended, "seen": ended}
    known = {key: at for key, at in times.items() if at is not None}
    if known:
        with store.writing() as connection:
            mine = tables.recording.c.id == recording.id
            connection.execute(update(tables.recording).where(mine).values(known))
    return store.recording(str(recording.id))


def _put(writer: Writer, records: Records) -> None:
    """Hand them over, and wait while too many wait for the disk."""
    writer.put(*records)
    if writer.full:
        drained = threading.Event()
        writer.when_drained(drained.set)
        drained.wait()
