"""Conversations as people write them down: `tests/scripts/*.imap`, read strictly.

A file is a list of steps in the order in which they went over the wire, each with what must become of it:

    # why this conversation is told
    C: a LOGIN bob secret            the client sends this line (CRLF is added)
    ~ a LOGIN bob xxxxxx             ... which is recorded so; without this, exactly as it was sent
    S: a OK done                     the server sends this line
    @ 1 sure                         ... which belongs to exchange 1, surely ("-": to none; "open 2 3": beside these)
    & 2 sure                         ... and to exchange 2, once it has been read whole
    ? selected INBOX                 ... after which the session is in this state
    % uids 1:3=101:103               ... in which this is so: see tests/proxy/imap/view/seeing.py for the words
    C> abc                           exact bytes, no line end added (S> for the server)
    deflate                          what follows is compressed on the wire, both ways
    tls                              what follows is protected
    ending cut                       how the session ends ("closed by client" where nothing is said)
    = 1 a LOGIN OK [CODE]; data CAPABILITY, FETCH 3; marks tag reused; mailbox INBOX; args bob xxxxxx; text done
    ! notice orphan

`=` lines are all exchanges in order: tag, command ("-": none), status or outcome in parentheses or both, code; `data`,
`marks` and `mailbox` where there are any; `args` and `text` are compared where they are given. `!` lines are all
events in order, secrets apart. Bytes: `«0d 0a»` in hex, `«5000*x»` repeated, `«base64:\\0bob\\0secret»` encoded,
`«x:secret»` and `«x:base64:secret»` the mask of such bytes.
"""

from __future__ import annotations

import base64
import re
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from proxy.imap.transcript import Direction, Ending, Layer
from tests.proxy.imap.playing import Said, Secured, Turn

FOLDER = Path(__file__).resolve().parents[2] / "scripts"

_STEP = re.compile(r"([CS])([:>])(?: (.*))?")
_ESCAPE = re.compile(r"«([^»]*)»")
_HEX = re.compile(r"[0-9a-f]{2}(?: [0-9a-f]{2})*")
_REPEAT = re.compile(r"([0-9]+)\*(.)")


@dataclass(slots=True)
class Step:
    """One thing said, and what must become of it. `clear` is what it means, `turn` how it goes over the wire."""

    line: int
    turn: Said
    clear: bytes
    offset: int
    recorded: bytes
    whole_line: bool
    whose: str | None = None
    state: str | None = None
    seen: str | None = None
    facts: list[str] = field(default_factory=list[str])


@dataclass(slots=True)
class Script:
    """A whole file."""

    name: str
    turns: list[Turn] = field(default_factory=list[Turn])
    steps: list[Step] = field(default_factory=list[Step])
    exchanges: list[str] = field(default_factory=list[str])
    events: list[str] = field(default_factory=list[str])
    ending: Ending = Ending.CLIENT


class BadScriptError(Exception):
    """The file breaks the rules above."""


def load(path: Path) -> Script:
    """Read one file."""
    return read(path.name, path.read_text("utf-8"))


def everything() -> list[Path]:
    """All script files."""
    return sorted(FOLDER.glob("*.imap"))


def read(name: str, text: str) -> Script:
    """Read the text of a file."""
    reader = _Reader(Script(name))
    for number, line in enumerate(text.splitlines(), 1):
        try:
            reader.line(number, line)
        except BadScriptError as error:
            raise BadScriptError(f"{name}:{number}: {error}") from None
    return reader.script


