"""The contents of literals, as they are in the store: masked, where secrets were in them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.imap.grammar.values import Absent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.imap.grammar.values import String
    from proxy.imap.transcript import Direction
    from storage import Session, Store


class Literals:
    """Those of one session."""

    def __init__(self, store: Store, session: Session) -> None:
        self._store, self._session = store, session

    def content(self, direction: Direction, string: String) -> Iterator[bytes] | None:
        """What a string says, in blocks of about a megabyte; None where not all of its bytes were kept."""
        if not isinstance(string, Absent):
            return iter((string,))
        end = string.start + string.size
        position = string.start
        for piece in self._store.pieces(self._session, direction, position, end):
            if piece.offset > position or piece.left_out is not None:
                return None
            position = piece.end
        return self._store.stream(self._session, direction, string.start, end) if position >= end else None
