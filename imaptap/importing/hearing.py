"""One session of a log, heard by the same language as live traffic: exchanges found, secrets masked (M 7)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from imaptap.importing.sides import known_command
from imaptap.importing.values import UNTOLD, Over, possible
from proxy.imap.conversation import Conversation
from proxy.imap.transcript import Direction, Ending, Event, EventKind, Layer, SessionOpened

if TYPE_CHECKING:
    from imaptap.importing.values import Begun, Remark, Said
    from proxy.imap.letters.policy import Bodies
    from proxy.imap.transcript import Record

TURN: Final = 1000
"""Microseconds that pass, where a log has no times, when the other side begins to speak: as in cassettes."""
IMPORTED: Final = "imported"
"""Name of the event that says where a session comes from."""
_TOGETHER: Final = 64 * 1024
_DOUBTED_MOST: Final = 1024 * 1024
"""Bytes of the server that may wait for the client to show whether it compresses."""


class Hearing:
    """Hears one session. `take` the records now and then."""

    def __init__(self, number: int, begun: Begun, source: str, now: int, bodies: Bodies) -> None:
        """`source` says what it comes from; `now` is when it is taken to have begun, where nobody says so; `bodies`
        what is kept of letters."""
        wall = possible(begun.wall)
        self.wall = now if wall is None else wall
        self.last = self.wall
        """When the last was said, where that is known."""
        self._number = number
        self._now = 0
        self._conversation = Conversation(number, recorded=not begun.deflated, bodies=bodies)
        if begun.logged_in:
            self._conversation.state.greet("PREAUTH")
        opened = SessionOpened(number, self.wall, begun.client, begun.listen, begun.upstream)
        self._records: list[Record] = [opened, self._event(IMPORTED, "; ".join((source, *begun.caveats)))]
        self._key: tuple[Direction, int, Layer] | None = None
        self._parts: list[bytes] = []
        self._size = 0
        self._turn: Direction | None = None
        self._deflated = begun.deflated
        self._doubted: list[tuple[bytes, int, Layer]] = []
        """What the server said since it was asked to compress."""
        self._doubts = 0

    def take(self) -> list[Record]:
        """The records made since the last time."""
        records, self._records = self._records, []
        return records

    def said(self, said: Said) -> None:
        """Go on with bytes; those that came together are heard together."""
        key = (said.direction, self._moment(said), said.layer)
        if key != self._key or self._size > _TOGETHER:
            self._pass_on()
            self._key = key
        self._parts.append(said.data)
        self._size += len(said.data)

    def remark(self, remark: Remark) -> None:
        """Put something on record, behind what was said."""
        self._pass_on()
        self._doubt_no_more()
        self._records.append(self._event(remark.name, remark.text, remark.direction))

    def close(self, over: Over) -> None:
        """It has ended."""
        self._pass_on()
        self._doubt_no_more()
        at = possible(over.at)
        if at is not None:
            self._now = max(self._now, at - self.wall)
        ending = Ending.SERVER if over.reason == UNTOLD and self._conversation.said_bye else over.ending
        self._conversation.close(self._now, ending, over.reason)
        self._records += self._conversation.take()

    def _moment(self, said: Said) -> int:
        """Microseconds since it began: later than before, where the other side begins to speak."""
        before, self._turn = self._turn, said.direction
        turned = before is not said.direction
        at = possible(said.at)
        if at is None:
            self._now += TURN if turned else 0
        else:
            self._now = max(self._now + (turned and before is not None), at - self.wall)
            self.last = self.wall + self._now
        return self._now

    def _pass_on(self) -> None:
        if self._key is not None and self._size:
            direction, at, layer = self._key
            self._hear(direction, b"".join(self._parts), at, layer)
        self._key, self._parts, self._size = None, [], 0

    def _hear(self, direction: Direction, data: bytes, at: int, layer: Layer) -> None:
        """Logs of packets keep what is compressed. But one of our own exports looks alike, and has it inflated: the
        client's next command tells.
        """
        compressing = self._deflated and self._conversation.compressing is not None
        if compressing and direction is Direction.SERVER and self._doubts + len(data) <= _DOUBTED_MOST:
            self._doubted.append((data, at, layer))
            self._doubts += len(data)
            return
        if self._doubted and direction is Direction.CLIENT and known_command(data.partition(b"\r\n")[0]):
            self._conversation.inflated()
        self._doubt_no_more()
        self._conversation.receive(direction, data, at, layer)
        self._records += self._conversation.take()

    def _doubt_no_more(self) -> None:
        for data, at, layer in self._doubted:
            self._conversation.receive(Direction.SERVER, data, at, layer)
        self._doubted, self._doubts = [], 0
        self._records += self._conversation.take()

    def _event(self, name: str, text: str, direction: Direction | None = None) -> Event:
        return Event(self._number, self._now, EventKind.NOTICE, name, text, direction)
