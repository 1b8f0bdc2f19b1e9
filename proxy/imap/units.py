"""Units: a line with every literal it announces, found in any nonsense (M 2.1-2.11).

`UnitReader` reads one direction. Push a chunk in with `read(chunk, pos)`; it consumes up to the next boundary and says
what that was. Literal content is skipped by count and never looked at or copied; text is kept up to TEXT_KEPT bytes a
unit, so that an endless line costs no memory. Nothing here raises on any input.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import NamedTuple

from proxy.imap.announcements import LITERAL_MAX, STATUS, Announcement, LongLine, announcement, closes_code
from proxy.imap.quotes import open_quote
from proxy.imap.transcript import BODY_MIN, Direction

TEXT_KEPT = 64 * 1024
"""Bytes of a unit's text that are kept for the conversation; the stream itself has all of it."""
LITERAL_KEPT = BODY_MIN - 1
"""Literals up to this size are kept with their unit (mailbox names, passwords to be masked)."""
OVERLONG_HELD = TEXT_KEPT // 2
"""So much of a longer line is gathered before it is searched for secrets and let go: never at each byte that comes."""
PARTS_KEPT = 10_000
"""Text runs and literals of one unit that are kept; a unit may have more (M 2.10)."""
LITERAL_REFUSED = "literal refused"
"""The flaw of a unit whose literal the server did not want (M 4.3)."""


class Boundary(enum.Enum):
    """Where `UnitReader.read` stopped."""

    PARTIAL = enum.auto()  # the chunk ended inside a line
    LINE = enum.auto()  # a line ended that announces a literal
    UNIT = enum.auto()  # a line ended that ends the unit
    LITERAL = enum.auto()  # literal content; more of it follows
    LITERAL_END = enum.auto()  # literal content, complete
    RAW = enum.auto()  # opaque bytes, no units any more


@dataclass(frozen=True, slots=True)
class Literal:
    """`{n}` and what it announces: offset of its content in the stream and its size in bytes.

    `content` is there once it has arrived, for literals of at most LITERAL_KEPT bytes.
    """

    start: int
    size: int
    synchronising: bool
    binary: bool
    content: bytes | None = None


class Unit(NamedTuple):
    """A line and its literals. `texts` are the text runs between them (one more than `literals`), line ends included.

    `flaws` names what is odd about it: "bare LF", "bare CR", "open quote", "cut", "literal refused".
    """

    start: int
    end: int
    texts: tuple[bytes, ...]
    literals: tuple[Literal, ...]
    flaws: tuple[str, ...]


