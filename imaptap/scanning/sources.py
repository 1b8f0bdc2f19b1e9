"""What a file has to be searched for: its bytes, what is packed into it, and what was recorded in it."""

from __future__ import annotations

import bz2
import gzip
import lzma
import zipfile
import zlib
from array import array
from bisect import bisect_left, bisect_right
from collections.abc import Callable, Iterable
from typing import IO, TYPE_CHECKING, Final, NamedTuple, TypeAlias

from imaptap.scanning.detectors import Kind
from imaptap.scanning.search import Hit
from imaptap.scanning.spoken import Spoken, spoken
from proxy.imap.transcript import Direction
from storage.cassette import ended, read_cassette, told_session
from storage.cassette.values import Told

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import BinaryIO

    from proxy.imap.transcript import Exchange
    from storage import Recording, Session, Store

_PART: Final = 256 * 1024
_SQLITE: Final = b"SQLite format 3\0"
_ZIP: Final = b"PK\x03\x04"
_ENCRYPTED: Final = 1
"""In the flags of a zip's member."""
Passwords: TypeAlias = "Callable[[Session], Iterable[Spoken]]"
PACKED_ERRORS: Final = (zipfile.BadZipFile, lzma.LZMAError, zlib.error, EOFError, NotImplementedError)


class Stream(NamedTuple):
    """A run of bytes of one side of a session, from `start` on."""

    session: Session
    side: Direction
    start: int


class Source(NamedTuple):
    """Bytes under one name. `lines`: whether its lines can be counted."""

    name: str
    parts: Iterable[bytes]
    lines: bool = False
    raw: bool = False
    """Whether it is the file itself, of which others are readings."""
    stream: Stream | None = None
    spoken: tuple[Spoken, ...] = ()
    """The passwords in it that are known by how they were said."""

    def beside(self, hits: Iterable[Hit]) -> Iterator[Hit]:
        """What is known of it, and these hits, but for passwords that are known already."""
        start = self.stream.start if self.stream else 0
        known = sorted(each.start - start for each in self.spoken)
        for each in self.spoken:
            yield Hit(Kind.PASSWORD, each.what, "", each.start - start, 0, each.end - start)
        for hit in hits:
            at = bisect_left(known, hit.offset)
            if hit.kind is not Kind.PASSWORD or at == len(known) or known[at] >= hit.end:
                yield hit


def is_database(path: Path) -> bool:
    """Whether it is a SQLite file. Raises OSError."""
    return _head(path).startswith(_SQLITE)


def of_file(path: Path) -> Iterator[Source]:
    """The file, and what is packed in it. Raises OSError, or one of PACKED_ERRORS where that is broken."""
    head = _head(path)
    yield Source(str(path), _read(path), lines=not head.startswith(_SQLITE), raw=True)
    for tail in ("-wal", "-journal"):
        beside = path.with_name(path.name + tail)
        if head.startswith(_SQLITE) and beside.is_file():
            yield Source(str(beside), _read(beside), raw=True)
    packed = _unpacking(path, head)
    if packed is not None:
        with packed as file:
            yield Source(f"{path} (unpacked)", _parts(file), lines=True)
    if head.startswith(_ZIP):
        with zipfile.ZipFile(path) as archive:
            for member in archive.infolist():
                if member.flag_bits & _ENCRYPTED:
                    raise zipfile.BadZipFile(f"{member.filename} is encrypted")
                with archive.open(member) as file:
                    yield Source(f"{path}: {member.filename}", _parts(file), lines=True)


def of_store(store: Store, name: str, passwords: Passwords) -> Iterator[Source]:
    """All that is recorded in it; `passwords` knows which of a session are in clear. Raises StorageError."""
    for recording in store.recordings():
        where = f"{name}: {recording.id}"
        yield Source(where, _about(store, recording))
        for session in store.sessions(recording):
            there = f"{where}/{session.number}"
            yield Source(there, _said_of(store, session))
            found = list(passwords(session))
            for side in Direction:
                yield from _stream(store, session, side, there, [each for each in found if each.side is side])


