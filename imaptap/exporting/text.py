"""What was said as `C:` and `S:` lines, exact and readable. docs/export.md has the format."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, BinaryIO, Final

from imaptap.exporting.escapes import escaped
from imaptap.exporting.lines import Said, Why, lines
from imaptap.exporting.notes import notes, spelled
from imaptap.exporting.secrets import Secrets
from imaptap.exporting.times import moment
from imaptap.exporting.words import plain
from proxy.imap.transcript import Direction, Event, EventKind, readable

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imaptap.exporting.lines import Absent, Entry
    from imaptap.exporting.secrets import Part
    from imaptap.exporting.selection import Selection
    from imaptap.exporting.settings import Settings
    from storage import Session, Store

FIRST_LINE: Final = "# imaptap text 1"
_CLASS_MOST: Final = 100
_LETTERS = {Direction.CLIENT: "C", Direction.SERVER: "S"}
_SHOWN = [kind for kind in EventKind if kind not in {EventKind.SECRET, EventKind.VARIES}]
_WHY = {
    Why.COLLAPSED: "of a literal, not shown",
    Why.HOLE: "never recorded",
    Why.LEFT_OUT: "of a literal, not kept",
}


def write(selection: Selection, file: BinaryIO, settings: Settings) -> int:
    """Write it. Returns how many bytes it lacks that were asked for. Raises StorageError."""
    bodies = settings.bodies is not False
    file.write(f"{FIRST_LINE}\n".encode())
    missing = 0
    told = notes(selection)
    file.writelines(f"# {spelled(note)}\n".encode() for note in told if note.session is None)
    for session in selection.sessions():
        teller = Lines(selection, session, times=bool(settings.times), bodies=bodies)
        file.writelines(f"{line}\n".encode() for line in teller.beginning())
        file.writelines(f"# {spelled(note)}\n".encode() for note in told if note.session == session.number)
        file.writelines(f"{line}\n".encode() for line in teller.told())
        missing += teller.missing
    return missing


class Lines:
    """The lines of one session."""

    def __init__(self, selection: Selection, session: Session, *, times: bool = False, bodies: bool) -> None:
        """`times`: each begins with its time. `bodies`: contents of literals are wanted."""
        self._selection, self._session, self._times, self._bodies = selection, session, times, bodies
        self._secrets = Secrets(selection.store, session)
        self.missing = 0
        """Bytes that were wanted and are not there."""

    def beginning(self) -> Iterator[str]:
        """Who, whence, whither and when."""
        session = self._session
        yield ""
        yield f"# session: {plain(session.recording.name)}/{session.number}"
        yield f"# opened: {moment(session.wall)}"
        yield f"# client: {plain(session.client)}"
        yield f"# listen: {plain(session.listen)}"
        yield f"# upstream: {plain(session.upstream)}"
        if not self._selection.everything:
            yield "# some: only the exchanges that were asked for"

    def told(self) -> Iterator[str]:
        """What was said and what happened, in the order of time, and how it ended."""
        entries: Iterator[Entry | Event] = lines(self._selection, self._session, bodies=self._bodies)
        if self._selection.everything:
            events = shown_events(self._selection.store, self._session)
            entries = heapq.merge(entries, events, key=_moment)
        for entry in entries:
            if isinstance(entry, Event):
                yield self._timed(entry.at) + happening(entry)
            else:
                yield self._timed(entry.at) + self.line(entry)
                self._selection.progress(len(entry.data) if isinstance(entry, Said) else entry.length)
        yield from self._ending()

    def line(self, entry: Entry) -> str:
        """One line without its time."""
        letter = _LETTERS[entry.direction]
        if not isinstance(entry, Said):
            return f"{letter}* {self._absent(entry)}"
        data = entry.data.removesuffix(b"\r\n")
        text = self._text(entry.direction, entry.offset, data)
        if text.endswith(" "):  # an editor would take it away
            text = f"{text[:-1]}\\x20"
        goes_on = "\\" if len(data) == len(entry.data) else ""
        return f"{letter}{'|' if entry.literal else ':'} {text}{goes_on}".rstrip(" ")

    def _text(self, direction: Direction, offset: int, data: bytes) -> str:
        """These bytes of a stream, with the names of secrets in place of their masks."""
        if not self._secrets.among(direction, offset, offset + len(data)):  # as nearly always
            return escaped(data)
        return "".join(map(_shown, self._secrets.parts(direction, offset, data)))

    def _absent(self, entry: Absent) -> str:
        if entry.why is Why.HOLE or (entry.why is Why.LEFT_OUT and self._bodies):
            self.missing += entry.length
        known = f", sha256 {entry.sha256}" if entry.sha256 else ""
        return f"{entry.length} bytes {_WHY[entry.why]}{known}"

    def _ending(self) -> Iterator[str]:
        session = self._session
        if session.ending is not None:
            yield f"{self._timed(session.at_end or 0)}# ended: {session.ending}, {plain(session.reason or '')}"

    def _timed(self, at: int) -> str:
        return f"{at // 1_000_000:5}.{at % 1_000_000:06} " if self._times else ""


def _shown(part: Part) -> str:
    return f"\\{{{_class(part.secret)} {len(part.data)}}}" if part.secret else escaped(part.data)


def _class(secret: str) -> str:
    """What a secret is, in a word that ends no brace: cassettes that people write have names of their own for it."""
    return "".join(each if each.isprintable() and each not in "{}\\" else "_" for each in secret[:_CLASS_MOST]) or "_"


def shown_events(store: Store, session: Session) -> Iterator[Event]:
    """What happened in a session; secrets are told where they stand. Raises StorageError."""
    return store.events(session, *_SHOWN)


def happening(event: Event) -> str:
    """An event in a line."""
    side = "" if event.direction is None else f" {event.direction.name.lower()}"
    words = f"# event: {event.kind}{side}: {event.name}"
    if event.text:
        words += f": {event.text}"
    if event.kind is EventKind.REWRITE:
        words += f': received "{readable(event.received or b"")}", sent "{readable(event.sent or b"")}"'
    return plain(words)


def _moment(entry: Entry | Event) -> int:
    return entry.at if isinstance(entry, Event) else entry.ended
