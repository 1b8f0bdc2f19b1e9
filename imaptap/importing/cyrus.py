"""Cyrus' telemetry: what its server read and wrote for one user, in a file for each process that served him.

A line of dashes with the user and the date begins a session. Before each read stands its time in seconds as
`<1700000000<`, before each write as `>1700000000>`, in the midst of the bytes, which are kept as they are
(https://www.cyrusimap.org, "Protocol telemetry logging").
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from imaptap.importing.sides import Literals, completed
from imaptap.importing.values import UNTOLD, Begun, BrokenError, Over, Said
from proxy.imap.transcript import Direction, Ending

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path
    from typing import BinaryIO

    from imaptap.importing.values import Statement

_HEAD = rb"-{10} (?P<user>[^\r\n]{1,128}) [A-Z][a-z]{2} [A-Z][a-z]{2} [ 0-9][0-9] [0-9:]{8} [0-9]{4}\n"
_MARK = rb"<([0-9]{9,11})<|>([0-9]{9,11})>"
_FIRST = re.compile(_HEAD)
_TOKEN = re.compile(_MARK + b"|" + _HEAD)
_TOKEN_MOST = 192
_BLOCK = 64 * 1024
_APART_MOST = 24 * 3600
_APART_WITHIN = 600
"""Seconds between two marks, and between those within a literal. What else looks like one is somebody's text."""
_CAVEATS = (
    "times are whole seconds, of the server",
    "what looks like a time of the same minutes within a message is taken for one",
    "who was connected, and whether TLS protected it, is not logged",
    "what came before the login is not logged",
)


def recognise(head: bytes) -> bool:
    """Whether a file that begins so is one."""
    return _FIRST.match(head) is not None


def read(paths: Sequence[Path]) -> Iterator[Statement]:
    """The sessions of these files. Raises BrokenError, OSError."""
    for path in paths:
        with path.open("rb") as file:
            yield from _Reading(path).statements(file)


class _Reading:
    """Reads one file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._count = 0
        self._line = 1
        self._user: bytes | None = None
        self._begin()

    def _begin(self) -> None:
        self._key: str | None = None
        self._side: Direction | None = None
        self._at: int | None = None
        self._literals = {direction: Literals() for direction in Direction}

    def statements(self, file: BinaryIO) -> Iterator[Statement]:
        """All of it."""
        held = b""
        while block := file.read(_BLOCK):
            data, start = held + block, 0
            for token in _TOKEN.finditer(data):
                yield from self._bytes(data[start : token.start()])
                start = token.start()
                if self._is_one(token):
                    yield from self._token(token)
                    start = token.end()
            keep = max(start, len(data) - _TOKEN_MOST)
            yield from self._bytes(data[start:keep])
            held = data[keep:]
        yield from self._bytes(held)
        yield from self._end()

    def _is_one(self, token: re.Match[bytes]) -> bool:
        """Whether it is the server's, or happens to stand in what was said."""
        if token["user"] is not None:
            return self._user in {None, token["user"]}
        if self._at is None:
            return True
        within = next((side for side, each in self._literals.items() if each.owed), None)
        apart = abs(int(token[1] or token[2]) - self._at)
        if within is None:
            return apart <= _APART_MOST
        waits = self._literals[within].waits
        return apart <= _APART_WITHIN and (waits or _side(token) is within)

    def _token(self, token: re.Match[bytes]) -> Iterator[Statement]:
        self._line += token[0].count(b"\n")
        if token["user"] is not None:
            self._user = token["user"]
            yield from self._end()
            return
        self._at, self._side = int(token[1] or token[2]), _side(token)
        if self._key is None:
            self._count += 1
            self._key = f"{self._path}#{self._count}"
            yield Begun(self._key, self._at * 1_000_000, _CAVEATS, logged_in=True)

    def _bytes(self, data: bytes) -> Iterator[Statement]:
        self._line += data.count(b"\n")
        if self._key is not None and self._side is not None and self._at is not None:
            if data:
                if self._side is Direction.SERVER:
                    self._answered(data)
                self._literals[self._side].feed(data)
                yield Said(self._key, self._side, data, self._at * 1_000_000)
        elif data.strip():
            raise BrokenError(self._path, self._line, "no time stands before what was said")

    def _answered(self, data: bytes) -> None:
        """The server says whether it wants the client's literal."""
        literals = self._literals[Direction.CLIENT]
        for line in data.splitlines() if literals.waits else ():
            if line.startswith(b"+"):
                literals.invite()
            elif completed(line) is not None:
                literals.refuse()

    def _end(self) -> Iterator[Statement]:
        if self._key is not None:
            yield Over(self._key, Ending.CUT, UNTOLD)
        self._begin()


def _side(mark: re.Match[bytes]) -> Direction:
    return Direction.CLIENT if mark[1] else Direction.SERVER
