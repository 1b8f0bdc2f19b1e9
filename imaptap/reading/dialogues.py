"""A recorded session as dialogues, and the contents of its literals: what is replayed, and what is compared."""

from __future__ import annotations

import hashlib
import itertools
import sys
from typing import TYPE_CHECKING

from imaptap.reading.ranges import Ranges
from imaptap.reading.understood import ParsedUnits
from proxy.imap.transcript import Direction, EventKind, Origin
from proxy.imap.view.dialogues import Dialogues
from storage import GapError

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from proxy.imap.view.dialogue import Dialogue
    from storage import Digest, Session, Store, StoredPiece


def dialogues(
    store: Store, session: Session, text_most: int = sys.maxsize, *, answers_most: int = sys.maxsize
) -> Iterator[Dialogue]:
    """The exchanges that a session's client began, each whole, in the order of their numbers. Raises StorageError.

    `text_most` is how many bytes of text their answers may have, `answers_most` how many answers: of more, all but the
    last one are left out.
    """
    told = all_dialogues(store, session, text_most, answers_most=answers_most)
    return (each for each in told if each.exchange.origin is Origin.CLIENT)


def all_dialogues(
    store: Store, session: Session, text_most: int = sys.maxsize, *, answers_most: int = sys.maxsize
) -> Iterator[Dialogue]:
    """The same, and those that imaptap began itself: these have answers only. Raises StorageError."""
    masked = _masked(store, session)
    made = Dialogues(answers_most, text_most)
    for cut, said in ParsedUnits(store, session):
        unit = cut.unit
        secret = masked[said.direction].touch(unit.start, unit.end)
        yield from made.feed(unit, said, cut.at, secret=secret)
    yield from made.finish()


class StoredLiterals:
    """The contents of a session's literals (`proxy.imap.view.dialogue.Literals`)."""

    def __init__(self, store: Store, session: Session) -> None:
        self._store, self._session = store, session
        self._secrets: Mapping[Direction, Ranges] | None = None

    def content(self, direction: Direction, start: int, size: int) -> Iterator[bytes] | None:
        """All of its bytes, in parts of about a megabyte; None where they were not kept or some are masked."""
        return (
            self._store.stream(self._session, direction, start, start + size)
            if self._whole(direction, start, size)
            else None
        )

    def digest(self, direction: Direction, start: int, size: int) -> str | None:
        """As `proxy.imap.view.dialogue.Literals` has it: the hash that bodies have here, or of what was not kept."""
        piece = self._only(direction, start, size)
        if piece is not None and piece.left_out is not None:
            return f"sha256:{piece.left_out}" if piece.left_out else None
        known = piece.blake3 if piece is not None else None
        digest = self._store.hashing()
        known = known or self._hashed(digest, direction, start, size)
        return f"{digest.name}:{known}" if known else None

    def sha256(self, direction: Direction, start: int, size: int) -> str | None:
        """Its SHA-256, hex; None where its bytes are not known or some are masked."""
        piece = self._only(direction, start, size)
        known = piece.left_out if piece is not None else None
        return known or self._hashed(hashlib.sha256(), direction, start, size)

    def _only(self, direction: Direction, start: int, size: int) -> StoredPiece | None:
        """The piece that holds the literal and nothing else, where one does and nothing is masked in it."""
        if self._masked(direction).between(start, start + size):
            return None
        pieces = list(itertools.islice(self._store.pieces(self._session, direction, start, start + size), 2))
        alone = len(pieces) == 1 and (pieces[0].offset, pieces[0].length) == (start, size)
        return pieces[0] if alone else None

    def _hashed(self, digest: Digest, direction: Direction, start: int, size: int) -> str | None:
        parts = self.content(direction, start, size)
        if parts is None:
            return None
        try:
            for part in parts:
                digest.update(part)
        except GapError:  # the recorder may have lost it since
            return None
        return digest.hexdigest()

    def _whole(self, direction: Direction, start: int, size: int) -> bool:
        if self._masked(direction).between(start, start + size):
            return False
        position = start
        for piece in self._store.pieces(self._session, direction, start, start + size):
            if piece.offset > position or piece.left_out is not None:
                return False
            position = piece.end
        return position >= start + size

    def _masked(self, direction: Direction) -> Ranges:
        self._secrets = self._secrets or _masked(self._store, self._session)
        return self._secrets[direction]


def _masked(store: Store, session: Session) -> Mapping[Direction, Ranges]:
    found = {direction: Ranges() for direction in Direction}
    for event in store.events(session, EventKind.SECRET):
        if event.direction is not None and event.offset is not None:
            found[event.direction].add(event.offset, event.offset + (event.length or 0))
    for ranges in found.values():
        ranges.sort()
    return found
