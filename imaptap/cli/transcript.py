"""A script printed for people: `#` what imaptap says, `C:` and `S:` lines of client and server, `C|` and `S|` bodies.

With meanings, `→` says what an exchange means, and `!` what was odd about it. All that a peer sent is escaped; secrets
are named where they stand.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass

from rich.text import Text

from imaptap.cli.documents import hidden_text
from imaptap.cli.kinds import bar, colour
from imaptap.cli.lines import clock, result_style, sizes
from imaptap.cli.masks import Masks
from imaptap.cli.overview import meaning_lines
from imaptap.cli.terminal import day
from imaptap.exporting.words import marks, result, took
from imaptap.meaning.session import Meanings
from imaptap.reading.script import Script
from imaptap.reading.values import Entry, Line, Rest, Run
from proxy.imap.transcript import Certainty, Direction, Ending, Event, EventKind, Exchange, readable
from storage import Session, Store

LINES_MOST = 8
"""Lines of one exchange that a whole session shows of the wire, where meanings say the rest; the last is among them."""

_SIDES = {Direction.CLIENT: ("C", "cyan"), Direction.SERVER: ("S", "green")}
_WORTH_SAYING = {Certainty.AMBIGUOUS, Certainty.UNSOLICITED}
_ALARMING = {EventKind.SECURITY, EventKind.FAULT, EventKind.GAP}


@dataclass(frozen=True, slots=True)
class Look:
    """How a transcript looks: `raw` without meanings, with the contents of literals (`bodies`), with all `details`.

    `full` is the duration that a whole bar stands for, None for no bars; `width` is where the lines of a session are
    cut, None for never.
    """

    raw: bool = False
    bodies: bool = False
    details: bool = False
    full: int | None = None
    width: int | None = None


class Transcript:
    """What was said in one session, as lines."""

    def __init__(self, store: Store, session: Session, look: Look) -> None:
        self._session, self._look = session, look
        most = None if look.raw or look.bodies else LINES_MOST
        self._script = Script(store, session, bodies=look.bodies, most=most)
        secrets = list(store.events(session, EventKind.SECRET))
        self._masks = {side: Masks(event for event in secrets if event.direction is side) for side in Direction}
        self._meanings = None if look.raw else Meanings(store, session, deep=look.details)

    def session(self) -> Iterator[Text]:
        """All of it."""
        yield from beginning(self._session)
        for entry in self._script.whole():
            if isinstance(entry, Exchange):
                yield Text()
            for text in self._texts(entry):
                if self._look.width is not None:
                    text.truncate(self._look.width, overflow="ellipsis")
                yield text
        yield Text()
        yield ending(self._session)

    def some(self, exchanges: Iterable[Exchange]) -> Iterator[Text]:
        """Some of its exchanges, and nothing of what was said between them."""
        yield from beginning(self._session)
        for exchange in exchanges:
            yield Text()
            yield from self.exchange(exchange)
        yield Text()
        yield ending(self._session)

    def exchange(self, exchange: Exchange) -> Iterator[Text]:
        """One exchange."""
        for entry in self._script.exchange(exchange):
            yield from self._texts(entry)

    def _texts(self, entry: Entry) -> Iterator[Text]:
        if isinstance(entry, Line):
            yield self._line(entry)
        elif isinstance(entry, Exchange):
            yield heading(entry, self._session.wall, self._look.full)
            if self._meanings is not None:
                yield from meaning_lines(self._meanings.of(entry))
        elif isinstance(entry, Event):
            yield happening(entry)
        elif isinstance(entry, Rest):
            yield _rest(entry)
        else:
            place = f"{self._session.recording.name}/{self._session.number}/{entry.exchange}"
            yield Text(readable(f"# … {entry.lines:,} more lines: imaptap show {place}".encode()), "dim")

    def _line(self, line: Line) -> Text:
        letter, style = _SIDES[line.direction]
        text = Text(f"{letter}{'|' if line.body else ':'} ", style)
        for part in line.parts:
            if isinstance(part, Run):
                for shown in self._masks[line.direction].applied(part):
                    text.append_text(shown)
            else:
                text.append(hidden_text(part), "dim italic")
        if remark := self._remark(line):
            text.append(f"  # {remark}", "yellow")
        return text

    def _remark(self, line: Line) -> str:
        # A greeting answers nothing, and is no surprise.
        if line.body or not line.start:
            return ""
        recorded = str(line.certainty) if line.certainty in _WORTH_SAYING else ""
        if self._meanings is None or line.direction is Direction.CLIENT:
            return recorded
        found = self._meanings.remark(line.start, line.at)
        return recorded if found is None else found


def beginning(session: Session) -> Iterator[Text]:
    """Who, whence, whither and when."""
    name = f"{session.recording.name}/{session.number}"
    yield Text(readable(f"# session {name}, {day(session.wall)}".encode()), "bold")
    path = f"# {session.client} to {session.listen}, server {session.upstream}"
    yield Text(readable(path.encode()), "dim")


def ending(session: Session) -> Text:
    """How the session ended, or that it has not."""
    if session.ending is None:
        return Text("# still open", "yellow")
    reason = f": {session.reason}" if session.reason else ""
    style = "red" if session.ending in {Ending.FAILED, Ending.CUT} else "dim"
    sums = f", {session.client_bytes}/{session.server_bytes} B"
    return Text(readable(f"# {session.ending}{reason}{sums}".encode()), style)


def heading(exchange: Exchange, wall: int, full: int | None = None) -> Text:
    """The line above an exchange: number, time, command, result, duration, sizes, what was odd.

    `full` is the duration that a whole bar stands for, None for no bar.
    """
    text = Text(f"# {exchange.number}  {clock(wall + exchange.started)}  ", "dim")
    # Its arguments stand in the line below.
    text.append(readable(exchange.command.encode()), f"bold {colour(exchange.command)}").append("  ")
    text.append(result(exchange), result_style(exchange))
    text.append(f"  {took(exchange)}  {sizes(exchange)}", "dim")
    if full is not None:
        text.append("  ").append_text(bar(exchange, full)).rstrip()
    if remarks := marks(exchange):
        text.append(f"  ({remarks})", "yellow")
    return text


def happening(event: Event) -> Text:
    """An event; for a rewrite, what was received and what was sent on instead."""
    side = "" if event.direction is None else f" {event.direction.name.lower()}"
    words = f"# {event.kind}{side}: {event.name}"
    if event.text:
        words += f": {event.text}"
    if event.kind is EventKind.REWRITE:
        words += f": received {_quoted(event.received)}, sent {_quoted(event.sent)}"
    return Text(readable(words.encode()), "red" if event.kind in _ALARMING else "magenta")


def _rest(rest: Rest) -> Text:
    counts = f"{rest.client} B of the client and {rest.server} B of the server"
    return Text(f"# {counts} are in no exchange and no line: `imaptap export` has them", "yellow")


def _quoted(data: bytes | None) -> str:
    return f'"{readable(data)}"' if data else "nothing"
