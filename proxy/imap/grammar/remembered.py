"""Units that come again and again, read once: NOOP and its OK, FLAGS, the same message's data at two servers.

A command and its completion come again with another tag, data about a message with another number and UID, a command
about messages with other ones: these are put into what is remembered.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Generic, NamedTuple, TypeVar, cast

from proxy.imap.grammar.commands import Command
from proxy.imap.grammar.fetch import Fetch
from proxy.imap.grammar.fetch_commands import FetchCommand, Store
from proxy.imap.grammar.fetch_items import NumberItem
from proxy.imap.grammar.responses import Tagged, Untagged
from proxy.imap.grammar.results import Parsed
from proxy.imap.grammar.sets import SequenceSet

if TYPE_CHECKING:
    from collections.abc import Callable

    from proxy.imap.units import Unit

V = TypeVar("V")

TEXT_MOST = 1000
"""Bytes of a unit that is remembered: long ones do not come again."""
UNITS_MOST = 4096
_TAG = re.compile(rb"[A-Za-z0-9.]+(?= )")  # what begins so is no untagged response and no continuation
_NUMBER = rb"([1-9][0-9]{0,8})"
_FETCHED = re.compile(rb"\* %b FETCH \((?:(FLAGS \([^()\"{\r\n]*\) )?UID %b(?=[ )]))?" % (_NUMBER, _NUMBER))
_RANGE = rb"[1-9][0-9]{0,8}(?::(?:[1-9][0-9]{0,8}|\*))?"
_ABOUT = re.compile(rb"([A-Za-z0-9.]+) ((?:UID )?(?:FETCH|STORE)) (%b(?:,%b)*+)(?= )" % (_RANGE, _RANGE))


class _Form(NamedTuple):
    """What a line has in common with others: by `key` it is remembered, and `put` puts what varies into a value.

    What varies is in `match`. `put` gives None for a value that is not what lines of this form mean.
    """

    key: bytes
    match: re.Match[bytes]
    put: Callable[[object, re.Match[bytes]], object | None]


class Remembered(Generic[V]):
    """Reads units by `parse`. What it remembers holds nothing of where a unit stood."""

    def __init__(self, parse: Callable[[Unit], Parsed[V]]) -> None:
        self._parse = parse
        self._known: dict[bytes, Parsed[V]] = {}
        self._older: dict[bytes, Parsed[V]] = {}
        """What was known when there was no more room: of it, whatever is asked for again stays."""

    def __call__(self, unit: Unit) -> Parsed[V]:
        """What the unit says."""
        text = unit.texts[0]
        if unit.literals or unit.flaws or len(text) > TEXT_MOST or len(text) != unit.end - unit.start:
            return self._parse(unit)
        form = _form(text)
        key = text if form is None else form.key
        found = self._known.get(key) or self._again(key)
        if found is None:
            return self._first(unit, key, form)
        return found if form is None else Parsed(cast("V", form.put(found.value, form.match)))

    def _first(self, unit: Unit, key: bytes, form: _Form | None) -> Parsed[V]:
        found = self._parse(unit)
        if found.understood is None or found.quirks:  # those tell offsets
            return found
        if form is None or form.put(found.value, form.match) == found.value:
            self._keep(key, found)
        return found

    def _again(self, key: bytes) -> Parsed[V] | None:
        found = self._older.pop(key, None)
        if found is not None:
            self._keep(key, found)
        return found

    def _keep(self, key: bytes, parsed: Parsed[V]) -> None:
        if len(self._known) >= UNITS_MOST:
            self._older, self._known = self._known, {}
        self._known[key] = parsed


def _form(text: bytes) -> _Form | None:
    """Keys of forms begin as no text does that is its own key."""
    if text.startswith(b"* "):
        if match := _FETCHED.match(text):
            flags, uid = match[2] or b"", b"U" if match[3] else b""
            return _Form(b"\nF" + flags + uid + text[match.end() :], match, _fetched)
        return None
    if match := _ABOUT.match(text):
        return _Form(b"\n" + match[2] + text[match.end() :], match, _about)
    if match := _TAG.match(text):
        return _Form(b"." + text[match.end() :], match, _tagged)
    return None


def _tagged(value: object, match: re.Match[bytes]) -> Command | Tagged | None:
    if isinstance(value, Tagged):
        return Tagged(match[0], value.status)
    return Command(match[0], value.body) if isinstance(value, Command) else None


def _about(value: object, match: re.Match[bytes]) -> Command | None:
    body = value.body if isinstance(value, Command) else None
    messages = SequenceSet(match[3])
    if isinstance(body, FetchCommand):
        return Command(match[1], FetchCommand(body.uid, messages, body.attributes, body.modifiers))
    if isinstance(body, Store):
        return Command(match[1], Store(body.uid, messages, body.change, body.modifiers))
    return None


def _fetched(value: object, match: re.Match[bytes]) -> Untagged | None:
    data = value.data if isinstance(value, Untagged) else None
    if not isinstance(data, Fetch):
        return None
    number, flags, uid = match.groups()
    items = data.items
    if uid is not None:
        place = 1 if flags else 0
        items = (*items[:place], NumberItem(b"UID", int(uid)), *items[place + 1 :])
    return Untagged(Fetch(int(number), items))
