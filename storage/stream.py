"""Streams, put together again: every byte of one direction as it was received, or as it was sent on."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.imap.transcript import Direction, Event, EventKind
from storage import read
from storage.errors import GapError, LeftOutError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from storage.store import Store
    from storage.values import Session, StoredPiece


def received(store: Store, session: Session, direction: Direction, start: int, end: int | None) -> Iterator[bytes]:
    """Bytes `start` up to `end` (None: all there are) in blocks of at most about a megabyte.

    Raises GapError at what is missing, LeftOutError (one of them) at what was not kept on purpose.
    """
    position = start
    for piece in read.pieces(store, session.id, direction, start, end):
        if piece.offset > position:
            raise GapError(position, piece.offset)
        stop = piece.end if end is None else min(piece.end, end)
        if piece.left_out is not None:
            raise LeftOutError(position, stop)
        data = _bytes(store, piece)
        yield data[position - piece.offset : stop - piece.offset]
        position = stop
    _need_whole(store, session, direction, position, end)


def _bytes(store: Store, piece: StoredPiece) -> bytes:
    return store.body(piece.blake3 or "") if piece.data is None else piece.data


def _need_whole(store: Store, session: Session, direction: Direction, position: int, end: int | None) -> None:
    """Raise GapError where bytes at the very end of what was asked for are among the lost ones."""
    for gap in read.events(store, session, (EventKind.GAP,)):
        if gap.direction is direction and gap.offset is not None and gap.length is not None:
            stop = gap.offset + gap.length
            if gap.offset <= position < stop and (end is None or position < end):
                raise GapError(position, stop)


def as_sent(store: Store, session: Session, direction: Direction, start: int, end: int | None) -> Iterator[bytes]:
    """The same bytes with every rewrite that begins among them: what imaptap sent on, secrets still masked.

    Raises as `received` does.
    """
    position = start
    for rewrite in _rewrites(store, session, direction):
        offset = rewrite.offset or 0
        if offset < start or (end is not None and offset >= end):
            continue
        if offset > position:
            yield from received(store, session, direction, position, offset)
        if rewrite.sent:
            yield rewrite.sent
        position = max(position, offset + len(rewrite.received or b""))
    if end is None or position < end:
        yield from received(store, session, direction, position, end)


def _rewrites(store: Store, session: Session, direction: Direction) -> list[Event]:
    """By offset; of the same offset in their order. There are few: a handful in a session."""
    found = read.events(store, session, (EventKind.REWRITE,))
    applying = (e for e in found if e.direction is direction and e.offset is not None and (e.received or e.sent))
    return sorted(applying, key=lambda e: e.offset or 0)
