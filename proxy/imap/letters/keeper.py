"""What is done with what was found: strings masked, literals let go (with their hash, where that is asked for)."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable

from proxy.imap.ledger import Ledger
from proxy.imap.letters.append import AppendCommand
from proxy.imap.letters.fetch import FetchAnswer
from proxy.imap.letters.header import HeaderBlock
from proxy.imap.letters.policy import LEFT_OUT, Bodies, Found, What, end_of_text
from proxy.imap.shared import Shared
from proxy.imap.transcript import Kept, LiteralPart
from proxy.imap.units import LITERAL_KEPT, Boundary, Literal, UnitReader
from proxy.imap.vault import Spans


class Keeper:
    """Of one direction, under a policy that does not keep everything. Who knows the direction says what is found."""

    _what = What.OTHER
    """What the literal is that the line last read announces."""

    def __init__(self, policy: Bodies, shared: Shared, reader: UnitReader, ledger: Ledger) -> None:
        self._policy = policy
        self._shared, self._reader, self._ledger = shared, reader, ledger
        self._left = Kept.HASH if policy is Bodies.HASH else Kept.NOTHING
        self._block = HeaderBlock()
        self._fed = -1
        """Up to where the block has seen the literal that is under way."""

    def keeps_literal(self) -> bool:
        """Whether the literal announced by the line last read goes on record as it is."""
        return self._keeps(self._what)

    def keeps_beginning(self, literal: Literal) -> bool:
        """Whether the beginning of such a literal does, and is short enough to be looked into: it is a header block."""
        return self._what is What.MESSAGE and self._policy is Bodies.HEADERS and literal.size <= LITERAL_KEPT

    def literal(self, literal: Literal, boundary: Boundary) -> bool:
        """A part of one that does not has come. Returns whether that may be released."""
        if literal.size > LITERAL_KEPT:
            return self._large(literal, ended=boundary is Boundary.LITERAL_END)
        if boundary is Boundary.LITERAL_END:
            self._small(literal, whole=True)
        return boundary is Boundary.LITERAL_END

    def close_literal(self, literal: Literal) -> None:
        """No more bytes will come, in the middle of it."""
        if literal.size > LITERAL_KEPT:
            self._large(literal, ended=True)
        else:
            self._small(literal, whole=False)

    def _keeps(self, what: What) -> bool:
        return what is What.OTHER or (what is What.HEADER and self._policy is Bodies.HEADERS)

    def _hide_in(self, line: bytes, unit: AppendCommand | FetchAnswer | None, hidden: int | None) -> Spans:
        """Mask what has to be in the line just read: what `unit` finds in it, else all from `hidden` on, else nothing.

        Returns where that is in it.
        """
        overlong = self._reader.line_start + len(line) < self._reader.offset
        if overlong and (unit or hidden is not None):
            self._hide_begun()
            return [(0, len(line))]
        if unit:
            found = unit.line(line)
            self._what = unit.literal
        else:
            found = [] if hidden is None else [Found(hidden, end_of_text(line, hidden), What.UNREAD)]
            self._what = What.OTHER if hidden is None else What.UNREAD
        return self._hide(found)

    def _hide_begun(self) -> bool:
        """Mask all that has come of a line that is too long to be held, and follow its unit no more."""
        self._lose()
        self._hide_line()
        return True

    def _lose(self) -> None:
        """From here on nobody knows what the unit says."""
        self._what = What.UNREAD

    def _hide(self, found: Iterable[Found]) -> Spans:
        """Mask what was found in the line just read. Returns where."""
        start = self._reader.line_start
        left = [each for each in found if each.start < each.end and not self._keeps(each.what)]
        for a, b, what in left:
            content = None if what is What.UNREAD else self._ledger.unmasked(start + a, start + b)
            self._mask(start + a, start + b, content)
        return [(a, b) for a, b, _ in left]

    def _hide_line(self) -> None:
        """Mask all that is held of the line being read, or just read."""
        self._mask(max(self._reader.line_start, self._ledger.released), self._reader.offset, None)

    def _small(self, literal: Literal, *, whole: bool) -> None:
        end = self._reader.offset
        content = self._ledger.unmasked(literal.start, end)
        kept = 0
        if self.keeps_beginning(literal):
            block = HeaderBlock()
            block.feed(content)
            kept = block.kept
        self._mask(literal.start + kept, end, content if whole and self._what is not What.UNREAD else None)

    def _large(self, literal: Literal, *, ended: bool) -> bool:
        """Returns whether nothing of it is held back, for it may be header or not."""
        ledger, end = self._ledger, self._reader.offset
        if self._what is What.MESSAGE and self._policy is Bodies.HEADERS:
            if self._fed < literal.start:
                self._block, self._fed = HeaderBlock(), literal.start
            if not self._block.over:
                self._block.feed(ledger.unmasked(self._fed, end))
            self._fed = end
            header = literal.start + self._block.kept
            if header > ledger.released:
                ledger.release(header, LiteralPart(literal.start, literal.size))
            if not self._block.over and not ended:
                return header == end
        if end > ledger.released:
            ledger.release(
                end, LiteralPart(literal.start, literal.size, Kept.NOTHING if self._what is What.UNREAD else self._left)
            )
        return True

    def _mask(self, start: int, end: int, content: bytes | None) -> None:
        """Mask these bytes; with `content`, and where that is asked for, its hash is kept."""
        text = ""
        if self._left is Kept.HASH and content and not self._shared.vault.find(content, words=True):
            text = f"sha256 {hashlib.sha256(content).hexdigest()}"
        self._ledger.mask(start, end, LEFT_OUT, self._ledger.time_of(start), text)
