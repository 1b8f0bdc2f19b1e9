"""The messages that a recording has whole: in FETCH (BODY[], RFC822, or all parts of one) and APPEND.

Messages are read from the store when they are written, not before; a session of any size takes little memory.
"""

from __future__ import annotations

import itertools
from collections import OrderedDict
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from imaptap.exporting.literals import Literals
from imaptap.reading.ranges import Ranges
from imaptap.reading.understood import Understood
from proxy.imap.grammar.append import Append, AppendMessage, Replace, Utf8, Whole
from proxy.imap.grammar.commands import Command
from proxy.imap.grammar.fetch import Fetch
from proxy.imap.grammar.fetch_commands import FetchCommand, SectionAttribute
from proxy.imap.grammar.fetch_items import Content, DateItem, NumberItem
from proxy.imap.grammar.messages import Count, Vanished
from proxy.imap.grammar.responses import Untagged
from proxy.imap.grammar.sections import Section
from proxy.imap.grammar.values import Absent
from proxy.imap.letters.policy import LEFT_OUT
from proxy.imap.transcript import Direction, EventKind

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from imaptap.exporting.selection import Selection
    from imaptap.reading.understood import Told
    from proxy.imap.grammar.dates import DateTime
    from proxy.imap.grammar.values import String
    from storage import Session, Store

_WHOLE = Section()
_PARTS_KEPT = 10_000
"""Parts of messages of which others have not come; small ones are held themselves."""
_SIZES_KEPT = 100_000
_WINDOWS_KEPT = 1000
_ANEW = frozenset((b"SELECT", b"EXAMINE", b"CLOSE", b"UNSELECT", b"UNAUTHENTICATE"))


@dataclass(frozen=True, slots=True)
class Message:
    """A message that was seen. `exchange` is 0 where it was sent unasked; `which` tells it from others there.

    `place` is an offset in the stream, another one for each message. `at` is when it came, microseconds since 1970.
    """

    session: Session
    exchange: int
    which: str
    place: int
    at: int
    date: datetime | None
    direction: Direction
    parts: tuple[String, ...]
    literals: Literals
    masked: bool = False
    """Whether a part of it was left out, with a mask in its place."""

    @property
    def size(self) -> int:
        """Bytes."""
        return sum(part.size if isinstance(part, Absent) else len(part) for part in self.parts)

    def content(self) -> Iterator[bytes] | None:
        """All of it, masked, in blocks of about a megabyte; None where not all bytes were kept."""
        if self.masked:
            return None
        found = [self.literals.content(self.direction, part) for part in self.parts]
        known = [blocks for blocks in found if blocks is not None]
        return itertools.chain.from_iterable(known) if len(known) == len(found) else None


def messages(selection: Selection) -> Iterator[Message]:
    """Those of the exchanges that are wanted, in the order in which they came. Tells the progress."""
    for session in selection.sessions():
        yield from _Seen(selection, session).messages()


@dataclass(slots=True)
class _Fragments:
    """Parts of a message by their origins; up to `joined` they are all there, and `size` is where they end."""

    parts: dict[int, String] = field(default_factory=dict[int, "String"])
    joined: int = 0
    size: int | None = None

    def add(self, origin: int, part: String, asked: int | None) -> None:
        """A part; where more was asked for, it is the last one (RFC 9051 section 6.4.5)."""
        size = _size(part)
        if size:
            self.parts.setdefault(origin, part)
        if not size or (asked is not None and size < asked):
            self.size = origin + size
        while self.joined in self.parts:
            self.joined += _size(self.parts[self.joined])

    def whole(self) -> tuple[String, ...] | None:
        """All parts in their order, where none is missing."""
        if not self.parts or self.joined != self.size:
            return None
        found: list[String] = []
        position = 0
        while position < self.joined:
            found.append(self.parts[position])
            position += _size(self.parts[position])
        return tuple(found)


class _Known:
    """Sizes of messages, and those of which some parts have come, by UID or by number."""

    def __init__(self) -> None:
        self._fragments: OrderedDict[int, _Fragments] = OrderedDict()
        self._sizes: OrderedDict[int, int] = OrderedDict()
        self._count = 0

    def size(self, message: int, size: int) -> None:
        """How long a message is."""
        self._sizes[message] = size
        if len(self._sizes) > _SIZES_KEPT:
            self._sizes.popitem(last=False)

    def join(self, message: int, origin: int, part: String, asked: int | None) -> tuple[String, ...] | None:
        """All parts of the message, if this was the last one that was missing."""
        fragments = self._fragments.setdefault(message, _Fragments(size=self._sizes.get(message)))
        before = len(fragments.parts)
        fragments.add(origin, part, asked)
        self._count += len(fragments.parts) - before
        whole = fragments.whole()
        if whole is not None:
            self._drop(message)
        while self._count > _PARTS_KEPT:
            self._drop(next(iter(self._fragments)))
        return whole

    def _drop(self, message: int) -> None:
        self._count -= len(self._fragments.pop(message).parts)


