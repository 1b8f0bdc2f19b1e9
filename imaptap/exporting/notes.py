"""The remarks that people have written on what is exported."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imaptap.exporting.words import plain
from storage.cassette.values import Noted

if TYPE_CHECKING:
    from imaptap.exporting.selection import Selection


def notes(selection: Selection) -> list[Noted]:
    """Those on the recording and its sessions, where all of these are wanted, and on exchanges that are; oldest first.

    Raises StorageError.
    """
    found = selection.store.notes(selection.recording)
    wanted = {note.session_id for note in found if note.session_id is not None}
    sessions = {each.id: each for each in selection.sessions() if each.id in wanted} if wanted else {}
    about = {note.exchange_id for note in found if note.exchange_id is not None}
    numbers: dict[int, int] = {}
    for session in sessions.values() if about else ():
        numbers |= {each.id: each.exchange.number for each in selection.exchanges(session) if each.id in about}
    told: list[Noted] = []
    for note in found:
        session_number = sessions[note.session_id].number if note.session_id in sessions else None
        if note.exchange_id is not None:
            if note.exchange_id in numbers:
                told.append(Noted(session_number, numbers[note.exchange_id], note.written, note.text))
        elif selection.everything and (
            session_number is not None or (note.session_id is None and selection.session is None)
        ):
            told.append(Noted(session_number, None, note.written, note.text))
    return told


def spelled(note: Noted) -> str:
    """A remark in a line that no terminal obeys."""
    if note.session is None:
        about = " on the recording"
    else:
        about = "" if note.exchange is None else f" on exchange {note.exchange}"
    return plain(f"note{about}: {note.text}")
