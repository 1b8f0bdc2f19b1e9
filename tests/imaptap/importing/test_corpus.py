"""Conversations that nobody here wrote, logged as each program would, and read back."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from imaptap.importing.formats import named
from imaptap.importing.sides import completed, is_greeting
from proxy.imap.transcript import Direction
from tests.imaptap.importing.scripts import told
from tests.proxy.imap.corpus import clear, conversations

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    Steps = list[tuple[Direction, bytes]]

AT = 1_700_000_000


def as_rawlog(said: Steps) -> bytes:
    """Both sides in one file, as Dovecot writes it to a socket: lines, and at last what has no end."""
    log = b""
    held = dict.fromkeys(Direction, b"")
    letters = {Direction.CLIENT: b"I", Direction.SERVER: b"O"}
    for count, (side, data) in enumerate(said):
        *lines, held[side] = (held[side] + data).split(b"\n")
        log += b"".join(b"%d.%06d %s: %s\n" % (AT, count, letters[side], line) for line in lines)
    return log


def as_cyrus(said: Steps) -> bytes:
    log = b"---------- bob Tue Nov 14 22:13:20 2023\n\n"
    return log + b"".join((b"<%d<" if side is Direction.CLIENT else b">%d>") % AT + data for side, data in said)


def as_mailkit(said: Steps) -> bytes:
    """Each side knows by itself whether it is within a line, whatever the other one has written since."""
    log, within = b"Connected to imaps://mail.example/\r\n", dict.fromkeys(Direction, False)
    for side, data in said:
        for line in data.splitlines(keepends=True) if b"\r" not in data.replace(b"\r\n", b"") else [data]:
            log += line if within[side] else (b"C: " if side is Direction.CLIENT else b"S: ") + line
            within[side] = not line.endswith(b"\n")
    return log


def as_thunderbird(said: Steps) -> bytes:
    log, held = [], b""
    head = b"2023-11-14 22:13:20.000000 UTC - [Parent 7: IMAP]: "
    for side, data in said:
        if side is Direction.CLIENT:
            log.append(head + b"I/IMAP 7f00aa:mail.example:A:SendData: " + data)
            continue
        *lines, held = (held + data).split(b"\n")
        for line in lines:
            log.append(head + b"D/IMAP ReadNextLine [stream=1 nb=%d needmore=0]" % (len(line) + 1))
            chunks = [line[start : start + 400] for start in range(0, len(line), 400)] or [b""]
            log.append(head + b"I/IMAP 7f00aa:mail.example:A:CreateNewLineFromSocket: " + chunks[0])
            log += [head + b"I/IMAP " + chunk for chunk in chunks[1:]]
    return b"\n".join(log) + b"\n"


def as_marked(said: Steps) -> bytes:
    return as_mailkit(said).partition(b"\n")[2]


def as_typed(said: Steps) -> bytes:
    return b"$ telnet mail.example 143\n" + b"".join(data for _, data in said)


WRITERS = (
    ("rawlog", as_rawlog), ("cyrus", as_cyrus), ("mailkit", as_mailkit), ("thunderbird", as_thunderbird),
    ("transcript", as_marked),
)  # fmt: skip
UNTOLD = {
    # A literal ends together with its line in the log: whether the command's own end was sent with it is not told.
    (as_thunderbird, "mailkit/ImapFolderSearchTests.CreateRawUnicodeSearchCommands"),
    # The server says a line that has neither a star nor a tag.
    (as_typed, "mailkit/ImapFolderTests.CreateExchangeCopyUidRespCodeWithoutOkCommands"),
}


def _lost(folder: Path, name: str, write: Callable[[Steps], bytes], conversation: Steps) -> bool:
    path = folder / "log"
    path.write_bytes(write(conversation))
    done = told(named(name), path)
    streams = {side: b"".join(data for whose, data in conversation if whose is side) for side in Direction}
    return done.broken is not None or any(done.stream(side) != streams[side] for side in Direction)


def _all() -> Iterator[tuple[str, Steps]]:
    for record in conversations():
        yield record.id, [(each.direction, each.data) for each in clear(record)]


@pytest.mark.parametrize(("name", "write"), WRITERS)
def test_no_byte_is_lost(tmp_path: Path, name: str, write: Callable[[Steps], bytes]) -> None:
    lost = {(write, key) for key, conversation in _all() if _lost(tmp_path, name, write, conversation)}
    assert lost == {each for each in UNTOLD if each[0] is write}


def test_nor_where_nothing_says_whose_a_line_is(tmp_path: Path) -> None:
    """Of those that are sessions: with a greeting, and no answers before their commands."""
    sessions = [(key, conversation) for key, conversation in _all() if _is_session(conversation)]
    lost = {(as_typed, key) for key, said in sessions if _lost(tmp_path, "transcript", as_typed, said)}
    assert lost == {each for each in UNTOLD if each[0] is as_typed}
    assert len(sessions) > 70


def _is_session(conversation: Steps) -> bool:
    tags: set[bytes] = set()
    for side, data in conversation:
        if side is Direction.CLIENT:
            tags |= {line.split(b" ")[0] for line in data.splitlines()}
        elif any((tag := completed(line)) is not None and tag not in tags for line in data.splitlines()):
            return False
    return conversation[0][0] is Direction.SERVER and is_greeting(conversation[0][1])