def spoken_in(store: Store, session: Session) -> Iterator[Spoken]:
    """The passwords of a stored session that are no masks. Raises StorageError."""
    return spoken(told_session(store, ended(store, session), Told.EVENTS))


def spoken_in_cassette(file: BinaryIO) -> Passwords:
    """Those of each session of a cassette, which has what was written into it by hand. Raises CassetteError."""
    found = dict[int, list[Spoken]]()
    for each in spoken(statement for _, statement in read_cassette(file)):
        found.setdefault(each.session, []).append(each)
    return lambda session: found.get(session.number, ())


def _stream(store: Store, session: Session, side: Direction, there: str, found: list[Spoken]) -> Iterator[Source]:
    """Each whole run of a stream: what was not kept, or was lost, is between two."""
    for start, end in _runs(store, session, side):
        parts = store.stream(session, side, start, end)
        known = tuple(each for each in found if start <= each.start < end)
        yield Source(f"{there} {side.name.lower()}", parts, stream=Stream(session, side, start), spoken=known)


def _runs(store: Store, session: Session, side: Direction) -> Iterator[tuple[int, int]]:
    start = end = 0
    for piece in store.pieces(session, side):
        if piece.offset != end or piece.left_out is not None:
            if end > start:
                yield start, end
            start = piece.offset
        end = piece.end
        if piece.left_out is not None:
            start = end
    if end > start:
        yield start, end


def _about(store: Store, recording: Recording) -> Iterator[bytes]:
    """What is written of a recording as a whole."""
    yield _line(recording.name, recording.host, recording.settings, recording.version)
    for event in store.recording_events(recording):
        yield _line(event.text, event.received, event.sent)
    for note in store.notes(recording):
        yield _line(note.text)


def _said_of(store: Store, session: Session) -> Iterator[bytes]:
    """What is written of a session beside its streams."""
    yield _line(session.client, session.listen, session.upstream, session.reason)
    for event in store.events(session):
        yield _line(event.name, event.text, event.received, event.sent)
    for stored in store.exchanges(session):
        yield _of_exchange(stored.exchange)


def _of_exchange(exchange: Exchange) -> bytes:
    command = f"{exchange.tag} {exchange.command} {exchange.arguments}"
    # An empty line between them: what follows the announcement of a literal would be taken for one.
    return _line(command) + _line() + _line(exchange.mailbox, exchange.code, exchange.text)


def _line(*texts: str | bytes | None) -> bytes:
    words = (text if isinstance(text, bytes) else (text or "").encode("utf-8", "surrogateescape") for text in texts)
    return b"  ".join(words) + b"\r\n"


class Whereabouts:
    """Which exchange a byte of a stream belongs to. Remembers the spans of the stream that was asked about last."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._stream: tuple[int, Direction] | None = None
        self._starts, self._ends, self._numbers = array("Q"), array("Q"), array("Q")

    def of(self, session: Session, side: Direction, offset: int) -> int | None:
        """The exchange's number, if there is one. Raises StorageError."""
        if self._stream != (session.id, side):
            self._read(session, side)
        index = bisect_right(self._starts, offset) - 1
        return (self._numbers[index] or None) if index >= 0 and offset < self._ends[index] else None

    def _read(self, session: Session, side: Direction) -> None:
        self._stream = session.id, side
        self._starts, self._ends, self._numbers = array("Q"), array("Q"), array("Q")
        for span in self._store.stream_spans(session, side):
            self._starts.append(span.start)
            self._ends.append(span.end)
            self._numbers.append(span.exchange or 0)


def _unpacking(path: Path, head: bytes) -> IO[bytes] | gzip.GzipFile | None:
    """What reads a file that was compressed."""
    if head.startswith(b"\x1f\x8b"):
        return gzip.open(path, "rb")
    if head.startswith(b"BZh"):
        return bz2.open(path, "rb")
    return lzma.open(path, "rb") if head.startswith(b"\xfd7zXZ\0") else None


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(64)


def _read(path: Path) -> Iterator[bytes]:
    with path.open("rb") as file:
        yield from _parts(file)


def _parts(file: IO[bytes] | gzip.GzipFile) -> Iterator[bytes]:
    while part := file.read(_PART):
        yield part
