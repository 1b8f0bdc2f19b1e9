"""One line for one exchange, and for a session's beginning and end: what `record` and `tail` show."""

import datetime as dt

from rich.text import Text

from imaptap.cli.errors import escaped
from proxy.imap.transcript import Ending, Exchange, Origin, Outcome, SessionClosed, SessionOpened

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
    moment = dt.datetime.fromtimestamp(wall // 1_000_000, dt.UTC).astimezone()
    return f"{moment:%H:%M:%S}.{wall // 1000 % 1000:03}"


def said(exchange: Exchange) -> str:
    """The command with its arguments."""
    return escaped(f"{exchange.command} {exchange.arguments}".strip())


def result(exchange: Exchange) -> str:
    """The status with its code; with the server's words too where it did not say OK; or what there was instead."""
    if exchange.status is None:
        return str(exchange.outcome)
    words = [exchange.status, f"[{exchange.code}]" if exchange.code else ""]
    if exchange.status != "OK":
        words.append(exchange.text or "")
    return escaped(" ".join(word for word in words if word))


def result_style(exchange: Exchange) -> str:
    """The colour of a result."""
    return _STYLES.get(exchange.status or "", "magenta" if exchange.outcome is not Outcome.OPEN else "dim")


def took(exchange: Exchange) -> str:
    """How long it took, from the command's first byte to its result."""
    if exchange.ended is None:
        return "-"
    milliseconds = (exchange.ended - exchange.started) / 1000
    return f"{milliseconds:.0f} ms" if milliseconds >= 10 else f"{milliseconds:.1f} ms"


def sizes(exchange: Exchange) -> str:
    """Bytes of the client / bytes of the server."""
    return f"{exchange.client_bytes}/{exchange.server_bytes} B"


def marks(exchange: Exchange) -> str:
    """What was odd about it."""
    own = ("sent by imaptap",) if exchange.origin is Origin.PROXY else ()
    return escaped(", ".join((*own, *exchange.marks)))


def _beginning(session: int, wall: int) -> Text:
    return Text(f"{clock(wall) if wall else '':<12} ", "dim", end="").append(f"{session:>4} ", "cyan")


def _column(text: str, width: int, style: str) -> Text:
    column = Text(escaped(text), style)
    column.truncate(width, overflow="ellipsis", pad=True)
    return column
