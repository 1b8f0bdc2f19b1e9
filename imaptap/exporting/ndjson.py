"""A selection as JSON, an object a line: all that a recording has. docs/export.md has the keys."""

from __future__ import annotations

import base64
import json
from typing import TYPE_CHECKING, Any, BinaryIO, Final

from imaptap.exporting.times import moment
from imaptap.exporting.told import NOT_EXPORTED, told
from proxy.imap.transcript import Direction, Event, Exchange, Layer, Span
from storage.cassette.values import Begun, Body, Header, Hole, Noted, Over, Said, Unkept

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imaptap.exporting.selection import Selection
    from imaptap.exporting.settings import Settings
    from storage import Session
    from storage.cassette.values import Statement

FORMAT: Final = "imaptap ndjson"
VERSION: Final = 1
_LAYERS = {Layer.TLS: "tls", Layer.DEFLATE: "deflate"}
_JSON: Final = json.JSONEncoder(separators=(",", ":")).encode

Document = dict[str, Any]


def write(selection: Selection, file: BinaryIO, settings: Settings) -> int:  # noqa: ARG001  all formats have them
    """Write it. Returns how many bytes are missing. Raises StorageError."""
    teller = _Teller(selection)
    file.writelines(f"{line}\n".encode("ascii") for line in teller.lines())
    return teller.missing


