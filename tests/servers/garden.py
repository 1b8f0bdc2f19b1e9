"""What is said to a server while differences are planted: `garden.txt`, once recorded in front of a Dovecot."""

from __future__ import annotations

import re
from pathlib import Path

from proxy.imap.transcript import Direction

SCRIPT = (Path(__file__).parent / "garden.txt").read_bytes().replace(b"\n", b"\r\n")
"""Lines with C: or S: in front, the lines of literals too."""

APPENDED = b"Subject: planted\r\n\r\nhi\r\n"


def turns() -> list[tuple[Direction, bytes]]:
    """Who says which line."""
    return [
        (Direction.CLIENT if line[:1] == b"C" else Direction.SERVER, line[2:].removeprefix(b" "))
        for line in SCRIPT.splitlines(keepends=True)
    ]


def commands() -> list[bytes]:
    """The client's commands without their tags; APPEND with its literal."""
    said = b"".join(data for direction, data in turns() if direction is Direction.CLIENT)
    return [part.removesuffix(b"\r\n") for part in re.split(rb"(?:\A|(?<=\r\n))a[0-9]+ ", said)[1:]]


def sessions() -> list[list[bytes]]:
    """The same commands as sessions that stand alone: what asks of mailboxes, of messages, and what changes them."""
    login, *rest, logout = commands()[1:]
    reads, changes = rest.index(b"SELECT INBOX"), next(at for at, each in enumerate(rest) if b"STORE" in each)
    asked = [commands()[0], login, *rest[:reads]], [login, *rest[reads:changes]], [login, rest[reads], *rest[changes:]]
    return [[*each, logout] for each in asked]
