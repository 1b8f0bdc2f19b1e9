"""Values as JSON: the keys that docs/cli.md promises, made here and nowhere else, and written as they are read."""

import base64
import json
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, cast

import click

from imaptap.exporting.times import moment
from imaptap.importing.run import origin_of
from imaptap.reading.values import Hidden, LeftOut, Line, Run
from proxy.imap.letters.policy import bodies_told
from proxy.imap.transcript import Direction, Event, EventKind, Exchange, readable
from storage import Recording, RecordingTotals, Session, Store

if TYPE_CHECKING:
    from imaptap.reading.replayed import ReplayOf
    from proxy.imap.lint import Finding

Document = dict[str, object]


def print_document(document: Mapping[str, object]) -> None:
    """Print one JSON object; iterators in it become arrays, an element a line, and are never held in memory."""
    for part in _encoded(document):
        click.echo(part, nl=False)
    click.echo()


def print_line(document: Document) -> None:
    """Print a JSON object on one line, for those who follow."""
    click.echo(json.dumps(document))


def recording_document(recording: Recording, totals: RecordingTotals) -> Document:
    """A recording, without its sessions."""
    return {
        "recording": recording.id,
        "name": recording.name,
        "state": state(recording),
        "started": moment(recording.started),
        "ended": None if recording.ended is None else moment(recording.ended),
        "host": recording.host,
        "pid": recording.pid,
        "version": recording.version,
        "settings": recording.settings,
        "imported": origin_of(recording),
        "bodies": bodies_told(recording.settings).value,
        "session_count": totals.sessions,
        "exchange_count": totals.exchanges,
        "client_bytes": totals.client_bytes,
        "server_bytes": totals.server_bytes,
    }


def replay_document(source: "ReplayOf | None") -> Document:
    """What a recording is a replay of; null for none."""
    if source is None:
        return {"replay_of": None}
    return {"replay_of": {"recording": source.id, "name": source.name, "url": source.url}}


def session_document(session: Session) -> Document:
    """A session, without what was said in it."""
    return {
        "recording": session.recording.id,
        "session": session.number,
        "started": moment(session.wall),
        "ended": None if session.at_end is None else moment(session.wall + session.at_end),
        "client": session.client,
        "listen": session.listen,
        "upstream": session.upstream,
        "ending": None if session.ending is None else str(session.ending),
        "reason": session.reason,
        "client_bytes": session.client_bytes,
        "server_bytes": session.server_bytes,
    }


def whole_session(store: Store, session: Session, exchanges: Iterator[Document]) -> Document:
    """A session with these documents of exchanges, and all that happened in it."""
    return session_document(session) | {
        "secrets": (_secret(event) for event in store.events(session, EventKind.SECRET)),
        "rewrites": (_rewrite(event) for event in store.events(session, EventKind.REWRITE)),
        "events": (
            event_document(event, session.wall)
            for event in store.events(session)
            if event.kind not in {EventKind.SECRET, EventKind.REWRITE}
        ),
        "exchanges": exchanges,
    }


def exchange_document(session: Session, exchange: Exchange) -> Document:
    """An exchange."""
    ended = exchange.ended
    return {
        "recording": session.recording.id,
        "session": session.number,
        "exchange": exchange.number,
        "tag": exchange.tag,
        "command": exchange.command,
        "arguments": exchange.arguments,
        "mailbox": exchange.mailbox,
        "status": exchange.status,
        "code": exchange.code,
        "text": exchange.text,
        "started": moment(session.wall + exchange.started),
        "ms": None if ended is None else (ended - exchange.started) / 1000,
        "client_bytes": exchange.client_bytes,
        "server_bytes": exchange.server_bytes,
        "responses": dict(exchange.responses),
        "outcome": str(exchange.outcome),
        "origin": str(exchange.origin),
        "marks": list(exchange.marks),
    }


