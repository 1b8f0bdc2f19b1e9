"""A command on its way to the target, and what comes of it."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, NamedTuple

from proxy.imap.grammar.status import Status
from proxy.imap.transcript import readable
from proxy.imap.units import Unit

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from proxy.imap.grammar import Continuation, Tagged


class Flight:
    """A command on its way: `number` is that of its exchange, `start` the offset of its first byte in our stream."""

    def __init__(self, number: int, tag: bytes, start: int) -> None:
        self.number, self.tag, self.start = number, tag, start
        self.length = 0
        """Bytes of the command that were sent."""
        self.deflates = False
        """Whether it is COMPRESS."""
        self.refused = False
        """Whether it was answered before all of it was sent: the rest was withheld (M 4.3)."""
        self.completion: Tagged | None = None
        self.landed: Callable[[], None] | None = None
        """Called when it is over, before anybody who waits for that goes on."""
        self.over: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        """Done when it is completed, or the connection is lost."""
        self._asked: asyncio.Future[Continuation | None] | None = None

    @property
    def status(self) -> str | None:
        """OK, NO or BAD; None where it was not answered."""
        return status_of(self.completion)

    async def continuation(self) -> Continuation | None:
        """Wait for what `go_on` is told."""
        self._asked = asyncio.get_running_loop().create_future()
        return await self._asked

    def go_on(self, continuation: Continuation | None) -> None:
        """A `+` has come; None: none will."""
        if self._asked and not self._asked.done():
            self._asked.set_result(continuation)

    def land(self) -> None:
        """It is over: tell everybody."""
        if self.landed:
            self.landed()
        if not self.over.done():
            self.over.set_result(None)


class Content(NamedTuple):
    """The content of a literal, in parts."""

    parts: Iterable[bytes]


def status_of(completion: Tagged | None) -> str | None:
    """OK, NO or BAD, or whatever stands there instead; None for no completion."""
    if completion is None:
        return None
    if isinstance(completion.status, Status):
        return completion.status.condition.name
    return readable(completion.status.word)


def line_of(tag: bytes, command: str) -> Unit:
    """A command without literals as a unit."""
    line = tag + b" " + command.encode() + b"\r\n"
    return Unit(0, len(line), (line,), (), ())


def moved(unit: Unit, start: int) -> Unit:
    """The same unit at another place of a stream."""
    offset, literals = start, list(unit.literals)
    for index, text in enumerate(unit.texts):
        offset += len(text)
        if index < len(literals):
            known = literals[index]
            literals[index] = type(known)(offset, known.size, known.synchronising, known.binary, known.content)
            offset += known.size
    return Unit(start, offset, unit.texts, tuple(literals), unit.flaws)
