"""One page for a browser: all is in it, nothing is loaded, and nothing runs but the page's own script.

What was said is JSON in elements that no browser runs, an element for the head of each exchange and one for its lines,
which are read when somebody looks. The script makes text of it and never markup.
"""

from __future__ import annotations

import base64
import hashlib
import itertools
import json
from html import escape
from importlib.resources import files
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from imaptap.exporting.kinds import kind
from imaptap.exporting.lines import Absent, ExchangeLines, Said, Why, loose_lines
from imaptap.exporting.notes import notes, spelled
from imaptap.exporting.text import Lines, happening, shown_events
from imaptap.exporting.times import moment
from imaptap.exporting.words import marks, plain, result, said, took
from imaptap.meaning.session import Meanings

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from imaptap.exporting.lines import Entry
    from imaptap.exporting.selection import Selection
    from imaptap.exporting.settings import Settings
    from imaptap.meaning.values import Meaning
    from proxy.imap.transcript import Exchange
    from storage import Session

BODY_MOST: Final = 64 * 1024
"""Bytes of each literal that are in the page, where nobody asked for all or for none."""

_JSON: Final = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
_INERT: Final = {ord("<"): "\\u003c", ord(">"): "\\u003e", ord("&"): "\\u0026", 0x2028: "\\u2028", 0x2029: "\\u2029"}


def write(selection: Selection, file: BinaryIO, settings: Settings) -> int:
    """Write it. Returns how many bytes it lacks that were asked for. Raises StorageError."""
    page = _Page(selection, settings.bodies)
    file.writelines(part.encode() for part in page.parts())
    return page.missing


class _Page:
    """The text of the page, part by part."""

    def __init__(self, selection: Selection, bodies: bool | None) -> None:
        self._selection, self._bodies = selection, bodies
        self._noted = notes(selection)
        self.missing = 0

    def parts(self) -> Iterator[str]:
        """All of it."""
        style, script, body = (_own(name) for name in ("page.css", "page.js", "page.html"))
        own = f"style-src '{_hash(style)}'; script-src '{_hash(script)}'"
        policy = f"default-src 'none'; {own}; base-uri 'none'; form-action 'none'"
        yield '<!DOCTYPE html>\n<html lang="en">\n<head>\n<meta charset="utf-8">\n'
        yield f'<meta http-equiv="Content-Security-Policy" content="{policy}">\n'
        yield '<meta name="viewport" content="width=device-width, initial-scale=1">\n'
        yield '<meta name="color-scheme" content="light dark">\n<meta name="referrer" content="no-referrer">\n'
        name = escape(plain(self._selection.recording.name))
        yield f"<title>{name}</title>\n<style>{style}</style>\n</head>\n<body>\n"
        yield body.replace("$NAME", name)
        for number, session in enumerate(self._selection.sessions()):
            about = {session.number} if number else {None, session.number}
            noted = [spelled(note) for note in self._noted if note.session in about]
            yield from self._session(session, noted)
        yield f"<script>{script}</script>\n</body>\n</html>\n"

    def _session(self, session: Session, noted: list[str]) -> Iterator[str]:
        selection, teller = self._selection, Lines(self._selection, session, bodies=self._bodies is not False)
        yield from _data("session", [_head(session)])
        if selection.everything:
            events = (happening(event).removeprefix("# event: ") for event in shown_events(selection.store, session))
            yield from _data("events", itertools.chain(noted, events))
            yield from _data("loose", self._lines(teller, loose_lines(selection, session)))
        elif noted:
            yield from _data("events", noted)
        meanings = Meanings(selection.store, session, deep=True)
        reader = ExchangeLines(selection, session, bodies=self._bodies is not False)
        for stored in selection.exchanges(session):
            exchange = stored.exchange
            yield from _data("exchange", [_row(session, exchange, meanings.of(exchange))])
            entries = reader.of(exchange.number)
            yield from _data("lines", self._lines(teller, entries if self._bodies else _shortened(entries)))
            selection.progress(exchange.client_bytes + exchange.server_bytes)
        self.missing += teller.missing

    def _lines(self, teller: Lines, entries: Iterable[Entry]) -> Iterator[list[Any]]:
        """Time, side with `:`, `|` or `*`, and text of each."""
        for entry in entries:
            head, _, text = teller.line(entry).partition(" ")
            yield [entry.at, head, text, len(entry.data) if isinstance(entry, Said) else entry.length]


def _shortened(entries: Iterable[Entry]) -> Iterator[Entry]:
    """With no more than BODY_MOST bytes of each literal."""
    taken: dict[Any, int] = {}
    hidden: dict[Any, Absent] = {}
    for entry in entries:
        side = entry.direction
        if isinstance(entry, Said) and entry.literal:
            if side in hidden:
                before = hidden[side]
                hidden[side] = before._replace(length=before.length + len(entry.data))
                continue
            taken[side] = taken.get(side, 0) + len(entry.data)
            if taken[side] <= BODY_MOST:
                yield entry
            else:
                place = side, entry.at, entry.ended, entry.offset, len(entry.data)
                hidden[side] = Absent(*place, Why.COLLAPSED, entry.exchange)
            continue
        taken.pop(side, None)
        if side in hidden:
            yield hidden.pop(side)
        yield entry
    yield from hidden.values()


def _head(session: Session) -> dict[str, Any]:
    ending = "still open" if session.ending is None else f"{session.ending}: {session.reason}"
    return {
        "session": session.number,
        "wall": session.wall,
        "opened": moment(session.wall),
        "ended": session.at_end,
        "client": plain(session.client),
        "listen": plain(session.listen),
        "upstream": plain(session.upstream),
        "ending": plain(ending),
        "bytes": [session.client_bytes, session.server_bytes],
    }


def _row(session: Session, exchange: Exchange, meaning: Meaning) -> dict[str, Any]:
    return {
        "session": session.number,
        "number": exchange.number,
        "at": exchange.started,
        "took": None if exchange.ended is None else exchange.ended - exchange.started,
        "duration": took(exchange),
        "tag": plain(exchange.tag),
        "said": said(exchange),
        "command": plain(exchange.command),
        "kind": str(kind(exchange.command)),
        "status": plain(exchange.status or str(exchange.outcome)),
        "result": result(exchange),
        "mailbox": None if exchange.mailbox is None else plain(exchange.mailbox),
        "bytes": [exchange.client_bytes, exchange.server_bytes],
        "marks": marks(exchange),
        "meaning": meaning.summary,
        "details": list(meaning.details),
        "quirks": list(meaning.quirks),
    }


def _data(name: str, values: Iterable[Any]) -> Iterator[str]:
    """An element with a JSON array in which nothing is markup."""
    yield f'<script type="application/json" class="{name}">['
    for index, value in enumerate(values):
        text = _JSON(value).translate(_INERT)
        yield f",\n{text}" if index else text
    yield "]</script>\n"


def _own(name: str) -> str:
    return (files("imaptap.exporting") / "page" / name).read_text("utf-8")


def _hash(text: str) -> str:
    return f"sha256-{base64.b64encode(hashlib.sha256(text.encode()).digest()).decode('ascii')}"
