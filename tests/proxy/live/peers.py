"""Two peers that know IMAP well enough to foresee which commands are in flight: a model that shares nothing with ours.

What a peer says is made of `Part`s. Each part changes the model once all of it has been sent, so that both peers may
be cut off in the middle of anything, and go on after the other one has spoken.
"""

from __future__ import annotations

import enum
import zlib
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass, field

from proxy.imap.transcript import Direction
from tests.proxy.imap.logins import MARKER, b64, quoted

CLIENT, SERVER = Direction.CLIENT, Direction.SERVER
PASSWORD = quoted(MARKER)


class Mood(enum.Enum):
    """What the client may say next."""

    FREE = enum.auto()
    LITERAL = enum.auto()  # waits for the go-ahead to a literal
    SASL = enum.auto()  # waits for a challenge
    CHALLENGED = enum.auto()  # owes an answer to one
    IDLE = enum.auto()  # waits for the go-ahead to IDLE
    IDLING = enum.auto()
    BLOCKED = enum.auto()  # waits for the answer to COMPRESS


@dataclass(eq=False)
class Command:
    """A command in flight. `sent` once all of it has been said."""

    tag: bytes
    name: str
    sent: bool = False
    literal: bytes = b""


def _nothing() -> None:
    """Nothing changes."""


@dataclass
class Part:
    """Bytes, and what changes when they have come: `first` once it is clear what they begin with, `then` at the end.

    `arrives` is what the other side is to get instead of them, where that is not the same.
    """

    data: bytes
    then: Callable[[], None] = _nothing
    first: Callable[[], None] = _nothing
    arrives: bytes | None = None


@dataclass
class Peer:
    """One side: what it still has to say of what it has begun."""

    parts: deque[Part] = field(default_factory=deque[Part])
    left: bytes = b""
    """What is left of the first part, as it goes over the wire."""
    half: bytes = b""
    """What of that part has been sent."""
    said: bytearray = field(default_factory=bytearray)
    arrived: bytearray = field(default_factory=bytearray)
    """What the other side should have got of all parts that have been sent to their end."""
    deflater: zlib._Compress | None = None  # type: ignore[name-defined]

    @property
    def busy(self) -> bool:
        """Whether it is in the middle of something."""
        return bool(self.parts)


