"""A recording as it may be shown: the statements of a cassette, all of whose texts are rewritten.

Streams keep their lengths, so offsets, spans and sizes stay true. Where exchanges follow from the bytes they are heard
again from the new ones; elsewhere their fields are rewritten by the same rules.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

from imaptap.privacy.policy import Thing
from imaptap.privacy.streams import Rewritten, Side
from imaptap.privacy.units import tag_of
from imaptap.privacy.vocabulary import COMMANDS, IMAP, OURS, SERVER
from imaptap.reading.spans import Spans
from proxy.imap.letters.policy import LEFT_OUT
from proxy.imap.transcript import Direction, Event, EventKind, Exchange
from storage.cassette import ended, follows, told_recording, told_session
from storage.cassette.values import Answered, Begun, Body, Header, Hole, Over, Own, Said, Told, Unkept

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imaptap.privacy.rules import Rules
    from storage import Recording, Session, Store
    from storage.cassette.values import Statement

_DAY: Final = 86_400_000_000
_URL = re.compile(
    r"(?P<scheme>[a-z+]+://)?(?P<user>[^@/\s]*@)?(?P<host>\[[^\]]*\]|[^:/\s]*)(?P<port>:\d+)?(?P<rest>.*)", re.DOTALL
)
_CAPABILITIES = re.compile(rb"[A-Z0-9=+\-./ _]*")
_OURS: Final = frozenset((EventKind.SECRET, EventKind.COMPRESS, EventKind.VARIES))
"""Events whose text is imaptap's own, and quotes nobody."""
_SHA256: Final = re.compile("sha256 ([0-9a-f]{64})")
_EVENT_WORDS: Final = IMAP | SERVER | OURS
_NOBODY: Final = frozenset(("unknown", "client"))
"""What stands for an address that a log does not tell, or a cassette that was written by hand."""


def anonymised(store: Store, recording: Recording, rules: Rules, session: Session | None = None) -> Iterator[Statement]:
    """All that is told of a recording, or of one `session` of it. Raises StorageError."""
    yield _header(told_recording(recording), rules)
    if session is None:
        for event in store.recording_events(recording):
            yield _event(event, rules)
    for each in store.sessions(recording) if session is None else (session,):
        yield from _Retold(store, ended(store, each), rules).statements()


class _Retold:
    """One session."""

    def __init__(self, store: Store, session: Session, rules: Rules) -> None:
        self._store, self._session, self._rules = store, session, rules
        self._offsets = dict.fromkeys(Direction, 0)
        spans = Spans(store, session)
        self._streams = {side: Rewritten(store, session, spans, side, rules) for side in Direction}

    def statements(self) -> Iterator[Statement]:
        told = Told.EVENTS if follows(self._store, self._session) else Told.EVERYTHING
        for statement in told_session(self._store, self._session, told):
            yield self._statement(statement)

    def _statement(self, statement: Statement) -> Statement:
        rules = self._rules
        match statement:
            case Begun():
                wall = None if statement.wall is None else max(0, statement.wall + rules.days() * _DAY)
                who = (_machine(each, rules) for each in (statement.client, statement.listen, statement.upstream))
                client, listen, upstream = who
                return statement._replace(wall=wall, client=client, listen=listen, upstream=upstream)
            case Said():
                return self._said(statement)
            case Unkept():
                self._offsets[statement.direction] += statement.length
                hidden = rules.replaces(Thing.TEXT)
                known = statement.sha256 and hidden
                return statement._replace(sha256=rules.pseudonyms.digest(statement.sha256)) if known else statement
            case Hole():
                self._offsets[statement.direction] += statement.length
                return statement
            case Event():
                return self._event(statement)
            case Exchange():
                return _exchange(statement, rules)
            case Answered():
                return statement._replace(tag=_tag(statement.tag, rules), text=_text(statement.text, rules))
            case Over():
                return statement._replace(reason=_text(statement.reason, rules))
            case Body() | Own():
                return statement
            case _:
                return statement

    def _said(self, said: Said) -> Said:
        offset = self._offsets[said.direction]
        self._offsets[said.direction] = offset + len(said.data)
        return said._replace(data=self._streams[said.direction].take(offset, len(said.data)))

    def _event(self, event: Event) -> Event:
        return _event(event, self._rules)


