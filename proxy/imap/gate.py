"""What must be seen before it is passed on: capability lists, STARTTLS and its answer (M 6.1-6.9).

A gate stands in the forward path of one direction only while there is something to rewrite or to intercept; in all
other times bytes are forwarded before anyone looks at them. It frames by itself, holds back no more than one line of
LINE_MAX bytes, and only if that line may be the one it waits for.
"""

from __future__ import annotations

import enum
import re
from dataclasses import dataclass

from proxy.imap.capabilities import CapabilityRewriter, Rewrite, Words, begins, may_hold_list, squeezed
from proxy.imap.transcript import Direction
from proxy.imap.units import LITERAL_REFUSED, Boundary, UnitReader

LINE_MAX = 16 * 1024

_COMMAND = re.compile(rb"([^ \r\n]++) ++([^ \r\n]++)")
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
    PREAUTH = enum.auto()  # the server greets with PREAUTH in clear, and the upstream has to be encrypted


class StartTls(enum.Enum):
    """What a client's STARTTLS is to this session."""

    OURS = enum.auto()
    RELAYED = enum.auto()
    DENIED = enum.auto()


@dataclass(frozen=True, slots=True)
class Passed:
    """What a gate did with a chunk: bytes to forward, rewrites among them, what to do then.

    `tag` names the STARTTLS command; `line` was kept from going on, and `rest` is what the chunk holds behind it: for
    DENY it is to be given to the gate again, for all others it may not be used.
    """

    forward: bytes
    rewrites: tuple[Rewrite, ...] = ()
    act: Act = Act.NONE
    tag: bytes = b""
    line: bytes = b""
    rest: bytes = b""