class UnitReader:
    """Finds the units of one direction, however the stream is cut into chunks."""

    def __init__(self, direction: Direction) -> None:
        self.direction = direction
        self.offset = 0
        self.unit_start = 0
        self.raw = False
        self.lines_only = False
        """Set while SASL lines are expected: they announce no literals (M 4.6)."""
        self.lines = 0
        """Lines read so far, those within literals not counted."""
        self._line = bytearray()
        self._long: LongLine | None = None
        self._line_start = 0
        self._line_length = 0
        self._texts: list[bytes] = []
        self._text_kept = 0
        self._literals: list[Literal] = []
        self._content: bytearray | None = None
        self._left = 0
        self._flaws: list[str] = []
        self._code_open: bool | None = None

    @property
    def line(self) -> bytes:
        """The text of the line last read, or of the one being read, up to TEXT_KEPT bytes."""
        return bytes(self._line)

    @property
    def line_start(self) -> int:
        """Offset of the first byte of that line."""
        return self._line_start

    @property
    def partial(self) -> int:
        """Bytes of the unfinished line so far."""
        return self._line_length

    @property
    def between(self) -> bool:
        """Whether the next byte starts a new unit."""
        return self.offset == self.unit_start and not self.raw

    @property
    def texts(self) -> tuple[bytes, ...]:
        """The complete text runs of the unit being read."""
        return tuple(self._texts)

    @property
    def literals(self) -> tuple[Literal, ...]:
        """The literals announced so far in the unit being read."""
        return tuple(self._literals)

    @property
    def first(self) -> bool:
        """Whether the line last read is the unit's first."""
        return len(self._texts) == 1

    @property
    def last_literal(self) -> Literal | None:
        """The literal announced last in the unit being read."""
        return self._literals[-1] if self._literals else None

    @property
    def literal(self) -> Literal | None:
        """The literal whose content comes next or is coming."""
        return self._literals[-1] if self._content is not None or self._left else None

    @property
    def passing(self) -> int:
        """How many of the next bytes belong to a literal whose content is not kept, and so are counted only."""
        return self._left if self._content is None and not self.raw else 0

    @property
    def untouched(self) -> bool:
        """Whether a literal has been announced and no byte of it has come."""
        literal = self.literal
        return literal is not None and self._left == literal.size

    def read(self, chunk: bytes, pos: int) -> tuple[Boundary, int]:
        """Read `chunk` from `pos` to the next boundary. Returns the boundary and the new position."""
        if self.raw:
            self.offset += len(chunk) - pos
            return Boundary.RAW, len(chunk)
        if self._left or self._content is not None:
            return self._read_literal(chunk, pos)
        end = chunk.find(b"\n", pos) + 1
        if not end:
            self._keep(chunk, pos, len(chunk))
            return Boundary.PARTIAL, len(chunk)
        self._keep(chunk, pos, end)
        return self._end_line(), end

    def pass_over(self, count: int) -> int:
        """`count` bytes at most of the literal that is due are not there. Returns how many of them it has."""
        size = min(count, self._left)
        if self._content is not None:
            self._read_literal(bytes(size), 0)
        else:  # however many somebody says that there were
            self.offset += size
            self._left -= size
        return size

    def skip(self, count: int) -> int:
        """The next `count` bytes, between units, are whole units that somebody else has read. Returns their offset."""
        start = self.offset
        self.offset = self.unit_start = start + count
        return start

    def announce(self, line: bytes, size: int, *, synchronising: bool = True) -> None:
        """The next bytes, between units, are this line, which somebody else has read: a large literal follows."""
        self.offset += len(line)
        self._texts = [line]
        self._text_kept = len(line)
        self._literals = [Literal(self.offset, size, synchronising, binary=False)]
        self._left = size

    def announced(self, start: int) -> bool:
        """Whether the unit being read is one that was announced at offset `start`, and its literal has just ended."""
        begun = start == self.unit_start and len(self._texts) == 1
        return begun and not (self._left or self._line_length or self.raw)

    def end(self, count: int) -> None:
        """The next `count` bytes end the unit: somebody else has read them."""
        self.offset += count
        self._begin_unit()

    def take_unit(self) -> Unit:
        """The unit that just ended; the next byte starts a new one."""
        unit = Unit(self.unit_start, self.offset, tuple(self._texts), tuple(self._literals), tuple(self._flaws))
        self._begin_unit()
        return unit

    def cut(self, flaw: str = "cut") -> Unit | None:
        """End the unit where it is: the stream stopped, or its literal was refused (M 4.3). None between units."""
        if self.between or self.raw:
            return None
        if self._line_length:
            self._finish_text()
        self._left, self._content = 0, None
        self._flaws.append(flaw)
        return self.take_unit()

    def go_raw(self) -> None:
        """From here on the stream is opaque (lost sync, security layer, TLS in between)."""
        self.raw = True
        self._left, self._content = 0, None

    def _begin_unit(self) -> None:
        self.unit_start = self.offset
        self._texts = []
        self._text_kept = 0
        self._literals = []
        self._flaws = []
        self._code_open = None

    def _keep(self, chunk: bytes, pos: int, end: int) -> None:
        if not self._line_length:
            self._line_start = self.offset
            self._line.clear()
            self._long = None
        self._line_length += end - pos
        self.offset += end - pos
        head = min(end, pos + TEXT_KEPT - len(self._line))
        self._line += memoryview(chunk)[pos:head]
        if head < end:
            self._long = self._long or LongLine(bytes(self._line))
            self._long.add(chunk[head:end])

    def _finish_text(self) -> bytes:
        line = bytes(self._line)
        self._line_length = 0
        kept = line if self._text_kept + len(line) <= 2 * TEXT_KEPT else b""
        self._text_kept += len(kept)
        if len(self._texts) > PARTS_KEPT:
            self._texts.pop()
        self._texts.append(kept)
        return line

    def _end_line(self) -> Boundary:
        self.lines += 1
        line = self._finish_text()
        end = line if self._long is None else self._long.end
        if not end.endswith(b"\r\n"):
            self._flaw("bare LF")
        if b"\r" in line.removesuffix(b"\n").removesuffix(b"\r"):
            self._flaw("bare CR")
        due = announcement(end) if b"}" in end[-3:-1] else None  # most lines have none: not even a call
        if not self._grammatical(line, due is not None):
            return Boundary.UNIT
        if open_quote(line) if self._long is None else self._long.open_quote:
            self._flaw("open quote")
            return Boundary.UNIT
        return self._announce(due) if due else Boundary.UNIT

    def _grammatical(self, line: bytes, announces: bool) -> bool:
        """Whether a `{n}` at the end of this line is a literal: not in free text, but in an open code (M 2.4, 2.5)."""
        if self.lines_only:
            return False
        if self.direction is Direction.CLIENT:
            return True
        if len(self._texts) == 1:
            status = STATUS.match(line)
            self._code_open = None if status is None else line[status.end() : status.end() + 1] == b"["
        if self._code_open is None:
            return True
        if self._code_open and announces:
            self._code_open = not closes_code(line)
        return bool(self._code_open) and announces

    def _announce(self, due: Announcement) -> Boundary:
        if due.size > LITERAL_MAX:
            self._flaw("literal too large")
            self.go_raw()
            return Boundary.UNIT
        if len(self._literals) >= PARTS_KEPT:
            self._literals.pop()
        self._literals.append(Literal(self.offset, due.size, due.synchronising, due.binary))
        self._left = due.size
        self._content = bytearray() if due.size <= LITERAL_KEPT else None
        return Boundary.LINE

    def _read_literal(self, chunk: bytes, pos: int) -> tuple[Boundary, int]:
        end = min(len(chunk), pos + self._left)
        self.offset += end - pos
        self._left -= end - pos
        if self._content is not None:
            self._content += memoryview(chunk)[pos:end]
        if self._left:
            return Boundary.LITERAL, end
        if self._content is not None:
            last = self._literals[-1]
            content = bytes(self._content) if self._text_kept + last.size <= 2 * TEXT_KEPT else None
            self._text_kept += last.size
            self._literals[-1] = Literal(last.start, last.size, last.synchronising, last.binary, content)
            self._content = None
        return Boundary.LITERAL_END, end

    def _flaw(self, name: str) -> None:
        if name not in self._flaws:
            self._flaws.append(name)
