"""For an issue tracker: a table of the exchanges, and what was said in each, folded away.

Every line of a transcript begins with C or S, so none can end the fence around it. Trackers refuse long texts: what is
beyond the limit is left out, and said to be.
"""

from __future__ import annotations

from html import escape
from typing import TYPE_CHECKING, BinaryIO, Final

from imaptap.exporting.lines import ExchangeLines, loose_lines
from imaptap.exporting.notes import notes, spelled
from imaptap.exporting.text import Lines
from imaptap.exporting.times import moment
from imaptap.exporting.words import marks, result, said, took
from imaptap.meaning.session import Meanings
from storage.diff.report.marking import code, marked

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from imaptap.exporting.lines import Entry
    from imaptap.exporting.selection import Selection
    from imaptap.exporting.settings import Settings
    from imaptap.meaning.values import Meaning
    from proxy.imap.transcript import Exchange
    from storage import Session
    from storage.cassette.values import Noted

LIMIT: Final = 60_000
"""Bytes by default: GitHub takes 65,536 characters."""
LINES_MOST: Final = 60
"""Lines of one exchange, without `--bodies`."""

_LINE_MOST: Final = 1000
_SHARE: Final = 4
"""One exchange has no more than one in so many bytes."""
_CELL_MOST: Final = 120
_ENDING: Final = 400
"""Room for what is said of what was left out, and for the ends of what is open."""


class _Full(Exception):  # noqa: N818  not an error
    """There is no more room."""


def write(selection: Selection, file: BinaryIO, settings: Settings) -> int:
    """Write it. Returns how many bytes it lacks that were asked for. Raises StorageError."""
    page = _Page(file, LIMIT if settings.limit is None else settings.limit)
    missing = 0
    try:
        page.add(f"# {marked(_name(selection))}\n\n")
        noted = notes(selection)
        if about := "".join(_noted(note) for note in noted if note.session is None):
            page.add(f"{about}\n")
        for session in selection.sessions():
            mine = [note for note in noted if note.session == session.number]
            told = _Told(selection, session, page.limit, mine, bodies=bool(settings.bodies))
            for part in told.parts():
                page.add(part)
            missing += told.missing
    except _Full:
        page.end(f"\n_The rest is left out: `--limit {page.limit}`._\n")
    return missing


class _Page:
    """A text that grows up to a limit, in parts that are there whole or not at all."""

    def __init__(self, file: BinaryIO, limit: int) -> None:
        self._file, self.limit = file, limit
        self._left = limit - _ENDING

    def add(self, part: str) -> None:
        """Raises _Full where there is no room."""
        data = part.encode()
        if len(data) > self._left:
            raise _Full
        self._left -= len(data)
        self._file.write(data)

    def end(self, words: str) -> None:
        """The last words."""
        self._file.write(words.encode())


class _Told:
    """One session."""

    def __init__(self, selection: Selection, session: Session, limit: int, noted: list[Noted], *, bodies: bool) -> None:
        self._selection, self._session, self._limit, self._bodies = selection, session, limit, bodies
        self._noted = noted
        self._lines = Lines(selection, session, bodies=bodies)
        self._reader = ExchangeLines(selection, session, bodies=bodies)

    @property
    def missing(self) -> int:
        """Bytes that were wanted and are not there."""
        return self._lines.missing

    def parts(self) -> Iterator[str]:
        """Its facts, its table, its transcripts."""
        yield from self._facts()
        yield "| # | at | command | result | took | bytes of client / server | |\n|--:|--:|---|---|--:|--:|---|\n"
        meanings = Meanings(self._selection.store, self._session)
        for stored in self._selection.exchanges(self._session):
            yield _row(stored.exchange, meanings.of(stored.exchange))
        yield "\n"
        if self._selection.everything:
            yield self._folded("outside of exchanges", loose_lines(self._selection, self._session))
        for stored in self._selection.exchanges(self._session):
            yield self._exchange(stored.exchange)
            self._selection.progress(stored.exchange.client_bytes + stored.exchange.server_bytes)

    def _facts(self) -> Iterator[str]:
        session = self._session
        yield f"## Session {session.number}\n\n"
        yield f"- {moment(session.wall)}\n- client {code(session.client)}, listener {code(session.listen)}\n"
        yield f"- server {code(session.upstream)}\n"
        if session.ending is not None:
            yield f"- {marked(f'{session.ending}: {session.reason}')}\n"
        yield from map(_noted, self._noted)
        yield "\n"

    def _exchange(self, exchange: Exchange) -> str:
        entries = self._reader.of(exchange.number)
        title = f"{exchange.number} {_cut(said(exchange), _CELL_MOST)}: {_cut(result(exchange), _CELL_MOST)}"
        return self._folded(title, entries)

    def _folded(self, title: str, entries: Iterable[Entry]) -> str:
        shown, room, more = list[str](), self._limit // _SHARE, 0
        for entry in entries:
            line = _cut(self._lines.line(entry), _LINE_MOST)
            room -= len(line)
            if room < 0 or (len(shown) >= LINES_MOST and not self._bodies):
                more += 1
            else:
                shown.append(line)
        shown += [f"S: … {more:,} more lines"] if more else []
        if not shown:
            return ""
        # What stands in HTML is no Markdown, but names of people and numbers of issues are links there, if not in code.
        text = "\n".join(shown)
        return f"<details><summary><code>{escape(title)}</code></summary>\n\n```\n{text}\n```\n\n</details>\n\n"


def _row(exchange: Exchange, meaning: Meaning) -> str:
    remarks = "; ".join(word for word in (meaning.summary, marks(exchange), *meaning.quirks) if word)
    cells = (
        str(exchange.number),
        f"{exchange.started / 1_000_000:.3f}",
        code(_cut(said(exchange), _CELL_MOST)),
        marked(_cut(result(exchange), _CELL_MOST)),
        took(exchange),
        f"{exchange.client_bytes} / {exchange.server_bytes}",
        marked(_cut(remarks, 2 * _CELL_MOST)),
    )
    return f"| {' | '.join(cells)} |\n"


def _noted(note: Noted) -> str:
    return f"- {marked(_cut(spelled(note), _LINE_MOST))}\n"


def _cut(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[:most]} …"


def _name(selection: Selection) -> str:
    name = selection.recording.name
    if selection.session is not None:
        name += f"/{selection.session.number}"
    return name if selection.exchange is None else f"{name}/{selection.exchange.exchange.number}"
