"""The STARTTLS that imaptap itself sends upstream, before the client hears anything (M 6.3-6.7)."""

from __future__ import annotations

import enum
from dataclasses import dataclass

from proxy.imap.capabilities import Rewrite, without_list
from proxy.imap.responses import read_response
from proxy.imap.transcript import Direction
from proxy.imap.units import Boundary, UnitReader


class Step(enum.Enum):
    """What is due after a chunk of the server's."""

    WAIT = enum.auto()
    SEND = enum.auto()  # the greeting has come: send the command
    SECURE = enum.auto()  # start TLS now
    BYE = enum.auto()  # the server does not want us: its greeting goes to the client as it is
    PREAUTH = enum.auto()  # already authenticated, in clear: STARTTLS is not possible any more
    REFUSED = enum.auto()  # no STARTTLS here
    INJECTED = enum.auto()  # bytes in clear behind the OK: an attack
    NO_IMAP = enum.auto()


@dataclass(frozen=True, slots=True)
class Moved:
    """A step, with the line that led to it."""

    step: Step
    line: bytes = b""


CLEAR_MAX = 256 * 1024
"""Bytes that a server may say before it has agreed to STARTTLS."""


class Upgrade:
    """Follows the server from its greeting to the OK to STARTTLS."""

    def __init__(self, tag: bytes) -> None:
        """`tag` must be one that no client uses (M 6.4)."""
        self.command = tag + b" STARTTLS\r\n"
        self.greeting = b""
        """The greeting for the client: without its capability list, which was said in clear."""
        self.rewrites: list[Rewrite] = []
        self._tag = tag
        self._reader = UnitReader(Direction.SERVER)
        self._line = b""

    def receive(self, chunk: bytes) -> Moved:
        """The server has sent this chunk."""
        pos, moved = 0, Moved(Step.WAIT)
        while pos < len(chunk):
            boundary, end = self._reader.read(chunk, pos)
            self._line += chunk[pos:end]
            pos = end
            if boundary is Boundary.UNIT:
                unit = self._reader.take_unit()
                line, self._line = self._line, b""
                step = self._unit(line, unit.start)
                if step is Step.SECURE and pos < len(chunk):
                    return Moved(Step.INJECTED, chunk[pos:])
                if step not in {Step.WAIT, Step.SEND}:
                    return Moved(step, line)
                # More may follow the greeting in its segment; the command is due all the same.
                moved = Moved(step, line) if step is Step.SEND else moved
        return Moved(Step.NO_IMAP, self._line[:80]) if self._reader.offset > CLEAR_MAX else moved

    def _unit(self, line: bytes, start: int) -> Step:
        head = read_response(line)
        if not self.greeting:
            return self._greet(line, start, head.status or "")
        # Whatever comes in clear before the handshake is not to be trusted, and does not reach the client (M 6.8).
        self.rewrites.append(Rewrite(start, line, b"", "starttls"))
        if head.tag != self._tag:
            return Step.WAIT
        return Step.SECURE if head.status == "OK" else Step.REFUSED

    def _greet(self, line: bytes, start: int, status: str) -> Step:
        rewrite = without_list(line, start)
        self.greeting = line
        if status == "OK":
            if rewrite:
                at = rewrite.offset - start
                self.greeting = line[:at] + line[at + len(rewrite.received) :]
                self.rewrites.append(rewrite)
            return Step.SEND
        return {"BYE": Step.BYE, "PREAUTH": Step.PREAUTH}.get(status, Step.NO_IMAP)
