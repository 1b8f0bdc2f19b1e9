"""Sessions typed into telnet or openssl: nothing says whose a line is, but for what it says."""

from __future__ import annotations

import re
from collections import deque
from typing import TYPE_CHECKING, NamedTuple

from imaptap.importing.sessions import Sessions
from imaptap.importing.sides import completed, is_greeting, known_command
from imaptap.importing.values import UNTOLD, Remark
from imaptap.meaning.words import counted
from proxy.imap.commands import read_head
from proxy.imap.transcript import Direction, Ending, Layer

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from imaptap.importing.values import Statement

_TELNET = re.compile(rb"Connected to ([!-~]{1,255}?)\.?\Z")
_OPENSSL = re.compile(rb"CONNECTED\([0-9A-Fa-f]+\)\Z")
_SHELL = re.compile(rb"\bs_client\b.*-connect[ =]+([!-~]{1,255})|\btelnet\s+([!-~]{1,255}(?:\s+[0-9a-z]{1,10})?)")
_ENDINGS = {
    b"Connection closed by foreign host.": Ending.SERVER,
    b"closed": Ending.SERVER,
    b"Connection closed.": Ending.CLIENT,
}
_OPEN_MOST = 1000
"""Commands that may wait for their completion."""


class _Waiting(NamedTuple):
    """A line that is no known command: what comes next says whether it is one at all."""

    number: int
    text: bytes


class Typed:
    """Reads one file, line by line."""

    def __init__(self, path: Path) -> None:
        self._sessions = Sessions(path)
        self._upstream = "unknown"
        self._layer: Layer | None = None
        self._tags: deque[bytes | None] = deque(maxlen=_OPEN_MOST)
        """Of commands that wait for their completion."""
        self._overtaken: tuple[int, bytes] | None = None
        """The line of the first command with the tag of one that still waits, and that tag."""
        self._used: deque[bytes] = deque(maxlen=_OPEN_MOST)
        """Tags that were used before."""
        self._answers: str | None = None
        """What the command does whose `+` comes next: IDLE or AUTHENTICATE."""
        self._invited = False
        """Whether the server has said `+` since the client spoke."""
        self._waiting: _Waiting | None = None
        self._noise: tuple[int, int] | None = None

    def line(self, number: int, text: bytes) -> Iterator[Statement]:
        """The next line, without its end."""
        if self._waiting is not None and text.strip():
            waiting, self._waiting = self._waiting, None
            if self._explains(waiting.text, text):
                yield from self._client(waiting.number, waiting.text)
            else:
                yield from self._nobody(waiting.number, waiting.text)
        side = self._sessions.within()
        if side is not None and not (side is Direction.CLIENT and self._awaited(text)):
            yield from self._sessions.say(number, side, text)
        elif text.strip():
            yield from self._text(number, text)

    def end(self) -> Iterator[Statement]:
        """There are no more."""
        if self._waiting is not None:
            yield from self._nobody(*self._waiting)
        yield from self._end()
        if self._noise is not None:
            first, count = self._noise
            lines = counted(count, "line within sessions is", "lines within sessions are")
            text = f"{lines} neither side's, the first in line {first:,}"
            yield Remark(None, "passed over", text)

    def _awaited(self, text: bytes) -> bool:
        """Whether the server speaks, while a literal of the client is due: it asks for it, or does not want it."""
        waits = self._sessions.literals[Direction.CLIENT].waits
        return waits and (text.startswith((b"+", b"* ")) or self._completes(text))

    def _completes(self, text: bytes) -> bool:
        return completed(text) in self._tags

    def _explains(self, text: bytes, following: bytes) -> bool:
        """Whether the line behind it makes this one a command: it is the answer."""
        tag = read_head(text).tag
        if completed(following) == tag:
            return True
        answered = following.startswith((b"* ", b"+")) and not is_greeting(following)
        return answered and (known_command(text) or tag in self._used)

    def _text(self, number: int, text: bytes) -> Iterator[Statement]:
        """A line outside of literals."""
        whose = self._whose(text)
        if whose is Direction.SERVER:
            if self._sessions.key is None:
                yield from self._sessions.begin(self._upstream, self._layer)
            yield from self._server(number, text)
        elif whose is Direction.CLIENT:
            yield from self._client(number, text)
        elif text not in _ENDINGS and (head := read_head(text)).legal and head.name:
            self._waiting = _Waiting(number, text)
        else:
            yield from self._nobody(number, text)

    def _whose(self, text: bytes) -> Direction | None:
        """Who says it, as far as it tells by itself."""
        if self._sessions.key is None:
            return Direction.SERVER if is_greeting(text) else None
        if text.startswith((b"* ", b"+ ")) or text == b"+" or self._completes(text):
            return Direction.SERVER
        invited = self._invited and (self._answers == "AUTHENTICATE" or text.upper() == b"DONE")
        return Direction.CLIENT if invited or known_command(text) else None

    def _server(self, number: int, text: bytes) -> Iterator[Statement]:
        tag = completed(text)
        if text.startswith(b"+"):
            self._invited = True
        elif tag in self._tags:
            self._tags.remove(tag)
            self._answers, self._invited = None, False
        yield from self._sessions.say(number, Direction.SERVER, text)

    def _client(self, number: int, text: bytes) -> Iterator[Statement]:
        if self._sessions.key is None:
            yield from self._sessions.begin(self._upstream, self._layer)
        if self._answers is None or not self._invited:
            head = read_head(text)
            if self._overtaken is None and head.tag in self._tags:
                self._overtaken = number, head.tag
            self._tags.append(head.tag)
            self._used.append(head.tag)
            self._answers = head.name if head.name in {"IDLE", "AUTHENTICATE"} else None
        self._invited = False
        yield from self._sessions.say(number, Direction.CLIENT, text)

    def _nobody(self, number: int, text: bytes) -> Iterator[Statement]:
        """What telnet, openssl or the shell say about the connection."""
        text = text.strip()
        if ending := _ENDINGS.get(text):
            yield from self._end(ending, text.decode("ascii").rstrip("."))
        elif found := _TELNET.match(text):
            yield from self._end()
            self._upstream, self._layer = f"imap://{found[1].decode('ascii')}", Layer.PLAIN
        elif _OPENSSL.match(text):
            upstream = self._upstream
            yield from self._end()
            self._upstream, self._layer = upstream, Layer.TLS
        elif found := _SHELL.search(text):
            yield from self._end()
            self._upstream = (found[1] or b":".join(found[2].split())).decode("ascii")
        elif self._sessions.key is not None:
            first, count = self._noise or (number, 0)
            self._noise = (first, count + 1)

    def _end(self, ending: Ending = Ending.CUT, reason: str = UNTOLD) -> Iterator[Statement]:
        """The session is over. Where one completion is lacking, what comes is taken for an earlier one's (M 3.2)."""
        if self._overtaken is not None and self._overtaken[1] in self._tags:
            where = f"line {self._overtaken[0]:,}, where the next command with the same tag begins"
            self._sessions.notes.append(
                f"no completion stands before {where}: what ends a command from there on may be another's"
            )
        yield from self._sessions.end(ending, reason)
        self._forget()

    def _forget(self) -> None:
        self._overtaken = None
        self._upstream, self._layer, self._answers, self._invited = "unknown", None, None, False
        self._tags.clear()
