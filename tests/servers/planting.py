"""How one thing is changed in what a server says: whole units go in, and come out as they were, or with it planted."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from proxy.imap.transcript import Direction
from proxy.imap.units import Boundary, UnitReader

if TYPE_CHECKING:
    from collections.abc import Iterator

_COMMAND = re.compile(rb"(\S+) +(\S.*)", re.DOTALL)


class Said(NamedTuple):
    """A server's unit, all its bytes; and the client's line that it answers: of the command in flight that is oldest.

    A tagged unit answers its own command; without one, `line` is empty.
    """

    unit: bytes
    line: bytes


Change = Callable[[Said], "list[bytes] | None"]
"""The units that take its place; None where it is left as it is."""


@dataclass(frozen=True)
class Plant:
    """A change, what it is called, and how a comparison must name what came of it.

    `kind` is the class of difference ("" where it must be let pass), `where` a regular expression for its place.
    `during` is one for the client's line. It is planted once, or with `every` in each unit that it fits.
    """

    name: str
    kind: str
    where: str
    during: str
    make: Callable[[], Change]
    every: bool = False


class Bed:
    """One plant, for all connections of a run. `grown` counts what was changed."""

    def __init__(self, plant: Plant) -> None:
        self.plant = plant
        self.grown = 0
        self._change = plant.make()
        self._during = re.compile(plant.during.encode(), re.IGNORECASE | re.DOTALL)

    def units(self, said: Said) -> list[bytes]:
        """What is passed on for this unit."""
        if (self.grown and not self.plant.every) or not self._during.search(said.line):
            return [said.unit]
        held = self._held
        changed = self._change(said)
        if changed is None:
            return [said.unit]
        if not self._held:
            self.grown += b"".join(changed) != held + said.unit
        return changed

    @property
    def _held(self) -> bytes:
        """What a change keeps back for a while."""
        return getattr(self._change, "held", b"")


class Row:
    """One connection through a bed: knows which commands are in flight."""

    def __init__(self, bed: Bed) -> None:
        self._bed = bed
        self._cutters = {direction: _Cutter(direction) for direction in Direction}
        self._flights: dict[bytes, bytes] = {}

    def client(self, data: bytes) -> None:
        """What the client has sent: it is passed on as it is."""
        for unit in self._cutters[Direction.CLIENT].feed(data):
            if match := _COMMAND.match(unit):
                self._flights[match[1]] = match[2]

    def server(self, data: bytes) -> bytes:
        """What the server has sent, up to the last whole unit, with the plant in it."""
        passed: list[bytes] = []
        for unit in self._cutters[Direction.SERVER].feed(data):
            tag = unit.partition(b" ")[0]
            line = self._flights.pop(tag, None)
            if line is None:
                line = next(iter(self._flights.values()), b"")
            passed += self._bed.units(Said(unit, line))
        return b"".join(passed)

    def rest(self) -> bytes:
        """The beginning of a unit that did not come whole."""
        return bytes(self._cutters[Direction.SERVER].held)


class _Cutter:
    """Cuts one direction into units."""

    def __init__(self, direction: Direction) -> None:
        self._reader = UnitReader(direction)
        self.held = bytearray()

    def feed(self, data: bytes) -> Iterator[bytes]:
        self.held += data
        pos = 0
        while pos < len(data):
            boundary, pos = self._reader.read(data, pos)
            if boundary is Boundary.UNIT:
                unit = self._reader.take_unit()
                size = unit.end - unit.start
                yield bytes(self.held[:size])
                del self.held[:size]


# --- changes ----------------------------------------------------------------------------------------------------------


def sub(pattern: str, by: str) -> Callable[[], Change]:
    """The first match of a regular expression is replaced."""
    compiled = re.compile(pattern.encode("latin-1"), re.IGNORECASE | re.DOTALL)

    def change(said: Said) -> list[bytes] | None:
        unit, count = compiled.subn(by.encode("latin-1"), said.unit, count=1)
        return [unit] if count else None

    return lambda: change


def drop(pattern: str) -> Callable[[], Change]:
    """The unit is left out."""
    compiled = re.compile(pattern.encode("latin-1"), re.IGNORECASE | re.DOTALL)
    return lambda: lambda said: [] if compiled.match(said.unit) else None


def ahead(pattern: str, line: str) -> Callable[[], Change]:
    """A line more, before the unit."""
    compiled = re.compile(pattern.encode("latin-1"), re.IGNORECASE | re.DOTALL)
    return lambda: lambda said: [line.encode("latin-1") + b"\r\n", said.unit] if compiled.match(said.unit) else None


def body(pattern: str, edit: Callable[[bytes], bytes]) -> Callable[[], Change]:
    """The content of the first literal behind the pattern is edited, and its size told as it is then."""
    compiled = re.compile(pattern.encode("latin-1") + rb"\{([0-9]+)\}\r\n", re.IGNORECASE | re.DOTALL)

    def change(said: Said) -> list[bytes] | None:
        match = compiled.search(said.unit)
        if match is None:
            return None
        end = match.end() + int(match[1])
        content = edit(said.unit[match.end() : end])
        return [said.unit[: match.start(1) - 1] + b"{%d}\r\n" % len(content) + content + said.unit[end:]]

    return lambda: change


class Swapped:
    """Two units that fit trade places: the first waits for the second."""

    def __init__(self, pattern: str) -> None:
        self._pattern = re.compile(pattern.encode("latin-1"), re.IGNORECASE | re.DOTALL)
        self.held = b""

    def __call__(self, said: Said) -> list[bytes] | None:
        """Nothing for the first, both for the second; where no second comes, the first comes before what does."""
        if self._pattern.match(said.unit):
            if not self.held:
                self.held = said.unit
                return []
            held, self.held = self.held, b""
            return [said.unit, held]
        if self.held:
            held, self.held = self.held, b""
            return [held, said.unit]
        return None


def swap(pattern: str) -> Callable[[], Change]:
    """Two units trade places."""
    return lambda: Swapped(pattern)