class _Seen:
    """Goes through one session once."""

    def __init__(self, selection: Selection, session: Session) -> None:
        self._selection, self._session = selection, session
        self._literals = Literals(selection.store, session)
        self._left_out = _left_out(selection.store, session)
        self._wanted = (
            None if selection.everything else {stored.exchange.number for stored in selection.exchanges(session)}
        )
        self._by_uid, self._by_number = _Known(), _Known()
        self._windows: OrderedDict[int, dict[int, int]] = OrderedDict()

    def messages(self) -> Iterator[Message]:
        """All that are wanted."""
        for told in Understood(self._selection.store, self._session):
            exchange = told.said.exchange.number if told.said.exchange else 0
            value = told.said.parsed.understood
            wanted = self._wanted is None or exchange in self._wanted
            if wanted:
                self._selection.progress(told.end - told.start)
            if isinstance(value, Command):
                found = self._commanded(told, exchange, value)
            elif isinstance(value, Untagged) and isinstance(value.data, Fetch):
                found = self._fetched(told, exchange, value.data)
            else:
                if isinstance(value, Untagged) and _renumbers(value):
                    self._by_number = _Known()
                continue
            if wanted:
                yield from found
            else:
                for _ in found:  # it may be a part of one that is wanted
                    pass

    # --- what the client sends ---------------------------------------------------------------------------------------

    def _commanded(self, told: Told, exchange: int, command: Command) -> Iterator[Message]:
        body = command.body
        if isinstance(body, Append | Replace):
            sent = body.messages if isinstance(body, Append) else (body.message,)
            for number, message in enumerate(sent, 1):
                yield from self._sent(told, exchange, number, message)
        elif isinstance(body, FetchCommand):
            windows = [each.window for each in body.attributes if isinstance(each, SectionAttribute) and each.window]
            if windows:
                self._windows[exchange] = dict(windows)
                if len(self._windows) > _WINDOWS_KEPT:
                    self._windows.popitem(last=False)
        elif getattr(body, "word", b"") in _ANEW:
            self._by_uid, self._by_number = _Known(), _Known()

    def _sent(self, told: Told, exchange: int, number: int, message: AppendMessage) -> Iterator[Message]:
        if isinstance(message.data, Whole | Utf8) and _size(message.data.data):
            yield self._message(told, exchange, f"append{number}", number, message.date, (message.data.data,))

    # --- what the server sends ---------------------------------------------------------------------------------------

    def _fetched(self, told: Told, exchange: int, data: Fetch) -> Iterator[Message]:
        by_uid, message = _key(told, data)
        known = self._by_uid if by_uid else self._by_number
        size, date = data.get(b"RFC822.SIZE"), data.get(b"INTERNALDATE")
        if isinstance(size, NumberItem):
            known.size(message, size.number)
        when = date.date if isinstance(date, DateItem) else None
        for number, item in enumerate(data.items, 1):
            if not isinstance(item, Content) or item.data is None or not _is_whole(item):
                continue
            parts: tuple[String, ...] | None = (item.data,)
            if item.origin is not None:
                asked = self._windows.get(exchange, {}).get(item.origin)
                parts = known.join(message, item.origin, item.data, asked)
            if parts is not None:
                which = f"uid{message}" if by_uid else f"n{message}"
                yield self._message(told, exchange, which, number, when, parts)

    def _message(
        self, told: Told, exchange: int, which: str, number: int, date: DateTime | None, parts: tuple[String, ...]
    ) -> Message:
        return Message(
            self._session, exchange, which, told.start + number, self._session.wall + told.said.at,
            date.instant if date else None, told.said.direction, parts, self._literals,
            self._left_out[told.said.direction].touch(told.start, told.end),
        )  # fmt: skip


def _left_out(store: Store, session: Session) -> dict[Direction, Ranges]:
    """Where letters are masked (`record --bodies`)."""
    found = {direction: Ranges() for direction in Direction}
    for event in store.events(session, EventKind.SECRET):
        if event.name == LEFT_OUT and event.direction is not None and event.offset is not None:
            found[event.direction].add(event.offset, event.offset + (event.length or 0))
    for ranges in found.values():
        ranges.sort()
    return found


def _key(told: Told, data: Fetch) -> tuple[bool, int]:
    """The message's UID, where it is known; else its number."""
    item = data.get(b"UID")
    uid = item.number if isinstance(item, NumberItem) else data.number if data.uid else told.heard.uid
    return (False, data.number) if uid is None else (True, uid)


def _renumbers(value: Untagged) -> bool:
    return isinstance(value.data, Vanished) or (isinstance(value.data, Count) and value.data.word == b"EXPUNGE")


def _is_whole(item: Content) -> bool:
    return item.section == _WHOLE if item.name in (b"BODY", b"BODY.PEEK") else item.name == b"RFC822"


def _size(part: String) -> int:
    return part.size if isinstance(part, Absent) else len(part)
