"""One stream: pieces from its first byte to its last, each as long as it says, literals cut where they should be."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import func, select

from storage import tables
from storage.bodies import SEGMENT
from storage.chunks import unpack_chunks

if TYPE_CHECKING:
    from collections.abc import Iterator

    from sqlalchemy import Connection, Row, Select

    from proxy.imap.transcript import Direction
    from storage.check.gaps import Gaps

_CHUNK_BYTES: Final = 12
_LAYERS: Final = range(4)
_SHA256_BYTES: Final = 32
_AT_ONCE: Final = 500
_piece, _body = tables.piece.c, tables.body.c

Flawed = tuple[int, str]
"""An offset, and what is wrong there."""


class Stream:
    """Goes through the pieces of one direction. No byte of them is read: only how many there are."""

    def __init__(self, connection: Connection, session: int, direction: Direction, gaps: Gaps) -> None:
        """`session` is the key of its row."""
        self.position = 0
        """The offset behind the last byte, as far as `flaws` has come."""
        self._connection, self._gaps = connection, gaps
        self._query = _pieces(session, direction)

    @property
    def end(self) -> int:
        """The offset behind the last byte that is there, or is known to be missing."""
        return max(self.position, self._gaps.end)

    def flaws(self, total: int | None) -> Iterator[Flawed]:
        """All that is wrong. `total` is how long the session says it is; None while nobody knows."""
        for row in self._connection.execution_options(yield_per=_AT_ONCE).execute(self._query):
            yield from self._place(row)
            yield from ((row.offset, text) for text in _own(row))
            self.position = max(self.position, row.offset + row.length)
        if total is not None and total < self.position:
            yield total, f"the session says it has {total} bytes, but {self.position} are there"
        elif total is not None and not self._gaps.cover(self.position, total):
            yield self.position, f"the session says it has {total} bytes, but only {self.position} are there"

    def _place(self, row: Row[Any]) -> Iterator[Flawed]:
        if row.offset < self.position:
            yield row.offset, f"the piece overlaps the one before it by {self.position - row.offset} bytes"
        elif not self._gaps.cover(self.position, row.offset):
            yield self.position, f"{row.offset - self.position} bytes are missing, and no gap event says so"


def left_out(connection: Connection, session: int) -> int:
    """How many pieces of the session with this key were left out."""
    mine = _piece.session_id == session, _piece.left_out.is_not(None)
    return int(connection.execute(select(func.count()).select_from(tables.piece).where(*mine)).scalar_one())


def _pieces(session: int, direction: Direction) -> Select[Any]:
    own = [column for column in tables.piece.columns if column.name != "data"]
    sizes = [func.length(_piece.data).label("size"), _body.length.label("body_size")]
    query = select(*own, *sizes).select_from(tables.piece.outerjoin(tables.body))
    return query.where(_piece.session_id == session, _piece.direction == int(direction)).order_by(_piece.offset)


def _own(row: Row[Any]) -> Iterator[str]:
    """What is wrong with a piece, wherever it stands."""
    if row.length <= 0 or row.layer not in _LAYERS:
        yield f"the piece has length {row.length} and layer {row.layer}"
    yield from _bytes(row)
    if not _chunks_add_up(row):
        yield "the lengths of the piece's chunks do not add up to its own"
    if row.literal_start is not None and not _well_cut(row):
        yield "the piece does not lie in its literal as it should"


def _bytes(row: Row[Any]) -> Iterator[str]:
    """What is wrong with the one place where its bytes are, or with what is known of those that were left out."""
    if row.left_out is not None and (row.size, row.body_id) != (None, None):
        yield "the piece was left out, and yet has bytes or a body"
    elif row.left_out is not None and (row.literal_start is None or len(row.left_out) not in {0, _SHA256_BYTES}):
        yield "the piece was left out, but is of no literal, or has something else than a SHA-256"
    elif row.left_out is None and (row.size is None) == (row.body_id is None):
        yield "the piece has neither bytes nor a body" if row.size is None else "the piece has both bytes and a body"
    elif row.size not in {None, row.length}:
        yield f"the piece says it has {row.length} bytes, but {row.size} are there"
    elif row.body_size not in {None, row.length}:
        yield f"the piece says it has {row.length} bytes, but its body has {row.body_size}"


def _chunks_add_up(row: Row[Any]) -> bool:
    if row.chunks is None:
        return True
    packed = bytes(row.chunks)
    whole = len(packed) % _CHUNK_BYTES == 0
    return whole and sum(length for length, _ in unpack_chunks(packed, row.length, row.at)) == row.length


def _well_cut(row: Row[Any]) -> bool:
    """Whether the piece lies in its literal and, if it has a body, is a whole segment of it."""
    since, length = row.offset - row.literal_start, row.literal_length or 0
    if since < 0 or since + row.length > length:
        return False
    return row.body_id is None or (since % SEGMENT == 0 and row.length == min(SEGMENT, length - since))
