"""A recording of everything that is hard on an export, and exports of it inside this process."""

from __future__ import annotations

import io
import tracemalloc
from typing import TYPE_CHECKING

from imaptap.exporting.formats import FORMATS, Kind
from imaptap.exporting.selection import Selection
from imaptap.exporting.settings import Settings
from proxy.imap.transcript import Direction, EventKind
from storage import Store, open_store
from tests.imaptap.telling import LETTER, C, S, Tale, recorded

if TYPE_CHECKING:
    from pathlib import Path

    from proxy.imap.transcript import Record
    from storage import StoredExchange

PASSWORD = "correct-horse-battery"
EVIL = (
    "<script>alert(1)</script><img src=x onerror=alert(2)> ]]> --> </script> ``` | @nobody #1 "
    "\x1b]0;owned\x07\x1b[31m \x00 \x9b2J \\\\ \\{login 3} {{ }} ${HOME} `id` $(id) %s \xff"
)
"""Markup, escapes of terminals, NUL, and what template languages and shells would take for theirs."""


def hostile(number: int = 1) -> list[Record]:
    """A session in which each side says whatever may be read wrongly somewhere."""
    tale = Tale(number).say("S: * OK ready " + EVIL)
    tale.say(f"C: a1 LOGIN bob {PASSWORD}\nS: a1 OK [CAPABILITY IMAP4rev1] {EVIL}")
    tale.say(f'C: a2 SELECT "{EVIL}"\nS: * 3 EXISTS\nS: a2 NO {EVIL}\nC: a3 FETCH 1 BODY[]')
    content = (EVIL + "\r\n```\r\n# event: no\nbare\n\r\n S: * BYE \r\n</details>").encode("latin-1")
    tale.send(S, b"* 1 FETCH (BODY[] {%d}\r\n" % len(content), content, b" UID 7)\r\na3 OK done\n")
    tale.happen(EventKind.SECURITY, "odd", EVIL)
    tale.say("C: a4 XYZZY \xe4\nS: a4 BAD what?\nS: * 4 EXISTS\nC: a5 LOGOUT\nS: * BYE\nS: a5 OK")
    return tale.end(reason=f"end of stream {EVIL.encode('ascii', 'backslashreplace').decode()}")


def plain_session(number: int = 1) -> list[Record]:
    """Greeting, login, a letter, news."""
    tale = Tale(number).say("S: * OK ready\nC: a LOGIN bob secret\nS: a OK in\nC: b FETCH 1 (BODY[])")
    tale.send(S, b"* 1 FETCH (BODY[] {%d}\r\n" % len(LETTER), LETTER, b")\r\nb OK done\r\n")
    return tale.say("S: * 5 EXISTS\nC: c NOOP\nS: c OK\nC: d LOGOUT\nS: * BYE\nS: d OK").end()


def big(number: int = 1, letters: int = 60, size: int = 1_000_000) -> list[Record]:
    """A session of many megabytes in few exchanges, no two letters alike."""
    tale = Tale(number).say("S: * OK ready")
    for index in range(letters):
        line = b"letter %d %s\r\n" % (index, b"x" * 980)
        letter = line * (size // len(line))
        tale.say(f"C: a{index} UID FETCH {index} BODY[]")
        tale.send(S, b"* 1 FETCH (BODY[] {%d}\r\n" % len(letter))
        for start in range(0, len(letter), 100_000):
            tale.send(S, letter[start : start + 100_000])
        tale.send(S, b")\r\na%d OK done\r\n" % index)
    return tale.end()


def export(
    store: Store, name: str, recording: str = "last", *, session: int | None = None,
    exchange: int | None = None, folder: Path | None = None, settings: Settings | None = None,
) -> tuple[bytes, int]:  # fmt: skip
    """What the format writes (of a file), and how much it says is missing."""
    form, found = FORMATS[name], store.recording(recording)
    chosen = None if session is None else store.session(found, session)
    one: StoredExchange | None = None if chosen is None or exchange is None else store.exchange(chosen, exchange)
    selection = Selection(store, found, chosen, one)
    settings = settings or Settings(side=Direction.SERVER if "side" in form.needs else None)
    if form.kind in {Kind.TEXT, Kind.BYTES}:
        file = io.BytesIO()
        missing = form.writer()(selection, file, settings)
        return file.getvalue(), missing
    assert folder is not None
    path = folder / f"{name}.out"
    if form.kind is Kind.FOLDER:
        path.mkdir()
    missing = form.writer()(selection, path, settings)
    return all_bytes(path), missing


def all_bytes(path: Path) -> bytes:
    """The contents of a file, or of all files in a folder."""
    return (
        path.read_bytes()
        if path.is_file()
        else b"\n".join(p.read_bytes() for p in sorted(path.rglob("*")) if p.is_file())
    )


class Sink(io.RawIOBase):
    """Counts, and keeps nothing."""

    def __init__(self) -> None:
        self.size = 0

    def writable(self) -> bool:
        return True

    def write(self, data: bytes | memoryview) -> int:  # type: ignore[override]
        self.size += len(data)
        return len(data)


def peak(store: Store, name: str, folder: Path) -> int:
    """The most memory that Python has taken at once for an export of the last recording."""
    form = FORMATS[name]
    settings = Settings(side=Direction.SERVER if "side" in form.needs else None)
    found = store.recording("last")
    selection = Selection(store, found, next(store.sessions(found)) if "side" in form.needs else None)
    target: object = Sink()
    if form.kind not in {Kind.TEXT, Kind.BYTES}:
        target = folder / "big.out"
        if form.kind is Kind.FOLDER:
            (folder / "big.out").mkdir()
    write = form.writer()
    tracemalloc.start()
    try:
        write(selection, target, settings)
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


__all__ = ["C", "S", "Tale", "big", "export", "hostile", "open_store", "peak", "plain_session", "recorded"]
