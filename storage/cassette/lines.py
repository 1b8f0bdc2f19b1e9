"""The lines of a cassette that begin with a word, written: what `storage.cassette.words` reads."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from proxy.imap.transcript import Certainty, Ending, Event, Exchange, Origin, Outcome, Span
from storage.cassette import fields
from storage.cassette.fields import write_fields
from storage.cassette.values import Answered, Begun, Body, Header, Hole, Over, Own, Told, Unkept
from storage.cassette.words import REASON, side

if TYPE_CHECKING:
    from storage.cassette.values import Statement


def written(statement: Statement, now: int) -> str:
    """The line of a statement that is told in fields; `now` is what the clock of the cassette says there."""
    word, said = _said(statement, now)
    return word + write_fields(said)


def _said(statement: Statement, now: int) -> tuple[str, list[tuple[str, Any]]]:
    match statement:
        case Event():
            return "event", _event(statement, now)
        case Exchange():
            return "exchange", _exchange(statement)
        case Span():
            return "span", _span(statement)
        case Over():
            return "end", _over(statement, now)
        case Own():
            return "proxy", [("at", _unless(statement.at, now)), ("command", statement.line)]
        case Answered():
            at, *words = statement
            return "answered", [("at", _unless(at, now)), *zip(("tag", "status", "text"), words, strict=True)]
        case _:
            return _place(statement)


def _place(statement: Statement) -> tuple[str, list[tuple[str, Any]]]:
    match statement:
        case Header():
            times = [("started", statement.started), ("ended", statement.ended)]
            dates = [(key, None if at is None else fields.date(at)) for key, at in times]
            return "recording", [
                *dates,
                ("version", statement.version or None),
                ("settings", statement.settings or None),
            ]
        case Begun():
            opened = None if statement.wall is None else fields.date(statement.wall)
            who = [(key, getattr(statement, key)) for key in ("client", "listen", "upstream")]
            told = None if statement.told is Told.BYTES else str(statement.told.value)
            return "session", [("number", statement.number), ("opened", opened), *who, ("tells", told)]
        case Hole():
            return "hole", [("side", side(statement.direction)), ("length", statement.length)]
        case Body():
            literal = [("start", statement.literal.start), ("size", statement.literal.length)]
            return "body", [("side", side(statement.direction)), *literal]
        case Unkept():
            literal = [("start", statement.literal.start), ("size", statement.literal.length)]
            place = [("side", side(statement.direction)), ("length", statement.length)]
            return "unkept", [
                *place,
                *literal,
                ("chunks", statement.chunks),
                ("sha256", statement.sha256.hex() or None),
            ]
        case _:
            raise TypeError(f"{type(statement).__name__} is not told in fields")


def _event(event: Event, now: int) -> list[tuple[str, Any]]:
    return [
        ("at", _unless(event.at, now)),
        ("kind", str(event.kind.value)),
        ("name", event.name),
        ("text", event.text or None),
        ("side", None if event.direction is None else side(event.direction)),
        ("offset", event.offset),
        ("length", event.length),
        ("received", event.received),
        ("sent", event.sent),
    ]


def _exchange(exchange: Exchange) -> list[tuple[str, Any]]:
    return [
        ("number", exchange.number),
        ("tag", exchange.tag),
        ("command", exchange.command),
        ("arguments", exchange.arguments or None),
        ("mailbox", exchange.mailbox),
        ("origin", None if exchange.origin is Origin.CLIENT else str(exchange.origin.value)),
        ("outcome", None if exchange.outcome is Outcome.COMPLETED else str(exchange.outcome.value)),
        ("status", exchange.status),
        ("code", exchange.code),
        ("text", exchange.text),
        ("started", fields.time(exchange.started)),
        ("ended", None if exchange.ended is None else fields.time(exchange.ended)),
        ("client-bytes", exchange.client_bytes),
        ("server-bytes", exchange.server_bytes),
        ("responses", dict(exchange.responses) or None),
        ("marks", exchange.marks or None),
    ]


def _span(span: Span) -> list[tuple[str, Any]]:
    return [
        ("exchange", span.exchange),
        ("side", side(span.direction)),
        ("start", span.start),
        ("end", span.end),
        ("first", fields.time(span.first_at)),
        ("last", fields.time(span.last_at)),
        ("units", span.units),
        ("certainty", None if span.certainty is Certainty.SURE else str(span.certainty.value)),
        ("open", span.open or None),
    ]


def _over(over: Over, now: int) -> list[tuple[str, Any]]:
    return [
        ("at", _unless(over.at, now)),
        ("how", None if over.ending is Ending.CLIENT else str(over.ending.value)),
        ("reason", None if over.reason == REASON else over.reason),
        ("client-bytes", over.client_bytes),
        ("server-bytes", over.server_bytes),
    ]


def _unless(at: int, now: int) -> str | None:
    return None if at == now else fields.time(at)