def _header(header: Header, rules: Rules) -> Header:
    moved = rules.days() * _DAY
    started = None if header.started is None else max(0, header.started + moved)
    ended_at = None if header.ended is None else max(0, header.ended + moved)
    settings = "" if rules.replaces(Thing.HOST) else header.settings
    return header._replace(started=started, ended=ended_at, settings=settings)


def _event(event: Event, rules: Rules) -> Event:
    """With what was rewritten on the wire as the rules have it."""
    text = event.text if event.kind in _OURS else _words(event.text, rules, Thing.HOST)
    if event.name == LEFT_OUT and (known := _SHA256.fullmatch(event.text)) and rules.replaces(Thing.TEXT):
        text = f"sha256 {rules.pseudonyms.digest(bytes.fromhex(known[1])).hex()}"
    received, sent = (_rewrite(each, rules) for each in (event.received, event.sent))
    return event._replace(text=text, received=received, sent=sent)


def _rewrite(data: bytes | None, rules: Rules) -> bytes | None:
    """What was read or sent in place of something else: words of a capability list stay, as they do in the stream."""
    if data is None or _CAPABILITIES.fullmatch(data):
        return data
    return rules.words(data, Thing.OTHER, IMAP)


def _exchange(exchange: Exchange, rules: Rules) -> Exchange:
    known = exchange.command.removeprefix("UID ") in COMMANDS
    command = exchange.command if known or not exchange.command else _words(exchange.command, rules, Thing.OTHER)
    mailbox = exchange.mailbox
    if mailbox is not None and mailbox.upper() != "INBOX":
        mailbox = rules.mailbox(mailbox.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")
    return exchange._replace(
        tag=_tag(exchange.tag, rules),
        command=command,
        arguments=_arguments(exchange, rules),
        mailbox=mailbox,
        code=None if exchange.code is None else _as_unit(f"* OK [{exchange.code}]", rules, Direction.SERVER)[6:-1],
        text=None if exchange.text is None else _text(exchange.text, rules),
    )


def _arguments(exchange: Exchange, rules: Rules) -> str:
    head = f"a {exchange.command} "
    made = _as_unit(head + exchange.arguments, rules, Direction.CLIENT)
    return made[len(head) :]


def _as_unit(text: str, rules: Rules, direction: Direction) -> str:
    """A line without what ends it; what it announces does not come."""
    side = Side(rules, direction)
    data = text.encode("utf-8", "surrogateescape")
    return (side.feed(data) + side.flush()).decode("utf-8", "surrogateescape")


def _tag(tag: str, rules: Rules) -> str:
    return tag_of(rules, tag.encode("utf-8", "surrogateescape")).decode("utf-8", "surrogateescape")


def _text(text: str, rules: Rules) -> str:
    return _words(text, rules, Thing.SERVER)


def _words(text: str, rules: Rules, thing: Thing) -> str:
    return rules.words(text.encode("utf-8", "surrogateescape"), thing, _EVENT_WORDS).decode("utf-8", "surrogateescape")


def _machine(where: str, rules: Rules) -> str:
    """An address, or a URL: scheme and port stay."""
    if where in _NOBODY:
        return where
    match = _URL.fullmatch(where)
    if match is None:
        return _words(where, rules, Thing.HOST)
    host = match["host"].encode()
    if match["host"].replace(".", "").isdigit() or ":" in match["host"]:
        shown = rules.words(host, Thing.HOST)
    else:
        shown = rules.host(host)
    user = rules.address((match["user"] or "").encode()).decode()
    rest = _words(match["rest"], rules, Thing.HOST)
    return f"{match['scheme'] or ''}{user}{shown.decode()}{match['port'] or ''}{rest}"