class Peers:
    """Both of them, and what is in flight between them."""

    def __init__(self) -> None:
        self.client, self.server = Peer(), Peer()
        self.mood = Mood.FREE
        self.waiting: Command | None = None
        """The command that the mood is about."""
        self.open: list[Command] = []
        self.compressed = self.authenticated = False
        self.told = False
        """Whether the server has heard the password, all of it."""
        self.lost = False
        """Whether somebody has talked nonsense or lied: nobody can foresee anything any more."""

    def peer(self, direction: Direction) -> Peer:
        """The one on this side."""
        return self.client if direction is CLIENT else self.server

    def begin(self, direction: Direction, *parts: Part) -> None:
        """This side begins to say something."""
        self.peer(direction).parts.extend(parts)

    def next(self, direction: Direction, most: int) -> bytes:
        """The next bytes of what this side has begun, `most` or fewer."""
        peer = self.peer(direction)
        out = b""
        while peer.parts and len(out) < most:
            part = peer.parts[0]
            peer.left = peer.left or _wrapped(peer, part.data)
            taken, peer.left = peer.left[: most - len(out)], peer.left[most - len(out) :]
            out += taken
            peer.half += taken
            if not peer.left:
                self._end_part(direction, peer.parts.popleft())
        peer.said += out
        return out

    def _end_part(self, direction: Direction, part: Part) -> None:
        peer = self.peer(direction)
        peer.arrived += peer.half if part.arrives is None else part.arrives
        peer.half = b""
        if direction is SERVER:
            self._at_the_cr()
        part.first()
        part.then()

    def _at_the_cr(self) -> None:
        """A line of which only the LF is missing counts when the server speaks: some answer at the CR (M 3.5)."""
        if self.client.left == b"\n" and not self.compressed:
            part = self.client.parts[0]
            part.first()
            part.first = _nothing

    @property
    def foreseeable(self) -> bool:
        """Whether it can be said right now what is in flight: not at a CR, nor within deflated bytes, which may hold
        whole lines."""
        inside = self.compressed and (self.client.busy or self.server.busy)
        return not self.lost and not inside and self.client.left != b"\n"

    @property
    def answerable(self) -> list[Command]:
        """The commands that the server may complete now: sent, and the oldest of their tag."""
        oldest = {command.tag: command for command in reversed(self.open)}
        return [command for command in oldest.values() if command.sent]

    # --- what a client may say

    def command(self, tag: bytes, words: bytes) -> None:
        """A command of one line."""
        command = Command(tag, words.split()[0].decode())

        def sent() -> None:
            command.sent = True
            self.told |= command.name == "LOGIN"
            self._set_mood(command)

        self.begin(CLIENT, Part(tag + b" " + words + b"\r\n", sent, lambda: self.open.append(command)))

    def starttls(self, tag: bytes) -> None:
        """Answered by imaptap: no server hears of it."""
        self.begin(CLIENT, Part(tag + b" STARTTLS\r\n", arrives=b""))

    def _set_mood(self, command: Command) -> None:
        moods = {"AUTHENTICATE": Mood.SASL, "IDLE": Mood.IDLE, "COMPRESS": Mood.BLOCKED}
        if command.name in moods:
            self.mood, self.waiting = moods[command.name], command

    def with_literal(self, tag: bytes, words: bytes, content: bytes, *, plus: bool) -> None:
        """A command that ends with a literal."""
        command = Command(tag, words.split()[0].decode(), literal=content)
        head = b"%s %s{%d%s}\r\n" % (tag, words, len(content), b"+" if plus else b"")

        def announced() -> None:
            if not plus:
                self.mood, self.waiting = Mood.LITERAL, command

        self.begin(CLIENT, Part(head, announced, lambda: self.open.append(command)))
        if plus:
            self.begin(CLIENT, self._content(command))

    def _content(self, command: Command) -> Part:
        def sent() -> None:
            command.sent = True
            self.told |= command.name == "LOGIN"

        return Part(command.literal + b"\r\n", sent)

    def answer(self, data: bytes) -> None:
        """To a challenge."""

        def sent() -> None:
            if self.mood is Mood.CHALLENGED:
                self.mood = Mood.SASL

        self.begin(CLIENT, Part(data + b"\r\n", sent))

    def done(self) -> None:
        """The end of IDLE. If that has ended by itself meanwhile, the line looks like a command."""
        idle = self.waiting

        def judged() -> None:
            if idle not in self.open:
                self.open.append(Command(b"DONE", "", sent=True))

        def sent() -> None:
            if self.waiting is idle:
                self.mood, self.waiting = Mood.FREE, None

        self.begin(CLIENT, Part(b"DONE\r\n", sent, judged))

    # --- what a server may say

    def go_ahead(self) -> None:
        """`+`, to whoever waits for it. A client that has a literal to send does so at once."""

        def said() -> None:
            waiting, mood = self.waiting, self.mood
            if mood is Mood.LITERAL and waiting:
                self.mood, self.waiting = Mood.FREE, None
                self.begin(CLIENT, self._content(waiting))
            elif mood is Mood.SASL:
                self.mood = Mood.CHALLENGED
            elif mood is Mood.IDLE:
                self.mood = Mood.IDLING

        self.begin(SERVER, Part(b"+ " + b64(b"challenge") + b"\r\n", said))

    def complete(self, command: Command, status: bytes, text: bytes) -> None:
        """The tagged answer. Nobody is let into a mailbox before a login."""
        if command.name == "SELECT" and not self.authenticated:
            status = b"NO"

        def said() -> None:
            self.open.remove(command)
            if status == b"OK" and command.name in {"LOGIN", "AUTHENTICATE", "LOGOUT"}:
                self.authenticated = command.name != "LOGOUT"
            if self.waiting is command:
                self.mood, self.waiting = Mood.FREE, None
            if command.name == "COMPRESS" and status == b"OK":
                self.compressed = True
                for peer in (self.client, self.server):
                    peer.deflater = zlib.compressobj(9, wbits=-zlib.MAX_WBITS)

        self.begin(SERVER, Part(command.tag + b" " + status + b" " + text + b"\r\n", said))

    def greet(self, line: bytes, arrives: bytes) -> None:
        """The first thing that is said."""

        def said() -> None:
            self.authenticated = b"PREAUTH" in line

        self.begin(SERVER, Part(line, said, arrives=arrives))

    def data(self, data: bytes, arrives: bytes | None = None) -> None:
        """Untagged data."""
        self.begin(SERVER, Part(data, arrives=arrives))


def _wrapped(peer: Peer, data: bytes) -> bytes:
    return peer.deflater.compress(data) + peer.deflater.flush(zlib.Z_SYNC_FLUSH) if peer.deflater else data