class _Reader:
    def __init__(self, script: Script) -> None:
        self.script = script
        self._layer = Layer.PLAIN
        self._deflaters: dict[Direction, zlib._Compress] = {}  # type: ignore[name-defined]
        self._offsets = dict.fromkeys(Direction, 0)

    def line(self, number: int, line: str) -> None:
        if not line or line.startswith("#"):
            return
        if match := _STEP.fullmatch(line):
            self._step(number, match)
            return
        word, _, rest = line.partition(" ")
        directive = getattr(self, "_on_" + _DIRECTIVES.get(word, ""), None)
        if directive is None:
            raise BadScriptError(f"unknown directive {word!r}")
        directive(rest)

    def _step(self, number: int, match: re.Match[str]) -> None:
        direction = Direction.CLIENT if match[1] == "C" else Direction.SERVER
        data = _bytes(match[3] or "") + (b"\r\n" if match[2] == ":" else b"")
        turn = Said(direction, self._wrapped(direction, data), self._layer)
        self.script.turns.append(turn)
        self.script.steps.append(Step(number, turn, data, self._offsets[direction], data, match[2] == ":"))
        self._offsets[direction] += len(data)

    def _wrapped(self, direction: Direction, data: bytes) -> bytes:
        deflater = self._deflaters.get(direction)
        return deflater.compress(data) + deflater.flush(zlib.Z_SYNC_FLUSH) if deflater else data

    def _last(self) -> Step:
        if not self.script.steps:
            raise BadScriptError("nothing has been said yet")
        return self.script.steps[-1]

    def _on_recorded(self, rest: str) -> None:
        step = self._last()
        step.recorded = _bytes(rest) + (b"\r\n" if step.whole_line else b"")
        if len(step.recorded) != len(step.clear) or step.recorded == step.clear:
            raise BadScriptError("a mask has the length of what it hides, and hides something (M 7.8)")

    def _on_whose(self, rest: str) -> None:
        if not re.fullmatch(r"(?:-|\d+) (?:sure|likely|ambiguous|unsolicited)(?: open(?: \d+)+)?", rest):
            raise BadScriptError("@ NUMBER CERTAINTY [open NUMBER ...]")
        self._last().whose = rest

    def _on_seen(self, rest: str) -> None:
        if not re.fullmatch(r"(?:-|\d+) (?:sure|likely|ambiguous|unsolicited)", rest):
            raise BadScriptError("& NUMBER CERTAINTY")
        self._last().seen = rest

    def _on_fact(self, rest: str) -> None:
        self._last().facts.append(rest)

    def _on_state(self, rest: str) -> None:
        self._last().state = rest

    def _on_exchange(self, rest: str) -> None:
        self.script.exchanges.append(_bytes(rest).decode())

    def _on_event(self, rest: str) -> None:
        self.script.events.append(rest)

    def _on_deflate(self, _: str) -> None:
        self._deflaters = {d: zlib.compressobj(wbits=-zlib.MAX_WBITS) for d in Direction}

    def _on_tls(self, _: str) -> None:
        self._layer = Layer.TLS
        self.script.turns.append(Secured())

    def _on_ending(self, rest: str) -> None:
        try:
            self.script.ending = Ending(rest)
        except ValueError:
            raise BadScriptError(f"no ending: {rest!r}") from None


_DIRECTIVES = {
    "~": "recorded",
    "@": "whose",
    "&": "seen",
    "?": "state",
    "%": "fact",
    "=": "exchange",
    "!": "event",
    "deflate": "deflate",
    "tls": "tls",
    "ending": "ending",
}


def _bytes(text: str) -> bytes:
    return b"".join(_parts(text))


def _parts(text: str) -> Iterator[bytes]:
    for index, part in enumerate(_ESCAPE.split(text)):
        yield _escaped(part) if index % 2 else part.encode()


def _escaped(text: str) -> bytes:
    if _HEX.fullmatch(text):
        return bytes.fromhex(text)
    if match := _REPEAT.fullmatch(text):
        return match[2].encode() * int(match[1])
    if text.startswith("base64:"):
        return base64.b64encode(text[7:].encode("latin-1").decode("unicode_escape").encode("latin-1"))
    if text.startswith("x:"):
        return b"x" * len(_escaped(text[2:]) if text.startswith("x:base64:") else text[2:].encode())
    raise BadScriptError(f"unknown escape «{text}»")