class _Teller:
    """Tells all, a JSON object a line."""

    def __init__(self, selection: Selection) -> None:
        self._selection = selection
        self._session: int | None = None
        self._offsets = dict.fromkeys(Direction, 0)
        self._owners: dict[Direction, _Owners] = {}
        self._passed_over: tuple[Direction | None, int | None] = None, None
        """Where a hole begins that is one because nobody wanted what is there."""
        self.missing = 0
        """Bytes that were wanted and are not there."""

    def lines(self) -> Iterator[str]:
        """All of them without their ends, the header first. Raises StorageError."""
        selection = self._selection
        sessions = {session.number: session for session in (selection.session,) if session}
        for statement in told(selection):
            if isinstance(statement, Said):
                yield from self._bytes(statement)
                continue
            if isinstance(statement, Begun):
                self._begin(statement, sessions.get(statement.number))
            document = self._document(statement)
            if document is not None:
                yield _JSON(document)

    def _begin(self, begun: Begun, session: Session | None) -> None:
        selection = self._selection
        session = session or selection.store.session(selection.recording, begun.number)
        self._session = begun.number
        self._offsets = dict.fromkeys(Direction, 0)
        self._owners = {side: _Owners(selection, session, side) for side in Direction}

    def _document(self, statement: Statement) -> Document | None:
        match statement:
            case Unkept():
                return self._unkept(statement)
            case Hole():
                return self._hole(statement)
            case Header():
                return self._header(statement)
            case Begun():
                place = {"client": statement.client, "listen": statement.listen, "upstream": statement.upstream}
                opened = None if statement.wall is None else moment(statement.wall)
                return self._of("session", opened=opened, **place, whole=self._selection.everything)
            case Body():
                literal = {"start": statement.literal.start, "length": statement.literal.length}
                return self._of("body", side=_side(statement.direction), **literal)
            case Event():
                return self._event(statement)
            case Exchange():
                return self._exchange(statement)
            case Span():
                return self._span(statement)
            case Over():
                counts = {"client_bytes": statement.client_bytes, "server_bytes": statement.server_bytes}
                return self._of("end", at=statement.at, ending=str(statement.ending), reason=statement.reason, **counts)
            case Noted():
                return {"type": "note", **statement._asdict(), "written": moment(statement.written)}
            case _:  # what imaptap said itself follows from the rest
                return None

    def _of(self, kind: str, **values: Any) -> Document:
        return {"type": kind, "session": self._session} | values

    def _header(self, header: Header) -> Document:
        times = {"started": header.started, "ended": header.ended}
        return {
            "type": "header",
            "format": FORMAT,
            "version": VERSION,
            "recording": self._selection.recording.name,
            **{key: None if at is None else moment(at) for key, at in times.items()},
            "imaptap": header.version,
            "settings": header.settings,
            "whole": self._selection.everything and self._selection.session is None,
        }

    def _bytes(self, said: Said) -> Iterator[str]:
        """A chunk, an object a line of it. Nearly all that is told is such, so it is put together here."""
        direction, _, _, data, _ = said
        head = f'{{"type":"bytes","session":{self._session},"side":"{_side(direction)}","offset":'
        place = f',"at":{said.at},"layers":{_JSON(_layers(said.layer))},'
        owners, begin, start = self._owners[direction], self._offsets[direction], 0
        while start < len(data):
            end = data.find(b"\n", start) + 1 or len(data)
            owner = owners.of(begin + start)
            whose = "null" if owner is None else owner
            goes_on = ',"more":true' if end < len(data) else ""
            yield f'{head}{begin + start},"exchange":{whose}{place}{_data(data[start:end])}{goes_on}}}'
            start = end
        self._offsets[direction] += len(data)

    def _unkept(self, unkept: Unkept) -> Document:
        offset = self._offsets[unkept.direction]
        self._offsets[unkept.direction] += unkept.length
        self.missing += unkept.length
        return self._of(
            "unkept",
            side=_side(unkept.direction),
            offset=offset,
            exchange=self._owners[unkept.direction].of(offset),
            at=unkept.at,
            layers=_layers(unkept.layer),
            length=unkept.length,
            chunks=[list(chunk) for chunk in unkept.chunks],
            literal_start=unkept.literal.start,
            literal_length=unkept.literal.length,
            sha256=unkept.sha256.hex(),
        )

    def _hole(self, hole: Hole) -> Document:
        offset = self._offsets[hole.direction]
        self._offsets[hole.direction] += hole.length
        self.missing += 0 if (hole.direction, offset) == self._passed_over else hole.length
        return self._of("hole", side=_side(hole.direction), offset=offset, length=hole.length)

    def _event(self, event: Event) -> Document:
        if event.name == NOT_EXPORTED:
            self._passed_over = event.direction, event.offset
        rewrite = {"received": event.received, "sent": event.sent}
        return {
            "type": "event",
            "session": event.session,
            "at": event.at,
            "kind": str(event.kind),
            "name": event.name,
            "text": event.text,
            "side": None if event.direction is None else _side(event.direction),
            "offset": event.offset,
            "length": event.length,
            **{f"{key}_base64": _base64(data) for key, data in rewrite.items() if data is not None},
        }

    def _exchange(self, exchange: Exchange) -> Document:
        values = exchange._asdict() | {"origin": str(exchange.origin), "outcome": str(exchange.outcome)}
        values |= {"responses": dict(exchange.responses), "marks": list(exchange.marks)}
        del values["session"]
        return self._of("exchange", exchange=values.pop("number"), **values)

    def _span(self, span: Span) -> Document:
        return self._of(
            "span",
            exchange=span.exchange,
            side=_side(span.direction),
            start=span.start,
            end=span.end,
            first_at=span.first_at,
            last_at=span.last_at,
            units=span.units,
            certainty=str(span.certainty),
            open=list(span.open),
        )


class _Owners:
    """Whose the bytes of a stream are, for someone who asks in its order."""

    def __init__(self, selection: Selection, session: Session, direction: Direction) -> None:
        self._stretches = selection.stretches(session, direction)
        self._stretch = next(self._stretches, None)

    def of(self, offset: int) -> int | None:
        """The number of the exchange to which the byte there belongs; None for none."""
        while self._stretch is not None and self._stretch.end is not None and self._stretch.end <= offset:
            self._stretch = next(self._stretches, None)
        return self._stretch.exchange if self._stretch is not None and self._stretch.start <= offset else None


def _side(direction: Direction) -> str:
    return direction.name.lower()


def _layers(layer: Layer) -> list[str]:
    return [name for each, name in _LAYERS.items() if each & layer]


def _data(data: bytes) -> str:
    """As text where it is, or in base64."""
    try:
        return f'"text":{_JSON(data.decode("utf-8"))}'
    except UnicodeDecodeError:
        return f'"base64":"{_base64(data)}"'


def _base64(data: bytes) -> str:
    return base64.b64encode(data).decode("ascii")
