"""What must be seen before it is passed on: capability lists, STARTTLS and its answer (M 6.1-6.9).

A gate stands in the forward path of one direction only while there is something to rewrite or to intercept; in all
other times bytes are forwarded before anyone looks at them. It frames by itself, holds back no more than one line of
LINE_MAX bytes, and only if that line may be the one it waits for.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

from proxy.imap.capabilities import CapabilityRewriter, Rewrite, Words, may_hold_list
from proxy.imap.transcript import Direction
from proxy.imap.units import Boundary, UnitReader

LINE_MAX = 16 * 1024

_COMMAND = re.compile(rb"([^ \r\n]+) +([^ \r\n]+)")
_BEFORE_TLS = frozenset({b"CAPABILITY", b"NOOP", b"LOGOUT", b"ID", b"STARTTLS", b"ENABLE", b"LANGUAGE"})


class Act(enum.Enum):
    """What the live side has to do after passing on what the gate let through."""

    NONE = enum.auto()
    ANSWER = enum.auto()  # answer the client's STARTTLS and start TLS with it
    DENY = enum.auto()  # answer the client's STARTTLS with BAD
    RELAY = enum.auto()  # the client's STARTTLS was passed on; its answer is awaited
    UPGRADE = enum.auto()  # the server said OK to the relayed STARTTLS: two handshakes are due
    INJECTED = enum.auto()  # bytes in clear where only TLS may follow: an attack
    IN_CLEAR = enum.auto()  # the client wants to log in before TLS, and the upstream has to be encrypted


class StartTls(enum.Enum):
    """What a client's STARTTLS is to this session."""

    OURS = enum.auto()
    RELAYED = enum.auto()
    DENIED = enum.auto()


@dataclass(frozen=True, slots=True)
class Passed:
    """What a gate did with a chunk: bytes to forward, rewrites among them, what to do then.

    `tag` names the STARTTLS command; `line` is the answer that was held back (for UPGRADE).
    """

    forward: bytes
    rewrites: tuple[Rewrite, ...] = ()
    act: Act = Act.NONE
    tag: bytes = b""
    line: bytes = b""


class ServerGate:
    """Rewrites capability lists on their way to the client, and sees the answer to a relayed STARTTLS."""

    def __init__(self, words: Words, offset: int = 0) -> None:
        """`offset` is where in the server's stream the gate starts to look."""
        self.rewriter = CapabilityRewriter(words)
        self.starttls_tag: bytes | None = None
        self.compress_tag: bytes | None = None
        self.done = False
        """Set when the stream is no longer IMAP in clear (COMPRESS): everything passes."""
        self._reader = UnitReader(Direction.SERVER)
        self._reader.offset = self._reader.unit_start = offset
        self._held = b""
        self._line_passed = False

    def receive(self, chunk: bytes) -> Passed:
        """The server has sent this chunk."""
        if self.done:
            return Passed(chunk)
        out = _Output()
        pos = 0
        while pos < len(chunk) and not self.done:
            boundary, end = self._reader.read(chunk, pos)
            part = chunk[pos:end]
            pos = end
            if boundary is Boundary.PARTIAL:
                self._partial(part, out)
            elif boundary in {Boundary.LINE, Boundary.UNIT}:
                act = self._line(part, out, ends=boundary is Boundary.UNIT)
                if act is not None:
                    late = pos < len(chunk)
                    return out.passed(Act.INJECTED if late else Act.UPGRADE, self.starttls_tag or b"", act)
            else:
                out.add(part)
        out.add(chunk[pos:])
        return out.passed()

    def flush(self) -> bytes:
        """What is held back; the gate is taken away."""
        held, self._held = self._held, b""
        return held

    def _partial(self, part: bytes, out: _Output) -> None:
        line = self._held + part
        if not self._line_passed and not self._reader.texts and len(line) <= LINE_MAX and self._wanted(line):
            self._held = line
            return
        self._line_passed = True
        self._held = b""
        out.add(line)

    def _wanted(self, start: bytes) -> bool:
        return may_hold_list(start) or (self.starttls_tag is not None and start.startswith(self.starttls_tag + b" "))

    def _line(self, part: bytes, out: _Output, *, ends: bool) -> bytes | None:
        """Pass a line on, or return it: it is the OK to STARTTLS, which must wait for the handshake upstream."""
        line = self._held + part
        self._held = b""
        first = len(self._reader.texts) == 1 and not self._line_passed
        start = self._reader.offset - len(line)
        self._line_passed = False
        if ends:
            self._reader.take_unit()
        if first and ends and self._answers(line, self.starttls_tag) == b"OK":
            return line
        rewrite = self.rewriter.rewrite(line, start) if first else None
        out.add(line, rewrite, start)
        if first and ends:
            self._after(line)
        return None

    def _after(self, line: bytes) -> None:
        if self._answers(line, self.starttls_tag):
            self.starttls_tag = None  # refused: both sides stay as they are (M 6.5)
        answer = self._answers(line, self.compress_tag)
        if answer:
            self.done = answer == b"OK"
            self.compress_tag = None

    def _answers(self, line: bytes, tag: bytes | None) -> bytes | None:
        if tag is None or not line.startswith(tag + b" "):
            return None
        words = line[len(tag) :].split(None, 1)
        return words[0].upper() if words else None