class ServerGate:
    """Rewrites capability lists on their way to the client, and sees the answer to a relayed STARTTLS."""

    def __init__(self, words: Words, offset: int = 0, *, tls_required: bool = False) -> None:
        """`offset` is where in the server's stream the gate starts to look.

        With `tls_required`, a greeting of PREAUTH may not pass: STARTTLS is not possible after it (M 6.5).
        """
        self.rewriter = CapabilityRewriter(words)
        self.starttls_tag: bytes | None = None
        self.compress_tag: bytes | None = None
        self.done = False
        """Set when the stream is no longer IMAP in clear (COMPRESS): everything passes."""
        self._reader = UnitReader(Direction.SERVER)
        self._reader.offset = self._reader.unit_start = offset
        self._held = b""
        self._line_passed = False
        self._no_preauth = tls_required

    @property
    def held(self) -> int:
        """Bytes held back of a line that has not ended."""
        return len(self._held)

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
                act, line = self._line(part, out, ends=boundary is Boundary.UNIT)
                if act is not Act.NONE:
                    act = Act.INJECTED if act is Act.UPGRADE and pos < len(chunk) else act
                    return out.passed(act, self.starttls_tag or b"", line, chunk[pos:])
            else:
                out.add(part)
        out.add(chunk[pos:])
        return out.passed()

    def flush(self) -> bytes:
        """What is held back; the gate is taken away, or the stream has ended."""
        held, self._held = self._held, b""
        self._line_passed = True
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
        answers = any(
            tag is not None and start.startswith(tag + b" ") for tag in (self.starttls_tag, self.compress_tag)
        )
        return answers or may_hold_list(start) or (self._no_preauth and begins(squeezed(start), b"* PREAUTH"))

    def _line(self, part: bytes, out: _Output, *, ends: bool) -> tuple[Act, bytes]:
        """Pass a line on, or return it with the reason: it may not go on now."""
        line = self._held + part
        self._held = b""
        first = len(self._reader.texts) == 1 and not self._line_passed and len(line) <= LINE_MAX
        start = self._reader.offset - len(line)
        self._line_passed = False
        act = self._stops(line, ends=ends) if first else Act.NONE
        if ends:
            self._reader.take_unit()
            self._no_preauth = False
        if act is not Act.NONE:
            return act, line
        out.add(line, self.rewriter.rewrite(line, start) if first else None, start)
        if first and ends:
            self._after(line)
        return Act.NONE, b""

    def _stops(self, line: bytes, *, ends: bool) -> Act:
        if self._no_preauth and squeezed(line).startswith((b"* PREAUTH ", b"* PREAUTH\r", b"* PREAUTH\n")):
            return Act.PREAUTH
        # The OK must wait for the handshake upstream.
        return Act.UPGRADE if ends and self._answers(line, self.starttls_tag) == b"OK" else Act.NONE

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
        self.tls_required = tls_required
        self._awaiting = False
        self._reader = UnitReader(Direction.CLIENT)
        self._held = b""
        self._line_passed = False

    @property
    def held(self) -> int:
        """Bytes held back of a line that has not ended."""
        return len(self._held)

    def settled(self) -> None:
        """The server has refused the relayed STARTTLS: commands pass again."""
        self._awaiting = False

    def literal_refused(self) -> None:
        """If the client has announced a literal that it may send when it is asked to: it will not be (M 4.3)."""
        literal = self._reader.literal
        if literal is not None and literal.synchronising and self._reader.untouched:
            self._reader.cut(LITERAL_REFUSED)
            self._line_passed = False

    def flush(self) -> bytes:
        """What is held back; the gate is taken away, or the stream has ended."""
        held, self._held = self._held, b""
        self._line_passed = True
        return held

    def receive(self, chunk: bytes) -> Passed:
        """The client has sent this chunk."""
        out = _Output()
        if self._awaiting:
            return out.passed(Act.INJECTED, rest=chunk)
        pos = 0
        while pos < len(chunk):
            boundary, end = self._reader.read(chunk, pos)
            part = chunk[pos:end]
            pos = end
            if boundary in {Boundary.PARTIAL, Boundary.LINE, Boundary.UNIT}:
                act, tag, line = self._text(part, out, boundary)
                if boundary is Boundary.UNIT:
                    self._reader.take_unit()
                    self._line_passed = False
                if act is not Act.NONE:
                    late = pos < len(chunk) and act in {Act.ANSWER, Act.RELAY}
                    return out.passed(Act.INJECTED if late else act, tag, line, chunk[pos:])
            else:
                out.add(part)
        return out.passed()

    def _text(self, part: bytes, out: _Output, boundary: Boundary) -> tuple[Act, bytes, bytes]:
        """Pass a part of a line on, hold it back, or return it with the reason why it may not go on."""
        line = self._held + part
        self._held = b""
        if not self._line_passed:
            command = _COMMAND.match(line[:LINE_MAX])
            if boundary is Boundary.PARTIAL and self._undecided(line, command):
                self._held = line
                return Act.NONE, b"", b""
            self._line_passed = True
            act = self._act(command, line, ends=boundary is Boundary.UNIT)
            if act is not Act.NONE:
                if act is Act.RELAY:
                    out.add(line)
                    line = b""
                return act, command[1] if command else b"", line
        out.add(line)
        return Act.NONE, b"", b""

    def _undecided(self, line: bytes, command: re.Match[bytes] | None) -> bool:
        """Whether more of the line has to come: its command's name has not ended, or is the one that is watched for."""
        if len(line) > LINE_MAX:
            return False
        return command is None or command.end() == len(line) or command[2].upper() == b"STARTTLS"

    def _act(self, command: re.Match[bytes] | None, line: bytes, *, ends: bool) -> Act:
        if self.tls_required and not self._harmless(command, line):
            return Act.IN_CLEAR
        if command is None or command[2].upper() != b"STARTTLS" or not ends or len(line) > LINE_MAX:
            return Act.NONE
        if self.authenticated and not self.upstream_clear:
            return Act.NONE
        if self.starttls is StartTls.RELAYED:
            self._awaiting = True
            return Act.RELAY
        return Act.DENY if self.starttls is StartTls.DENIED or self.authenticated else Act.ANSWER

    def _harmless(self, command: re.Match[bytes] | None, line: bytes) -> bool:
        """Whether this may be said in clear: one of a few commands, or nothing. What cannot be read is not harmless.

        That a greeting of PREAUTH has made the session an authenticated one changes nothing here (M 6.5).
        """
        return command[2].upper() in _BEFORE_TLS if command else line in {b"\r\n", b"\n"}


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

    def passed(self, act: Act = Act.NONE, tag: bytes = b"", line: bytes = b"", rest: bytes = b"") -> Passed:
        forward = self._parts[0] if len(self._parts) == 1 else b"".join(self._parts)
        return Passed(forward, tuple(self._rewrites), act, tag, line, rest)
