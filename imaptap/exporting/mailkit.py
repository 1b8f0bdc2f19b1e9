"""`--format mailkit`: the text that MailKit's ProtocolLogger writes.

`Connected to URI`, then every line, those of literals too, with `C: ` or `S: ` in front. Bytes stand as they are.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, BinaryIO

from imaptap.exporting.chunks import Missing, chunks
from imaptap.exporting.times import moment
from proxy.imap.transcript import Direction, readable

if TYPE_CHECKING:
    from imaptap.exporting.chunks import Chunk
    from imaptap.exporting.selection import Selection
    from imaptap.exporting.settings import Settings
    from storage import Session

_SIGNS = {Direction.CLIENT: b"C: ", Direction.SERVER: b"S: "}
_URL = re.compile(r"(imaps|imap|imap\+insecure)://(\S+?)/?")
_HELD_MOST = 1024 * 1024
"""Bytes of a line whose end has not come, while the other side may speak. ProtocolLogger would write into its midst."""


def write(selection: Selection, target: BinaryIO, settings: Settings) -> int:
    """Write all sessions, one behind the other. A line without a sign tells of missing bytes; returns how many."""
    missing = 0
    for number, session in enumerate(selection.sessions()):
        log = _Log(target, session, times=bool(settings.times))
        target.write((b"\r\n" if number else b"") + _connected(session))
        for each in chunks(selection, session, as_sent=settings.as_sent):
            if isinstance(each, Missing):
                missing += each.length
                log.miss(each)
            else:
                log.say(each)
        log.end()
    return missing


def _connected(session: Session) -> bytes:
    """As MailKit spells it: what comes behind the port is how it went over to TLS."""
    match = _URL.fullmatch(session.upstream)
    if match is None:
        return b"Connected to %s\r\n" % readable(session.upstream.encode()).encode()
    scheme, place = match[1], readable(match[2].encode())
    query = "?starttls=always" if scheme == "imap" else ""
    return f"Connected to {scheme.partition('+')[0]}://{place}/{query}\r\n".encode()


class _Log:
    def __init__(self, target: BinaryIO, session: Session, *, times: bool) -> None:
        self._target, self._session, self._times = target, session, times
        self._held = {direction: bytearray() for direction in Direction}
        self._began = dict.fromkeys(Direction, 0)
        self._open: Direction | None = None
        """Whose line is so long that it was begun before its end has come."""

    def say(self, chunk: Chunk) -> None:
        """Write the lines that end in it, and hold the rest."""
        held = self._held[chunk.direction]
        for line in _lines(chunk.data):
            if not held:
                self._began[chunk.direction] = chunk.at
            held += line
            if line.endswith(b"\n") or len(held) > _HELD_MOST:
                self._write(chunk.direction)

    def miss(self, missing: Missing) -> None:
        """Say what is missing, in a line of its own."""
        side = missing.direction.name.lower()
        what = "were never recorded" if missing.left_out is None else "were not kept (--max-literal, --bodies)"
        if self._held[missing.direction]:
            self._write(missing.direction)
        self._break()
        self._target.write(f"imaptap: {missing.length} bytes of the {side} {what}.\r\n".encode())

    def end(self) -> None:
        """Write what is held."""
        for direction, held in self._held.items():
            if held:
                self._write(direction)
        self._break()

    def _write(self, direction: Direction) -> None:
        if self._open is not direction:
            self._break()
            self._target.write(self._time(direction) + _SIGNS[direction])
        held = self._held[direction]
        self._target.write(held)
        self._open = None if held.endswith(b"\n") else direction
        held.clear()

    def _break(self) -> None:
        """End the line that the other side has begun."""
        if self._open is not None:
            self._target.write(b"\r\n")
            self._open = None

    def _time(self, direction: Direction) -> bytes:
        if not self._times:
            return b""
        return f"{moment(self._session.wall + self._began[direction])} ".encode()


def _lines(data: bytes) -> list[bytes]:
    """Parts that end with LF, and the rest: CR alone ends none."""
    parts = data.split(b"\n")
    return [part + b"\n" for part in parts[:-1]] + [part for part in parts[-1:] if part]
