"""What of the server's units is of a letter, or was not understood (M 2.14-2.16)."""

from __future__ import annotations

from proxy.imap.commands import ASKED_BY
from proxy.imap.exchanges import OpenExchange
from proxy.imap.ledger import Ledger
from proxy.imap.letters.fetch import FetchAnswer
from proxy.imap.letters.keeper import Keeper
from proxy.imap.letters.policy import Bodies
from proxy.imap.responses import ResponseHead, read_response
from proxy.imap.shared import Shared
from proxy.imap.units import UnitReader
from proxy.imap.vault import Spans

_FETCHES = frozenset({"FETCH", "UIDFETCH"})
_OF_LETTERS = frozenset({"URLFETCH", "CONVERSION", "CONVERTED"})
"""Responses whose strings are of letters: nothing behind their names is kept (RFC 4467, RFC 5259)."""
_PUBLIC = (frozenset(ASKED_BY) | {"QUOTA", "COMPARATOR", "NOMODSEQ"}) - _FETCHES - _OF_LETTERS


class ServerLetters(Keeper):
    """Follows the units that the reader finds."""

    def __init__(self, policy: Bodies, shared: Shared, reader: UnitReader, ledger: Ledger) -> None:
        super().__init__(policy, shared, reader, ledger)
        self._fetch: FetchAnswer | None = None
        self._hidden: int | None = None
        """From where on the unit's lines are hidden; None: they are not."""
        self.doubtful = False
        """Whether what was said last was no IMAP. What follows may be the rest of a letter, until a command is
        answered."""

    @property
    def hidden(self) -> bool:
        """Whether the unit is one of which nothing is kept."""
        return self._hidden is not None

    def begin(self, head: ResponseHead, line: bytes, exchange: OpenExchange | None) -> None:
        """A unit begins, whose first line is this."""
        self._fetch, self._hidden = None, None
        answered = exchange is not None and head.tag is not None
        if head.kind == "?" or (self.doubtful and not answered):
            self.doubtful, self._hidden = True, 0
        elif head.kind in _FETCHES:
            self._fetch = FetchAnswer()
        elif exchange.hidden if exchange is not None else head.tag is not None:
            self._hidden = 0
        elif head.kind == "+":
            self._hidden = None if exchange is not None else 1
        elif head.status is None and head.kind not in _PUBLIC:
            self._hidden = line.upper().find(head.kind.encode()) + len(head.kind) if head.kind in _OF_LETTERS else 2
        if answered:
            self.doubtful = False

    def line(self, line: bytes, *, first: bool) -> Spans:
        """Mask what has to be in the line just read. Returns where that is in it."""
        hidden = 0 if self.hidden and not first else self._hidden
        return self._hide_in(line, self._fetch, hidden)

    def _lose(self) -> None:
        super()._lose()
        if self._fetch:
            self._fetch.lose()

    def hides_partial(self, line: bytes, exchange: OpenExchange | None) -> bool:
        """Mask what has come of a line that is too long to be held; False where it is one that is kept."""
        if not self._reader.texts:
            self.begin(read_response(line), line, exchange)
        return self._hide_begun() if self._fetch or self.hidden else False