class ClientGate:
    """Watches a client in clear for STARTTLS, which must not simply pass."""

    def __init__(self, starttls: StartTls, *, tls_required: bool) -> None:
        """With `tls_required`, no login may pass in clear (M 6.5)."""
        self.starttls = starttls
        self.authenticated = False
        self.upstream_clear = starttls is StartTls.DENIED
        """Whether a STARTTLS that passes would upgrade the upstream behind our back."""
        self._tls_required = tls_required
        self._awaiting = False
        self._reader = UnitReader(Direction.CLIENT)
        self._held = b""
        self._line_passed = False

    def settled(self) -> None:
        """The server has refused the relayed STARTTLS: commands pass again."""
        self._awaiting = False

    def flush(self) -> bytes:
        """What is held back; the gate is taken away."""
        held, self._held = self._held, b""
        return held

    def receive(self, chunk: bytes) -> Passed:
        """The client has sent this chunk."""
        out = _Output()
        if self._awaiting:
            return out.passed(Act.INJECTED)
        pos = 0
        while pos < len(chunk):
            boundary, end = self._reader.read(chunk, pos)
            part = chunk[pos:end]
            pos = end
            if boundary in {Boundary.PARTIAL, Boundary.LINE, Boundary.UNIT}:
                ends = boundary is Boundary.UNIT
                passed = self._text(part, out, partial=boundary is Boundary.PARTIAL, ends=ends, late=pos < len(chunk))
                if ends:
                    self._reader.take_unit()
                    self._line_passed = False
                if passed is not None:
                    return passed
            else:
                out.add(part)
        return out.passed()

    def _text(self, part: bytes, out: _Output, *, partial: bool, ends: bool, late: bool) -> Passed | None:
        line = self._held + part
        self._held = b""
        if not self._line_passed:
            command = _COMMAND.match(line)
            whole = not partial or (command is not None and command.end() < len(line))
            if not whole and len(line) <= LINE_MAX:
                self._held = line
                return None
            self._line_passed = True
            passed = self._command(command, line, out, ends=ends, late=late)
            if passed is not None:
                return passed
        out.add(line)
        return None

    def _command(
        self, command: re.Match[bytes] | None, line: bytes, out: _Output, *, ends: bool, late: bool
    ) -> Passed | None:
        if command is None:
            return None
        tag, name = command[1], command[2].upper()
        if self._tls_required and not self.authenticated and name not in _BEFORE_TLS:
            return out.passed(Act.IN_CLEAR, tag)
        if name != b"STARTTLS" or not ends or (self.authenticated and not self.upstream_clear):
            return None
        if self.starttls is StartTls.RELAYED:
            out.add(line)
            self._awaiting = True
            return out.passed(Act.INJECTED if late else Act.RELAY, tag)
        if self.starttls is StartTls.DENIED or self.authenticated:
            # A denied STARTTLS takes no bytes with it: what follows is read after the answer.
            return out.passed(Act.INJECTED if late else Act.DENY, tag, line)
        return out.passed(Act.INJECTED if late else Act.ANSWER, tag, line)


class _Output:
    """Collects what is passed on, without a copy where a chunk passes whole."""

    def __init__(self) -> None:
        self._parts: list[bytes] = []
        self._rewrites: list[Rewrite] = []

    def add(self, data: bytes, rewrite: Rewrite | None = None, start: int = 0) -> None:
        if rewrite is not None:
            at = rewrite.offset - start
            data = data[:at] + rewrite.sent + data[at + len(rewrite.received) :]
            self._rewrites.append(rewrite)
        if data:
            self._parts.append(data)

    def passed(self, act: Act = Act.NONE, tag: bytes = b"", line: bytes = b"") -> Passed:
        forward = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        return Passed(forward, tuple(self._rewrites), act, tag, line)
