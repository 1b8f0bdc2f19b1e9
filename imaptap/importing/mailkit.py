"""MailKit's ProtocolLogger: what one client says and hears, `C: ` or `S: ` before each line.

A line `Connected to URL` begins a session. Times may stand before the prefix, ISO 8601 by default. Passwords are
replaced by eight asterisks, whatever their length (http://www.mimekit.net/docs, class ProtocolLogger: LogTimestamps,
TimestampFormat, RedactSecrets).
"""

from __future__ import annotations

import datetime as dt
import re
from typing import TYPE_CHECKING, Final, NamedTuple

from imaptap.importing.lines import MOST, parts
from imaptap.importing.sides import Literals
from imaptap.importing.tls import Tls
from imaptap.importing.values import UNTOLD, Begun, Over, Remark, Said
from imaptap.meaning.words import counted
from proxy.imap.transcript import Direction, Ending, Layer

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from imaptap.importing.lines import Part
    from imaptap.importing.values import Statement

_PREFIX = re.compile(rb"(?:([0-9][!-~]{7,39}) )?(?:([CS]): |Connected to ([!-~]{1,500}))")
_NEXT = re.compile(rb"(?:[0-9][!-~]{7,39} )?[CS]: ")
_STARS = b"********"
_STARS_MOST = 4096
_SIDES = {b"C": Direction.CLIENT, b"S": Direction.SERVER}
_NAMED = {b"client": Direction.CLIENT, b"server": Direction.SERVER}
_MISSING = re.compile(rb"imaptap: ([0-9]{1,12}) bytes of the (client|server) were not kept")
_FILLED_MOST: Final = 256 << 20
_URL_END = re.compile(r"/?(?:\?starttls=always)?\Z")
"""What a URL has behind the port, where the session says the same."""
_FRACTION = re.compile(rb":[0-9]{2}[.,][0-9]")
_EPOCH: Final = dt.datetime(1970, 1, 1, tzinfo=dt.UTC)
_MICROSECOND: Final = dt.timedelta(microseconds=1)


def recognise(head: bytes) -> bool:
    """Whether a file that begins so is one: the line about the connection tells it from what people write.

    Our own export does not always know the URL, so that what stands behind that line has to tell.
    """
    found = _PREFIX.match(head)
    if found is None or found[3] is None:
        return False
    return found[3].lower().startswith(b"imap") or _NEXT.match(head.partition(b"\n")[2]) is not None


def read(paths: Sequence[Path]) -> Iterator[Statement]:
    """The sessions of these files. Raises OSError."""
    for path in paths:
        yield from _Reading(path).statements()


class _Connected(NamedTuple):
    """The line that begins a session. It has no time of its own by default: the next one tells."""

    upstream: str
    layer: Layer | None
    stamp: bytes | None


