"""Thunderbird's log of IMAP (MOZ_LOG=IMAP:5,timestamp): what one client says and hears on all its connections.

An entry is a line `2023-11-14 22:13:20.000000 UTC - [Parent 7: IMAP]: I/IMAP `, then the connection, the server, the
state (NA, A, or S- and a mailbox), and `SendData` or `CreateNewLineFromSocket` with what was said. Older ones have a
thread in place of the process, or no time. `ReadNextLine` before it says how many bytes a line had, its end included.
What is longer than 400 characters goes on in entries of their own. Passwords are left out, with a sentence in their
place (https://wiki.mozilla.org/MailNews:Logging; nsImapProtocol::Log).
"""

from __future__ import annotations

import datetime as dt
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imaptap.importing.lines import parts
from imaptap.importing.sides import Literals, is_bye, is_greeting
from imaptap.importing.values import UNTOLD, Begun, BrokenError, Over, Remark, Said
from proxy.imap.transcript import Direction, Ending

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence
    from pathlib import Path

    from imaptap.importing.values import Statement

_ENTRY = re.compile(
    rb"(?:([0-9]{4}-[0-9]{2}-[0-9]{2} [0-9]{2}:[0-9]{2}:[0-9]{2}\.[0-9]{6}) UTC - )?"
    rb"(\[[^\]\r\n]{1,60}\]|-?[0-9]{1,20}\[[0-9A-Fa-fx]{1,18}\]): (?:[A-Z]/IMAP\w* )?"
)
_CONNECTION = re.compile(rb"(?:0x)?([0-9A-Fa-f]{4,16}):([^:\r\n]{1,255}):(?:NA|A|S-|W)")
_WORD = re.compile(rb":(SendData|CreateNewLineFromSocket): ")
_GONE = re.compile(rb"clearing IMAP_CONNECTION_IS_OPEN|TellThreadToDie: close socket connection")
_READ = re.compile(rb"ReadNextLine \[.*\bnb=([0-9]{1,9})\b")
_SUPPRESSED = b"Logging suppressed for this command"
_END = b"\r\n"
_CHUNK = 400
_LONGEST = 1 << 20
_FILLED_MOST = 16 << 20
_FILLER = b"x" * (64 * 1024)
_CAVEATS = (
    "line ends are taken for CRLF where the log does not say how long a line was",
    "whether TLS protected it is not logged",
    "commands with passwords are not logged",
)


def recognise(head: bytes) -> bool:
    """Whether a file that begins so is one."""
    return any(_ENTRY.match(line) and (_WORD.search(line) or b"IMAP" in line) for line in head.splitlines()[:200])


def read(paths: Sequence[Path]) -> Iterator[Statement]:
    """The sessions of these files. Raises BrokenError, OSError."""
    for path in paths:
        yield from _Reading(path).statements()


@dataclass
class _Connection:
    """One connection, and what of it is being gathered."""

    key: str
    literals: dict[Direction, Literals] = field(default_factory=lambda: {side: Literals() for side in Direction})
    at: int | None = None
    heard: bytes | None = None
    """The server's line, without its end; None for none."""
    size: int | None = None
    """Of that line with its end, where the log says so."""
    bye: bool = False
    lost: int = 0
    """Bytes that the log does not have."""


