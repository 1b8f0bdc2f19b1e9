"""One line for one exchange, and for a session's beginning and end: what `record` and `tail` show."""

from rich.text import Text

from imaptap.cli.errors import escaped
from imaptap.exporting.times import local
from imaptap.exporting.words import marks, result, said, took
from proxy.imap.transcript import Ending, Exchange, Outcome, SessionClosed, SessionOpened

_STYLES = {"OK": "green", "PREAUTH": "green", "NO": "yellow", "BAD": "red", "BYE": "magenta"}
_TAG, _COMMAND, _RESULT = 8, 44, 28


def exchange_line(session: int, exchange: Exchange, wall: int) -> Text:
    """Time, session, tag, command, result, milliseconds, bytes of the client and of the server.

    `wall` is when the session was opened, in microseconds since 1970, or 0 where nobody knows.
    """
    line = _beginning(session, wall + exchange.started if wall else 0)
    line.append_text(_column(exchange.tag, _TAG, "dim")).append(" ")
    line.append_text(_column(said(exchange), _COMMAND, "bold")).append(" ")
    line.append_text(_column(result(exchange), _RESULT, result_style(exchange)))
    line.append(f" {took(exchange):>9} {sizes(exchange):>16}", "dim")
    if remarks := marks(exchange):
        line.append(f"  {remarks}", "yellow")
    return line


def session_line(record: SessionOpened | SessionClosed, wall: int = 0) -> Text:
    """A session's first and last line; `wall`, as above, for the last one's time."""
    if isinstance(record, SessionOpened):
        line = _beginning(record.session, record.wall)
        return line.append(escaped(f"{record.client} connected to {record.listen}, server {record.upstream}"), "cyan")
    line = _beginning(record.session, wall + record.at if wall else 0)
    style = "red" if record.ending in {Ending.FAILED, Ending.CUT} else "cyan"
    reason = f": {record.reason}" if record.reason else ""
    line.append(escaped(f"{record.ending}{reason}"), style)
    return line.append(f"  {record.client_bytes}/{record.server_bytes} B", "dim")


def clock(wall: int) -> str:
    """The local time of day, to the millisecond."""
    return f"{local(wall):%H:%M:%S}.{wall // 1000 % 1000:03}"


def result_style(exchange: Exchange) -> str:
    """The colour of a result."""
    return _STYLES.get(exchange.status or "", "magenta" if exchange.outcome is not Outcome.OPEN else "dim")


def sizes(exchange: Exchange) -> str:
    """Bytes of the client / bytes of the server."""
    return f"{exchange.client_bytes}/{exchange.server_bytes} B"


def _beginning(session: int, wall: int) -> Text:
    return Text(f"{clock(wall) if wall else '':<12} ", "dim", end="").append(f"{session:>4} ", "cyan")


def _column(text: str, width: int, style: str) -> Text:
    column = Text(escaped(text), style)
    column.truncate(width, overflow="ellipsis", pad=True)
    return column
