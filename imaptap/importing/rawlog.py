"""Dovecot's rawlog: what one connection said after its login, a file for each side, or both sides in one.

Each line begins with the time at which it was read or written, seconds and microseconds, and keeps its own end. Where
both sides share a file, `I` or `O` says whose line it is, and `:` or `>` whether it has ended
(https://doc.dovecot.org, Debugging/Rawlog; `rawlog_dir`, `imapc_rawlog_dir`).
"""

from __future__ import annotations

import contextlib
import heapq
import re
from typing import TYPE_CHECKING, NamedTuple

from imaptap.importing.lines import parts
from imaptap.importing.sides import is_greeting, spoken_by
from imaptap.importing.values import LATEST, UNTOLD, Begun, BrokenError, Over, Remark, Said
from proxy.imap.transcript import Direction, Ending

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator, Sequence
    from pathlib import Path
    from typing import BinaryIO

_TIME = re.compile(rb"([0-9]{9,11})\.([0-9]{6}) ")
_SHARED = re.compile(rb"([0-9]{9,11})\.([0-9]{6}) ([IO])([:>]) ")
_LETTERS = {b"I": Direction.CLIENT, b"O": Direction.SERVER}
_ENDS = {".in": Direction.CLIENT, ".out": Direction.SERVER}
_CAVEATS = (
    "who was connected, and whether TLS protected it, is not logged",
    # A time stands at the beginning of a line only, and compressed bytes have few line ends.
    "behind COMPRESS, times and the order of both sides are not exact",
)
_BEHIND_LOGIN = (*_CAVEATS, "what came before the login is not logged")
_ONE_SIDE = "the {}'s side is not in it"


class _Piece(NamedTuple):
    """Bytes of one side, in the order of time; the client goes first."""

    at: int
    direction: Direction
    data: bytes


class _Log(NamedTuple):
    """The files of one connection."""

    first: int
    paths: tuple[Path, ...]


def recognise(head: bytes) -> bool:
    """Whether a file that begins so is one."""
    return _TIME.match(head) is not None


def silent(path: Path, head: bytes) -> bool:
    """Whether it is the file of a side that said nothing."""
    return not head and path.suffix in _ENDS


def read(paths: Sequence[Path]) -> Iterator[Said | Begun | Over | Remark]:
    """The sessions of these files; those called alike but for .in and .out are one. Raises BrokenError, OSError."""
    groups: dict[tuple[Path, bool], list[Path]] = {}
    for path in dict.fromkeys(paths):
        sided = path.suffix in _ENDS  # `x` may stand beside `x.in` and `x.out`, and is another connection then
        groups.setdefault((path.with_suffix("") if sided else path, sided), []).append(path)
    logs = sorted(_Log(min(_first(path) for path in group), tuple(group)) for group in groups.values())
    for log in logs:
        yield from _session(log)


def _first(path: Path) -> int:
    """When a file begins. One of a side that said nothing is empty, and says nothing about when that was."""
    with path.open("rb") as file:
        found = _TIME.match(file.read(32))
    return _time(found) if found else LATEST


def _time(found: re.Match[bytes]) -> int:
    return int(found[1]) * 1_000_000 + int(found[2])


def _session(log: _Log) -> Iterator[Said | Begun | Over | Remark]:
    key = str(log.paths[0])
    begun = False
    sides: set[Direction] = set()
    streams = [_pieces(path, side) for path, side in _whose(log.paths)]
    with contextlib.ExitStack() as stack:
        for stream in streams:
            stack.callback(stream.close)
        for piece in heapq.merge(*streams):
            if not begun:
                begun = True
                greeted = piece.direction is Direction.SERVER and is_greeting(piece.data)
                yield Begun(
                    key,
                    piece.at,
                    _CAVEATS if greeted else _BEHIND_LOGIN,
                    source=log.paths,
                    deflated=True,
                    logged_in=not greeted,
                )
            sides.add(piece.direction)
            yield Said(key, piece.direction, piece.data, piece.at)
    if begun:
        for direction in set(Direction) - sides:
            yield Remark(key, "one side", _ONE_SIDE.format(direction.name.lower()), direction)
        yield Over(key, Ending.CUT, UNTOLD)


def _whose(paths: Sequence[Path]) -> list[tuple[Path, Direction]]:
    """Whose each file is. The name alone does not tell: where Dovecot is the client, `.in` is what the server says."""
    sides = [_spoken(path) for path in paths]
    if len(paths) > 1:
        first, second = sides[0], sides[1]
        if first is None and second is not None:
            first = Direction(1 - second)
        sides = [None, None] if first is None or first is second else [first, Direction(1 - first)]
    return [(path, _named(path) if side is None else side) for path, side in zip(paths, sides, strict=True)]


def _named(path: Path) -> Direction:
    return _ENDS.get(path.suffix, Direction.CLIENT)


def _spoken(path: Path) -> Direction | None:
    """Who says the first line; None where it does not tell."""
    with path.open("rb") as file:
        head = file.read(4096)
    found = _TIME.match(head)
    return spoken_by(head[found.end() :].partition(b"\n")[0]) if found else None


def _pieces(path: Path, side: Direction) -> Generator[_Piece, None, None]:
    with path.open("rb") as file:
        shared = _SHARED.match(file.read(64)) is not None
        file.seek(0)
        yield from _of_both(path, file) if shared else _of_one(path, file, side)


def _of_one(path: Path, file: BinaryIO, direction: Direction) -> Iterator[_Piece]:
    at = 0
    for number, data, begins in parts(file):
        content = data
        if begins:
            found = _TIME.match(data)
            if found is None:
                raise BrokenError(path, number, "the line does not begin with a time")
            at, content = _time(found), data[found.end() :]
        if content:
            yield _Piece(at, direction, content)


def _of_both(path: Path, file: BinaryIO) -> Iterator[_Piece]:
    piece: _Piece | None = None
    ended = True
    for number, data, begins in parts(file):
        # A line end within what was written without one is no end.
        marked = begins and (ended or _SHARED.match(data) is not None)
        rest = data
        while rest:
            if marked:
                found = _SHARED.match(rest)
                if found is None:
                    raise BrokenError(path, number, "the line does not begin with a time and I or O")
                piece, ended = _Piece(_time(found), _LETTERS[found[3]], b""), found[4] == b":"
                rest = rest[found.end() :]
            following = None if ended else _SHARED.search(rest)
            end = following.start() if following else len(rest)
            if piece is not None and end:
                yield piece._replace(data=rest[:end])
            rest, marked = rest[end:], True