class _Reading:
    """Reads one file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._count = 0
        self._connections: dict[bytes, _Connection] = {}
        self._sizes: dict[bytes, int] = {}
        """By thread: how long the line was that it has read."""
        self._newest: dict[bytes, tuple[_Connection, Direction, int]] = {}
        """By thread: what it has logged last, and how many characters of it."""
        self._sending: _Connection | None = None
        """What a client sends may have several lines, and those have nothing before them."""

    def statements(self) -> Iterator[Statement]:
        """All of it."""
        with self._path.open("rb") as file:
            for part in parts(file):
                if not part.begins:
                    for connection in self._connections.values():
                        yield from self._flush(connection)
                    raise BrokenError(self._path, part.number, "the line is too long to be one of this log")
                yield from self._line(part.data)
        for pointer in list(self._connections):
            yield from self._end(pointer)

    def _line(self, line: bytes) -> Iterator[Statement]:
        entry = _ENTRY.match(line)
        if entry is None:
            if self._sending is not None:
                yield from self._more_sent(self._sending, line.rstrip(b"\r\n"))
            return
        self._sending = None
        thread, text = entry[2], line[entry.end() :].rstrip(b"\r\n")
        connection, word = _CONNECTION.match(text), _WORD.search(text)
        if size := _READ.match(text):
            self._sizes[thread] = int(size[1])
        elif connection and word:
            yield from self._entry(thread, connection, _moment(entry[1]), word)
        elif connection and _GONE.search(text):
            yield from self._end(connection[1])
        elif not connection:
            yield from self._going_on(thread, text)

    def _entry(
        self, thread: bytes, found: re.Match[bytes], at: int | None, word: re.Match[bytes]
    ) -> Iterator[Statement]:
        """Somebody has said something."""
        text = found.string[word.end() :]
        known = self._connections.get(found[1])
        if known is not None:
            yield from self._flush(known)
            if known.bye and is_greeting(text):
                yield from self._end(found[1])
                known = None
        if known is None:
            known = yield from self._begin(found, at)
        known.at = at
        side = Direction.CLIENT if word[1] == b"SendData" else Direction.SERVER
        self._newest[thread] = (known, side, len(text))
        if side is Direction.SERVER:
            known.heard, known.size = text, self._sizes.pop(thread, None)
            known.bye |= is_bye(text)
        elif text.startswith(_SUPPRESSED):
            yield Remark(known.key, "not logged", "a command that holds a password stood here", side)
        else:
            within = known.literals[side].owed > 0
            yield self._sent(known, text)
            # What a client may only send when it is asked is logged in an entry of its own.
            self._sending = known if within or not known.literals[side].waits else None

    def _begin(self, found: re.Match[bytes], at: int | None) -> Generator[Statement, None, _Connection]:
        self._count += 1
        connection = self._connections[found[1]] = _Connection(f"{self._path}#{self._count}")
        times = "there are no times" if at is None else "times are those of the client"
        yield Begun(connection.key, at, (times, *_CAVEATS), upstream=found[2].decode("ascii", "backslashreplace"))
        return connection

    def _end(self, pointer: bytes) -> Iterator[Statement]:
        connection = self._connections.pop(pointer, None)
        if connection is None:
            return
        yield from self._flush(connection)
        if connection.lost:
            text = f"{connection.lost:,} bytes of longer lines are not in the log; x stand in their place"
            yield Remark(connection.key, "not logged", text, Direction.SERVER)
        yield Over(connection.key, Ending.CUT, UNTOLD)

    def _going_on(self, thread: bytes, text: bytes) -> Iterator[Statement]:
        """An entry that says neither who nor what: the rest of a long one, or something else."""
        connection, side, size = self._newest.pop(thread, (None, Direction.SERVER, 0))
        if connection is None:
            return
        if side is Direction.SERVER:
            longer = size >= _CHUNK if connection.size is None else len(connection.heard or b"") + 2 < connection.size
            if connection.heard is None or not longer or len(connection.heard) > _LONGEST:
                return
            connection.heard += text
        elif size >= _CHUNK or connection.literals[side].unfinished:
            self._sending = connection
            yield self._sent(connection, text)
        else:
            return
        self._newest[thread] = (connection, side, len(text))

    def _more_sent(self, connection: _Connection, text: bytes) -> Iterator[Statement]:
        """Lines without anything before them: the client's, as far as a literal of it is under way."""
        literals = connection.literals[Direction.CLIENT]
        if literals.owed and (literals.begun or text):
            yield self._sent(connection, text)

    def _sent(self, connection: _Connection, text: bytes) -> Said:
        """A line of the client; behind the last byte of a literal its end may be missing, and is logged apart then."""
        literals = connection.literals[Direction.CLIENT]
        data = text if 0 < literals.owed == len(text) else text + _END
        literals.feed(data)
        return Said(connection.key, Direction.CLIENT, data, connection.at)

    def _flush(self, connection: _Connection) -> Iterator[Statement]:
        """The server's line is whole."""
        text, connection.heard = connection.heard, None
        if text is None:
            return
        missing = 0 if connection.size is None else connection.size - len(text) - len(_END)
        end = b"\n" if missing == -1 else _END
        if missing > 0:
            missing = min(missing, _FILLED_MOST)
            connection.lost += missing
            yield Said(connection.key, Direction.SERVER, text, connection.at)
            for start in range(0, missing, len(_FILLER)):
                yield Said(connection.key, Direction.SERVER, _FILLER[: missing - start], connection.at)
            text = b""
        yield Said(connection.key, Direction.SERVER, text + end, connection.at)


def _moment(text: bytes | None) -> int | None:
    if text is None:
        return None
    try:
        moment = dt.datetime.fromisoformat(text.decode("ascii")).replace(tzinfo=dt.UTC)
    except ValueError:
        return None
    return int(moment.timestamp()) * 1_000_000 + moment.microsecond
