"""What the whole grammar says of an exchange: where client and server depart from the RFCs, and dates of APPEND.

Reading a unit takes some 50 us, and most are like one that was read before: `* 17 EXISTS` is like `* 23 EXISTS`. So
what was noticed in short ones is remembered, digits aside where they make no difference.
"""

from __future__ import annotations

import functools
import re
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Final, NamedTuple

from proxy.imap.grammar import Command, Parsed, parse_command, parse_response
from proxy.imap.grammar.append import Append, Replace
from proxy.imap.transcript import BODY_MIN, Direction, EventKind, Outcome
from proxy.imap.units import Literal, Unit

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from proxy.imap.grammar.dates import DateTime
    from storage.filter.gather import Told

READ_WHOLE_MOST: Final = 64 * 1024
"""So many bytes of each side of an exchange are read, large literals not counted, and no unit that is longer."""
_SHORT: Final = 512
_REMEMBERED: Final = 4096

_LITERAL: Final = re.compile(rb"(~?)\{(\d{1,10})(\+?)\}\r?\n\Z")
_STATUS: Final = re.compile(rb"(?:\S+ +(?:OK|NO|BAD|BYE|PREAUTH)(?=[ \[\r\n])|\+) *", re.IGNORECASE)
_DIGITS_COUNT: Final = re.compile(rb"\{|[0-9]{10}|-0|-[0-9]{4} ")
"""A literal's size, a number that may be too large, -0, which is no negative one, and a date with its time."""
_ALIKE: Final = bytes.maketrans(b"0123456789", b"1" * 10)
_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)
_APPENDING: Final = frozenset({"APPEND", "REPLACE", "UID REPLACE"})


class Understood(NamedTuple):
    """Names of quirks (docs/grammar.md), and the dates that an APPEND gives, in microseconds since 1970 UTC."""

    quirks: frozenset[str]
    dates: tuple[int, ...]


_NOTHING: Final = Understood(frozenset(), ())


def understood(told: Told) -> Understood:
    """What is noticed in an exchange. Where bytes of its session were lost meanwhile, nothing is."""
    if EventKind.GAP in told.events:
        return _NOTHING
    goes_on = told.exchange.outcome is Outcome.OPEN
    quirks = set[str]()
    dates: tuple[int, ...] = ()
    for unit in _commands(told, units(told.client, Direction.CLIENT, goes_on=goes_on)):
        if told.exchange.command in _APPENDING:
            parsed = parse_command(unit)
            quirks.update(_names(parsed))
            dates += _appended(parsed.understood)
        else:
            quirks.update(_noticed(unit, Direction.CLIENT))
    for unit in units(told.server, Direction.SERVER, goes_on=goes_on):
        quirks.update(_noticed(unit, Direction.SERVER))
    return Understood(frozenset(quirks), dates)


def instants(dates: Iterable[DateTime | None]) -> tuple[int, ...]:
    """Microseconds since 1970 UTC; what is no date has none."""
    moments = (date.instant for date in dates if date is not None)
    return tuple((moment - _EPOCH) // timedelta(microseconds=1) for moment in moments if moment is not None)


def _commands(told: Told, said: Iterator[Unit]) -> Iterator[Unit]:
    """Of all that a client says in an exchange: what is behind the command is SASL, which is masked, or DONE."""
    for number, unit in enumerate(said):
        if number and told.exchange.command != "IDLE":
            return
        yield unit


def _appended(value: object) -> tuple[int, ...]:
    body = value.body if isinstance(value, Command) else None
    if isinstance(body, Append):
        return instants(message.date for message in body.messages)
    return instants([body.message.date]) if isinstance(body, Replace) else ()


def _noticed(unit: Unit, direction: Direction) -> Iterable[str]:
    line = unit.texts[0]
    if len(unit.texts) > 1 or len(line) > _SHORT:
        return _names(_parsed(unit, direction))
    return _noticed_in(line if _DIGITS_COUNT.search(line) else line.translate(_ALIKE), direction)


@functools.lru_cache(maxsize=_REMEMBERED)
def _noticed_in(line: bytes, direction: Direction) -> tuple[str, ...]:
    return _names(_parsed(Unit(0, len(line), (line,), (), ()), direction))


def _parsed(unit: Unit, direction: Direction) -> Parsed[Any]:
    return parse_response(unit) if direction is Direction.SERVER else parse_command(unit)


def _names(parsed: Parsed[Any]) -> tuple[str, ...]:
    return tuple({quirk.name for quirk in parsed.names})


def units(data: bytes, direction: Direction, *, goes_on: bool = False) -> Iterator[Unit]:
    """The units of what `gather` gives of one side: the content of literals of BODY_MIN is not in it.

    Up to READ_WHOLE_MOST bytes. A last one without its line end counts, unless the exchange `goes_on`.
    """
    goes_on = goes_on or len(data) > READ_WHOLE_MOST
    data = data[:READ_WHOLE_MOST]
    position = 0
    while position < len(data):
        begin, absent = position, 0
        texts, literals = list[bytes](), list[Literal]()
        announced: re.Match[bytes] | None = None
        while announced or not texts:
            if announced:
                size = int(announced[2])
                content = data[position : position + size] if size < BODY_MIN else None
                start = position - begin + absent
                literals.append(Literal(start, size, not announced[3], bool(announced[1]), content))
                if content is None:
                    absent += size
                else:
                    position += size
            end = data.find(b"\n", position) + 1 or len(data)
            texts.append(data[position:end])
            position = max(position, end)
            announced = _announcement(texts, direction)
        if position > len(data) or (goes_on and not texts[-1].endswith(b"\n")):
            return
        yield Unit(0, position - begin + absent, tuple(texts), tuple(literals), ())


def _announcement(texts: list[bytes], direction: Direction) -> re.Match[bytes] | None:
    """The literal that the last text announces. In a status only its code may (M 2.4), while it is open (M 2.5)."""
    last = texts[-1]
    if b"}" not in last[-3:-1]:
        return None
    status = _STATUS.match(texts[0]) if direction is Direction.SERVER else None
    if status and (not texts[0].startswith(b"[", status.end()) or b"]" in last):
        return None
    return _LITERAL.search(last[-16:])
