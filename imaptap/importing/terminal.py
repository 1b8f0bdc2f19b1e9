"""What people paste from a terminal, or write down as RFCs do: lines marked `C:` and `S:`, or not marked at all.

Where nothing says whose a line is, the protocol does: `*`, `+` and the completions of commands are the server's, a tag
with a command is the client's, and so is what answers a `+`; literals are counted. What telnet, openssl and the shell
print belongs to nobody. Lines end as they have to, with CRLF, whatever the file's own ends are.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from imaptap.importing.lines import parts
from imaptap.importing.marked import MARK, Marked
from imaptap.importing.sides import is_greeting
from imaptap.importing.typed import Typed
from imaptap.importing.values import BrokenError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from pathlib import Path

    from imaptap.importing.values import Statement

_LOOKED_AT = 500
"""Lines at the beginning that say of which kind it is."""


def recognise(head: bytes) -> bool:
    """Whether a file that begins so is one."""
    lines = head.splitlines()[:_LOOKED_AT]
    return _is_marked(lines) or any(is_greeting(line) for line in lines)


def read(paths: Sequence[Path]) -> Iterator[Statement]:
    """The sessions of these files. Raises BrokenError, OSError."""
    for path in paths:
        with path.open("rb") as file:
            head = file.read(64 * 1024).splitlines()[:_LOOKED_AT]
            file.seek(0)
            reading = Marked(path) if _is_marked(head) else Typed(path)
            for number, data, begins in parts(file):
                if not begins:
                    raise BrokenError(path, number, "the line is longer than anybody types")
                yield from reading.line(number, data.rstrip(b"\r\n"))
            yield from reading.end()


def _is_marked(lines: list[bytes]) -> bool:
    """Whether both sides are marked, or at least one is and nobody begins without."""
    letters = {found[1] for line in lines if (found := MARK.match(line))}
    return letters == {b"C", b"S"} or (bool(letters) and not any(is_greeting(line) for line in lines))
