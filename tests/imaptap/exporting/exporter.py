"""Sessions recorded and exported at once, without the command line."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

from imaptap.exporting.formats import FORMATS, Kind
from imaptap.exporting.selection import Matching, Selection
from imaptap.exporting.settings import Settings
from proxy.imap.transcript import SessionOpened
from storage import open_store
from storage.filter import Search, parse
from tests.imaptap.telling import C, S, Tale, recorded

if TYPE_CHECKING:
    from pathlib import Path

    from proxy.imap.transcript import Record


class Exporter:
    """`Exporter(folder, tale, …)` records; `exporter("mbox")` gives what was written and how many bytes are missing."""

    def __init__(self, folder: Path, *tales: list[Record], max_literal: int | None = None) -> None:
        self.folder, self.db = folder, folder / "exported.db"
        self.recording = recorded(self.db, *tales, name="x", max_literal=max_literal)
        self.runs = 0

    def __call__(
        self, form: str, *, only: str = "", session: int = 0, exchange: int = 0, **settings: Any
    ) -> tuple[Any, int]:
        """The bytes, or those of each file by its name."""
        self.runs += 1
        with open_store(self.db, create=False) as store:
            recording = store.recording("x")
            found = store.session(recording, session) if session else None
            stored = store.exchange(found, exchange) if found and exchange else None
            search = Search(store, parse(only), recording) if only else None
            matching = Matching(search, search.matches()) if search else None
            selection = Selection(store, recording, found, stored, matching)
            if FORMATS[form].kind is not Kind.FOLDER:
                file = io.BytesIO()
                missing = FORMATS[form].writer()(selection, file, Settings(**settings))
                return file.getvalue(), missing
            folder = self.folder / f"{form}-{self.runs}"
            folder.mkdir()
            missing = FORMATS[form].writer()(selection, folder, Settings(**settings))
            return {path.name: path.read_bytes() for path in sorted(folder.iterdir())}, missing


WORDS = [b"NOOP", b"LIST ", b"select ", b"UID SEARCH ", b"APPEND x ", b"FETCH 1 ", b"XYZZY ", b""]
"""What commands of anybody's begin with: those that nobody knows are masked from here on."""


def said_by(client: list[tuple[bytes, bytes]], server: bytes = b"* OK") -> list[Record]:
    """A session of somebody who has logged in and goes on with these."""
    tale = Tale().say("S: * OK\nC: l LOGIN bob x\nS: l OK")
    for number, (word, rest) in enumerate(client):
        tale.send(C, b"a%d " % number + word + rest + b"\r\n").send(S, server + b"\r\n").say(f"S: a{number} OK")
    return tale.end()


def opened(tale: list[Record], client: str, upstream: str) -> list[Record]:
    """The same session between these two."""
    first = tale[0]
    assert isinstance(first, SessionOpened)
    return [first._replace(client=client, upstream=upstream), *tale[1:]]