def finding_document(session: Session, finding: "Finding") -> Document:
    """What the linter found."""
    return {
        "rule": finding.rule.id,
        "family": finding.rule.family,
        "severity": finding.rule.severity.word,
        "source": finding.rule.source,
        "side": side(finding.side),
        "recording": session.recording.id,
        "session": session.number,
        "exchange": finding.exchange,
        "at": moment(session.wall + finding.at),
        "offset": finding.offset,
        "bytes": readable(finding.excerpt),
        "bytes_base64": _base64(finding.excerpt),
        "text": finding.rule.text,
        "detail": finding.detail,
    }


def event_document(event: Event, wall: int) -> Document:
    """An event; `wall` is what its time counts from."""
    return {
        "at": moment(wall + event.at),
        "kind": str(event.kind),
        "name": event.name,
        "text": event.text,
        "direction": side(event.direction),
        "offset": event.offset,
        "length": event.length,
    }


def line_document(line: Line, wall: int) -> Document:
    """A line of a transcript; what is not shown of it is said in parentheses."""
    shown = (readable(part.data) if isinstance(part, Run) else hidden_text(part) for part in line.parts)
    return {
        "at": moment(wall + line.at),
        "direction": side(line.direction),
        "offset": line.start,
        "text": "".join(shown),
        "certainty": str(line.certainty),
        "body": line.body,
        "left_out": [_left_out(part) for part in line.parts if isinstance(part, LeftOut)],
    }


def hidden_text(part: Hidden | LeftOut) -> str:
    """What stands in a line for bytes that are not shown."""
    if isinstance(part, LeftOut):
        whole = part.length == part.literal
        what = f"literal {part.length} B" if whole else f"{part.length} B of a literal of {part.literal} B"
        return f"({what}, not kept, sha256 {part.sha256})" if part.sha256 else f"({what}, not kept)"
    words = {"literal": "literal {} B", "rest": "... {} B more", "hole": "hole: {} B were never recorded"}
    return f"({words[part.what].format(part.length)})"


def state(recording: Recording) -> str:
    """live, ended or interrupted."""
    return "live" if recording.live else "interrupted" if recording.interrupted else "ended"


def side(direction: Direction | None) -> str | None:
    """client or server."""
    return None if direction is None else direction.name.lower()


def _left_out(part: LeftOut) -> Document:
    return {"offset": part.start, "length": part.length, "sha256": part.sha256 or None, "literal_length": part.literal}


def _secret(event: Event) -> Document:
    return {
        "direction": side(event.direction),
        "offset": event.offset,
        "length": event.length,
        "class": event.name,
    }


def _rewrite(event: Event) -> Document:
    return {
        "direction": side(event.direction),
        "offset": event.offset,
        "name": event.name,
        "received_base64": _base64(event.received),
        "sent_base64": _base64(event.sent),
    }


def _base64(data: bytes | None) -> str:
    return base64.b64encode(data or b"").decode("ascii")


def _encoded(value: object, indent: str = "\n") -> Iterator[str]:
    if isinstance(value, Mapping):
        yield from _object(cast("Mapping[str, object]", value), indent)
    elif isinstance(value, Iterator):
        yield from _array(cast("Iterator[object]", value), indent)
    else:
        yield json.dumps(value)


def _object(mapping: Mapping[str, object], indent: str) -> Iterator[str]:
    # What is small stands on one line: an exchange is one, and grep finds it whole.
    if not any(map(_streams, mapping.values())):
        yield json.dumps(mapping)
        return
    separator = "{"
    for key, value in mapping.items():
        yield f"{separator}{indent}  {json.dumps(key)}: "
        yield from _encoded(value, indent + "  ")
        separator = ","
    yield f"{indent}}}"


def _streams(value: object) -> bool:
    """Whether it is an iterator, or has one in it."""
    if isinstance(value, Mapping):
        return any(map(_streams, cast("Mapping[str, object]", value).values()))
    return isinstance(value, Iterator)


def _array(values: Iterator[object], indent: str) -> Iterator[str]:
    separator = "["
    for value in values:
        yield f"{separator}{indent}  "
        yield from _encoded(value, indent + "  ")
        separator = ","
    yield "[]" if separator == "[" else f"{indent}]"