class _Reading:
    """Reads one file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._count = 0
        self._key = ""
        self._begin_session(Layer.TLS)
        self._strange: list[int] = []
        """The first line that is none of the logger's, and how many there are."""

    def _begin_session(self, layer: Layer) -> None:
        self._open = False
        self._connected: _Connected | None = None
        self._tls = Tls(layer)
        self._literals = {direction: Literals() for direction in Direction}
        self._side: Direction | None = None
        self._stamp: bytes | None = None
        self._at: int | None = None
        self._replaced = 0

    def statements(self) -> Iterator[Statement]:
        """All of it."""
        with self._path.open("rb") as file:
            for part in parts(file):
                yield from self._part(part)
        yield from self._end_session()
        if self._strange:
            first, count = self._strange
            text = f"{counted(count, 'line is', 'lines are')} not the logger's, the first in line {first:,}"
            yield Remark(None, "passed over", text)

    def _part(self, part: Part) -> Iterator[Statement]:
        data = part.data
        if part.begins:
            found = _PREFIX.match(data)
            if found is None:
                self._side = None
                missing = _MISSING.match(data)
                if missing is not None and self._open:
                    yield from self._fill(_NAMED[missing[2]], int(missing[1]))
                elif data.strip():
                    self._pass_over(part.number)
                return
            if found[3] is not None:
                self._side = None
                yield from self._connect(found[3], found[1])
                return
            self._stamp, self._at = found[1], _moment(found[1])
            self._side, data = _SIDES[found[2]], data[found.end() :]
        if self._side is not None:
            yield from self._line(self._side, data)

    def _fill(self, side: Direction, size: int) -> Iterator[Statement]:
        """Our own export says of a literal that it was not kept: nothing behind it could be read without."""
        if size != self._literals[side].owed or size > _FILLED_MOST:
            return
        yield Remark(self._key, "not in the log", f"{size:,} bytes of a literal; x stand in their place", side)
        for start in range(0, size, MOST):
            yield from self._said(side, b"x" * min(MOST, size - start))

    def _pass_over(self, number: int) -> None:
        if not self._strange:
            self._strange = [number, 0]
        self._strange[1] += 1

    def _connect(self, url: bytes, stamp: bytes | None) -> Iterator[Statement]:
        yield from self._end_session()
        text = url.decode("ascii")
        layer = Layer.TLS if text.lower().startswith("imaps:") else Layer.PLAIN
        self._begin_session(layer)
        self._connected = _Connected(_URL_END.sub("", text), layer, stamp)

    def _open_session(self) -> Iterator[Statement]:
        upstream, layer, stamp = self._connected or _Connected("unknown", None, None)
        self._count += 1
        self._key = f"{self._path}#{self._count}"
        self._open, self._connected = True, None
        stamp = stamp or self._stamp
        at = _moment(stamp)
        whole = "" if stamp is not None and _FRACTION.search(stamp) else "whole seconds, "
        times = "there are no times" if at is None else f"times are {whole}of the client"
        unknown = () if layer is not None else ("whether TLS protected it is not known",)
        yield Begun(self._key, at, (times, *unknown), upstream=upstream)

    def _end_session(self) -> Iterator[Statement]:
        if self._connected is not None:  # and nobody said anything
            yield from self._open_session()
        if not self._open:
            return
        if self._replaced:
            text = f"the logger has replaced {counted(self._replaced, 'secret')} by {len(_STARS)} asterisks each"
            yield Remark(self._key, "secrets", text, Direction.CLIENT)
        yield Over(self._key, Ending.CUT, UNTOLD)
        self._open = False

    def _line(self, side: Direction, data: bytes) -> Iterator[Statement]:
        if not self._open:
            yield from self._open_session()
        literals = self._literals[side]
        if side is Direction.CLIENT:
            data = self._unstarred(data, literals)
        owed = literals.owed
        if 0 < owed < len(data) and (other := _NEXT.match(data, owed)):
            # This side stopped within a line, and the other one went on behind it in the log.
            yield from self._said(side, data[:owed])
            self._side = _SIDES[other[0][-3:-2]]
            yield from self._line(self._side, data[other.end() :])
            return
        yield from self._said(side, data)

    def _said(self, side: Direction, data: bytes) -> Iterator[Statement]:
        self._literals[side].feed(data)
        yield Said(self._key, side, data, self._at, self._tls.layer)
        self._tls.said(side, data)

    def _unstarred(self, data: bytes, literals: Literals) -> bytes:
        """A literal that was replaced is made as long again as it was announced, or nothing behind it would be read."""
        self._replaced += data.count(_STARS)
        if 0 < literals.owed <= _STARS_MOST and data.startswith(_STARS) and literals.owed != len(_STARS):
            return b"x" * literals.owed + data[len(_STARS) :]
        return data


def _moment(text: bytes | None) -> int | None:
    """Microseconds since 1970, where the time is written as by default."""
    if text is None:
        return None
    try:
        moment = dt.datetime.fromisoformat(text.decode("ascii"))
        return (moment - _EPOCH) // _MICROSECOND if moment.tzinfo else None
    except (ValueError, OverflowError):
        return None
