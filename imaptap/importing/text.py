"""Our own transcripts, `imaptap export --format text`: exact but for what they leave out.

What is not in them is filled with x, where it was a literal's and its length is known; where bytes were never recorded
the session is cut. What happened beside the bytes is found again in them, and not taken from the text.
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Final

from imaptap.importing.lines import MOST, parts
from imaptap.importing.values import UNTOLD, Begun, BrokenError, Over, Remark, Said
from proxy.imap.transcript import Direction, Ending, readable

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from imaptap.importing.values import Statement

_FIRST = re.compile(rb"# imaptap text ([0-9]{1,9})\r?\n")
_VERSION: Final = b"1"
_TIME = rb"(?: *([0-9]{1,12})\.([0-9]{6}) )?"
_REMARK = re.compile(_TIME + rb"#(?: (session|opened|client|listen|upstream|some|ended): ?(.*)|)")
_LINE = re.compile(_TIME + rb"([CS])([:|*])(?: (.*)|)", re.DOTALL)
_ABSENT = re.compile(rb"([0-9]{1,12}) bytes (of a literal|)")
_ESCAPE = re.compile(rb"\\(?:x([0-9a-f]{2})|\\|\{[^{}\\]{1,400} ([0-9]{1,9})\}|(\Z)|)", re.DOTALL)
_WHERE = (b"client", b"listen", b"upstream")
_SIDES = {b"C": Direction.CLIENT, b"S": Direction.SERVER}
_ENDINGS = {str(ending.value): ending for ending in Ending}
_FILLED_MOST: Final = 256 << 20
_MASKED_MOST: Final = 1 << 20
_FILLER: Final = b"x" * MOST
_CAVEATS = ("in which chunks the bytes came, and in which layer, is not told",)


def recognise(head: bytes) -> bool:
    """Whether a file that begins so is one, of whatever version."""
    return _FIRST.match(head) is not None


def read(paths: Sequence[Path]) -> Iterator[Statement]:
    """The sessions of these files. Raises BrokenError, OSError."""
    for path in paths:
        yield from _Reading(path).statements()


class _Reading:
    """Reads one file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._count = 0
        self._begin({})
        self._open = self._over = False

    def _begin(self, about: dict[bytes, bytes]) -> None:
        self._about = about
        self._open, self._over = False, False
        """Whether its beginning has been told, and its end."""
        self._wall: int | None = None

    def statements(self) -> Iterator[Statement]:
        """All of it."""
        with self._path.open("rb") as file:
            for number, data, begins in parts(file):
                if not begins:
                    raise BrokenError(self._path, number, "the line is too long")
                yield from self._line(number, data.rstrip(b"\r\n"))
        yield from self._end(Ending.CUT, UNTOLD, None)

    def _line(self, number: int, line: bytes) -> Iterator[Statement]:
        if number == 1:
            first = _FIRST.match(line + b"\n")
            if first is None or first[1] != _VERSION:
                raise BrokenError(self._path, 1, "it is no `# imaptap text 1`, which this imaptap reads")
        elif found := _LINE.fullmatch(line):
            if self._count and not self._over:
                yield from self._said(number, found)
        elif found := _REMARK.match(line):
            yield from self._told(found)
        elif line.strip():
            raise BrokenError(self._path, number, "the line begins neither with C or S nor with #")

    def _told(self, found: re.Match[bytes]) -> Iterator[Statement]:
        """What is said about a session."""
        word, text = found[3], found[4]
        if word == b"session":
            yield from self._end(Ending.CUT, UNTOLD, None)
            self._count += 1
            self._begin({})
        elif word == b"ended":
            how, _, why = text.decode("utf-8", "backslashreplace").partition(", ")
            yield from self._end(_ENDINGS.get(how, Ending.CUT), why, self._moment(found))
        elif word is not None:
            self._about[word] = text

    def _open_session(self) -> Iterator[Statement]:
        if self._open or not self._count:
            return
        self._open = True
        self._wall = _date(self._about.get(b"opened", b""))
        some = ("only some of its exchanges are in it",) if b"some" in self._about else ()
        client, listen, upstream = (readable(self._about.get(key, b"unknown")) for key in _WHERE)
        yield Begun(self._key, self._wall, (*_CAVEATS, *some), client, upstream, listen=listen)

    @property
    def _key(self) -> str:
        return f"{self._path}#{self._count}"

    def _end(self, ending: Ending, reason: str, at: int | None) -> Iterator[Statement]:
        yield from self._open_session()
        if self._open and not self._over:
            yield Over(self._key, ending, reason, at)
        self._over = True

    def _said(self, number: int, found: re.Match[bytes]) -> Iterator[Statement]:
        yield from self._open_session()
        side, at = _SIDES[found[3]], self._moment(found)
        text = found[5] or b""
        if found[4] != b"*":
            yield Said(self._key, side, self._bytes(number, text), at)
            return
        absent = _ABSENT.match(text)
        if absent is None:
            raise BrokenError(self._path, number, "it is not said how many bytes are missing")
        size = int(absent[1])
        if not absent[2] or size > _FILLED_MOST:
            yield from self._end(Ending.CUT, f"{size:,} bytes of the {side.name.lower()} are missing", at)
            return
        yield Remark(self._key, "not in the text", f"{size:,} bytes of a literal; x stand in their place", side)
        for start in range(0, size, len(_FILLER)):
            yield Said(self._key, side, _FILLER[: size - start], at)

    def _bytes(self, number: int, text: bytes) -> bytes:
        """What a line stands for."""
        goes_on = False

        def plain(escape: re.Match[bytes]) -> bytes:
            nonlocal goes_on
            if escape[1]:
                return bytes.fromhex(escape[1].decode("ascii"))
            if escape[2]:
                return b"x" * min(int(escape[2]), _MASKED_MOST)
            if escape[0] == b"\\\\":
                return b"\\"
            if escape[3] is None:
                raise BrokenError(self._path, number, "a backslash stands before what it means nothing with")
            goes_on = True
            return b""

        data = _ESCAPE.sub(plain, text)
        return data if goes_on else data + b"\r\n"

    def _moment(self, found: re.Match[bytes] | None) -> int | None:
        """When it was, where the line and the session say so."""
        if found is None or found[1] is None or self._wall is None:
            return None
        return self._wall + int(found[1]) * 1_000_000 + int(found[2])


def _date(text: bytes) -> int | None:
    try:
        moment = dt.datetime.fromisoformat(text.decode("ascii"))
    except ValueError:
        return None
    return None if moment.tzinfo is None else round((moment - _EPOCH) / _MICROSECOND)


_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND: Final = dt.timedelta(microseconds=1)
