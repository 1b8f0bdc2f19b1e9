"""The sessions of a file without times, one after the other, and what they say in lines."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imaptap.importing.sides import Literals, completed
from imaptap.importing.tls import Tls
from imaptap.importing.values import UNTOLD, Begun, Over, Remark, Said
from proxy.imap.transcript import Direction, Ending, Layer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from imaptap.importing.values import Statement

END = b"\r\n"
_CAVEATS = ("there are no times", "line ends are taken for CRLF")
_UNKNOWN_LAYER = "whether TLS protected it is not known"


class Sessions:
    """One session at a time."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._count = 0
        self.key: str | None = None
        """Of the session that is open."""
        self._forget()

    def _forget(self) -> None:
        self.literals = {direction: Literals() for direction in Direction}
        self._tls = Tls(Layer.TLS)
        self._lines = dict.fromkeys(Direction, 0)
        """That announce the newest literal of each side."""
        self._unfit: tuple[int, int] | None = None
        """The lines that announce the first literal whose count does not fit, and that it ends in."""
        self.notes: list[str] = []
        """What is missing besides."""

    def begin(self, upstream: str, layer: Layer | None) -> Iterator[Statement]:
        """A session begins; the one before it has ended."""
        yield from self.end()
        self._count += 1
        self.key = f"{self._path}#{self._count}"
        self._tls = Tls(Layer.TLS if layer is None else layer)
        yield Begun(self.key, None, _CAVEATS if layer is not None else (*_CAVEATS, _UNKNOWN_LAYER), upstream=upstream)

    def end(self, ending: Ending = Ending.CUT, reason: str = UNTOLD) -> Iterator[Statement]:
        """It has ended."""
        if self.key is None:
            return
        for side, literals in self.literals.items():
            if literals.owed:
                text = f"of the literal announced at line {self._lines[side]:,}, {literals.owed:,} bytes are missing"
                yield Remark(self.key, "missing", text, side)
        if self._unfit is not None:
            first, last = self._unfit
            text = f"the literal announced at line {first:,} ends in the midst of line {last:,}: its count is not right"
            yield Remark(self.key, "does not fit", text)
        for text in self.notes:
            yield Remark(self.key, "missing", text)
        yield Over(self.key, ending, reason)
        self.key = None
        self._forget()

    def within(self) -> Direction | None:
        """Whose literal comes next, or whose rest of the line that has announced one; None for neither."""
        return next((side for side, each in self.literals.items() if each.unfinished), None)

    def say(self, number: int, side: Direction, text: bytes) -> Iterator[Statement]:
        """A line of the open session, whose number in the file is this."""
        if self.key is None:
            return
        literals, data = self.literals[side], text + END
        if side is Direction.SERVER and not literals.unfinished:
            self._answered(text)
        literals.feed(data)
        if literals.unfit and self._unfit is None:
            self._unfit = self._lines[side], number
        if literals.unfinished and not literals.begun:
            self._lines[side] = number
        yield Said(self.key, side, data, None, self._tls.layer)
        self._tls.said(side, data)

    def _answered(self, text: bytes) -> None:
        """The server says whether it wants the client's literal."""
        if text.startswith(b"+"):
            self.literals[Direction.CLIENT].invite()
        elif completed(text) is not None:
            self.literals[Direction.CLIENT].refuse()
