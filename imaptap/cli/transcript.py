"""A script printed for people: `#` what imaptap says, `C:` and `S:` lines of client and server, `C|` and `S|` bodies.

All that a peer sent is escaped; secrets are named where they stand.
"""

from collections.abc import Iterable, Iterator

from rich.text import Text

from imaptap.cli.documents import hidden_text
from imaptap.cli.lines import clock, marks, result, result_style, sizes, took
from imaptap.cli.masks import Masks
from imaptap.cli.terminal import Output, day
from imaptap.reading.script import Script
from imaptap.reading.values import Entry, Line, Rest, Run
from proxy.imap.transcript import Certainty, Direction, Ending, Event, EventKind, Exchange, readable
from storage import Session, Store

_SIDES = {Direction.CLIENT: ("C", "cyan"), Direction.SERVER: ("S", "green")}
_WORTH_SAYING = {Certainty.AMBIGUOUS, Certainty.UNSOLICITED}
_ALARMING = {EventKind.SECURITY, EventKind.FAULT, EventKind.GAP}


class Transcript:
    """Prints what was said in one session."""

    def __init__(self, store: Store, session: Session, output: Output, *, bodies: bool = False) -> None:
        self._session, self._output = session, output
        self._script = Script(store, session, bodies=bodies)
        secrets = list(store.events(session, EventKind.SECRET))
        self._masks = {side: Masks(event for event in secrets if event.direction is side) for side in Direction}

    def session(self) -> None:
        """All of it."""
        for text in beginning(self._session):
            self._output.say(text)
        for entry in self._script.whole():
            if isinstance(entry, Exchange):
                self._output.say()
            self._output.say(self._text(entry))
        self._output.say()
        self._output.say(ending(self._session))

    def some(self, exchanges: Iterable[Exchange]) -> None:
        """Some of its exchanges, and nothing of what was said between them."""
        for text in beginning(self._session):
            self._output.say(text)
        for exchange in exchanges:
            self._output.say()
            self.exchange(exchange)
        self._output.say()
        self._output.say(ending(self._session))

    def exchange(self, exchange: Exchange) -> None:
        """One exchange."""
        for entry in self._script.exchange(exchange):
            self._output.say(self._text(entry))

    def _text(self, entry: Entry) -> Text:
        if isinstance(entry, Line):
            return self._line(entry)
        if isinstance(entry, Exchange):
            return heading(entry, self._session.wall)
        if isinstance(entry, Event):
            return happening(entry)
        return _rest(entry)

    def _line(self, line: Line) -> Text:
        letter, style = _SIDES[line.direction]
        text = Text(f"{letter}{'|' if line.body else ':'} ", style)
        for part in line.parts:
            if isinstance(part, Run):
                for shown in self._masks[line.direction].applied(part):
                    text.append_text(shown)
            else:
                text.append(hidden_text(part), "dim italic")
        # A greeting answers nothing, and is no surprise.
        if line.certainty in _WORTH_SAYING and line.start and not line.body:
            text.append(f"  # {line.certainty}", "yellow")
        return text


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


def heading(exchange: Exchange, wall: int) -> Text:
    """The line above an exchange: number, time, command, result, duration, sizes, what was odd."""
    text = Text(f"# {exchange.number}  {clock(wall + exchange.started)}  ", "dim")
    # Its arguments stand in the line below.
    text.append(readable(exchange.command.encode()), "bold").append("  ")
    text.append(result(exchange), result_style(exchange))
    text.append(f"  {took(exchange)}  {sizes(exchange)}", "dim")
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
