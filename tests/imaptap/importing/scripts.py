"""What a reader makes of a file, as a script: whose bytes, line by line, and what else it says."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from imaptap.importing.formats import HEAD, recognised
from imaptap.importing.values import Begun, BrokenError, Over, Remark, Said
from proxy.imap.transcript import Direction

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from imaptap.importing.formats import Format
    from imaptap.importing.values import Statement


class Told(NamedTuple):
    """All that a reader says of a log."""

    statements: list[Statement]
    broken: str | None

    @property
    def said(self) -> list[Said]:
        return [each for each in self.statements if isinstance(each, Said)]

    @property
    def begun(self) -> list[Begun]:
        return [each for each in self.statements if isinstance(each, Begun)]

    @property
    def over(self) -> list[Over]:
        return [each for each in self.statements if isinstance(each, Over)]

    @property
    def remarks(self) -> list[str]:
        return [f"{each.name}: {each.text}" for each in self.statements if isinstance(each, Remark)]

    def stream(self, direction: Direction) -> bytes:
        """All that a side says in all sessions."""
        return b"".join(each.data for each in self.said if each.direction is direction)

    def script(self) -> list[str]:
        """`C: ` and `S: ` before what was said without the other side speaking in between; `--` between sessions."""
        lines: list[str] = []
        last: tuple[str, Direction] | None = None
        for each in self.said:
            if last is not None and last[0] != each.key:
                lines.append("--")
            letter = "C" if each.direction is Direction.CLIENT else "S"
            if last != (each.key, each.direction):
                lines.append(f"{letter}: ")
            lines[-1] += each.data.decode("latin-1").replace("\r\n", "|")
            last = (each.key, each.direction)
        return lines


def told(form: Format, *paths: Path) -> Told:
    """Have these files read."""
    statements: list[Statement] = []
    broken = None
    reading: Iterator[Statement] = form.read(paths)
    try:
        for statement in reading:
            statements.append(statement)  # noqa: PERF402  what was read before it broke counts
    except BrokenError as error:
        broken = str(error)
    return Told(statements, broken)


def found(path: Path) -> str | None:
    """The name of the format that a file is recognised as."""
    form = recognised(path.read_bytes()[:HEAD])
    return form.name if form else None
