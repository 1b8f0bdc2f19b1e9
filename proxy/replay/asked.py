"""What a command asks for, apart from how it is spelled: two commands of one meaning have equal parts.

Free are the tag, case, the form of strings (atom, quoted, literal, `{n+}`), the order of sets, of FETCH attributes, of
flags, of STATUS items and of search keys that all have to hold; a macro is what it stands for (RFC 9051 section 6.4.5).
"""

from __future__ import annotations

import re
from dataclasses import fields, is_dataclass
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from proxy.imap.commands import read_head
from proxy.imap.grammar import Command, write
from proxy.imap.grammar.append import Append, AppendMessage, Replace
from proxy.imap.grammar.dates import Date, DateTime
from proxy.imap.grammar.fetch_commands import Attribute
from proxy.imap.grammar.search_keys import And
from proxy.imap.grammar.sets import SequenceSet
from proxy.imap.grammar.values import Absent, Atom
from proxy.imap.transcript import readable

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Iterator, Sequence

    from proxy.imap.grammar.values import Writable
    from proxy.imap.units import Unit

    _Values = tuple[object, ...]

_LAST = 1 << 32
"""What `*` is taken for: larger than all numbers that messages can have."""
_BASIC = (b"FLAGS", b"INTERNALDATE", b"RFC822.SIZE")
_MACROS = {b"FAST": _BASIC, b"ALL": (*_BASIC, b"ENVELOPE"), b"FULL": (*_BASIC, b"ENVELOPE", b"BODY")}
_UNORDERED = frozenset(
    {
        "items",
        "flags",
        "attributes",
        "select",
        "returned",
        "keys",
        "modifiers",
        "params",
        "groups",
        "mailboxes",
        "events",
    }
)
OF_THE_NAME = frozenset({"uid", "word", "mechanism"})
"""What of a command's values is no part of it, since its name says the same."""
OF_THE_UNREAD = "arguments"
"""The one part of a command that the grammar does not know, or cannot read."""
_SHOWN_MOST = 200


class Part(NamedTuple):
    """One thing that a command says: its name, what it means, and how that reads."""

    name: str
    meaning: Hashable
    shown: str


class Place(NamedTuple):
    """Where bytes of a stream vary from run to run: offsets, and the name that they have in common with others."""

    start: int
    end: int
    name: str


class Asked(NamedTuple):
    """A command without tag and line end: its name in capitals ("UID FETCH"), its parts, and how it was spelled.

    `pattern` is there where something in it varies: what matches it is the same command, and its groups are the names.
    """

    name: str
    parts: tuple[Part, ...]
    spelled: bytes
    pattern: re.Pattern[bytes] | None = None

    @property
    def shown(self) -> str:
        """The command in one line, for people."""
        text = readable(self.spelled.strip())
        return text if len(text) <= _SHOWN_MOST else f"{text[:_SHOWN_MOST]}…"


def asked(unit: Unit, command: Command | None, varying: Sequence[Place] = ()) -> Asked:
    """What the client's `unit` asks for; `command` is what the grammar made of it, None where it could not read it.

    `varying` are the places within the unit, by offsets of its stream, where anything else may stand as well.
    """
    whole = _whole(unit)
    spelled = whole.lstrip().partition(b" ")[2].removesuffix(b"\n").removesuffix(b"\r")
    head = read_head(unit.texts[0])
    pattern = _pattern(whole, unit.start, varying)
    if command is None:
        return Asked(head.name, (Part(OF_THE_UNREAD, spelled.upper(), readable(spelled)),), spelled, pattern)
    return Asked(head.name, tuple(_parts(command.body)), spelled, pattern)


def _whole(unit: Unit) -> bytes:
    """Its bytes; of literals that lie elsewhere the announcement only."""
    said: list[bytes] = []
    for index, text in enumerate(unit.texts):
        content = unit.literals[index].content if index < len(unit.literals) else None
        said += (text, content or b"")
    return b"".join(said)


def _pattern(whole: bytes, start: int, varying: Sequence[Place]) -> re.Pattern[bytes] | None:
    """For the command without its tag and line end: what stands beside the places is free in its case only."""
    if not varying:
        return None
    places = sorted(varying)
    ends = [place.start - start for place in places[1:]] + [len(whole.rstrip(b"\r\n"))]
    parts = [re.escape(whole[whole.index(b" ") + 1 : places[0].start - start])]
    names: set[str] = set()
    for place, end in zip(places, ends, strict=True):
        group = place.name.replace("-", "_").encode()
        behind = re.escape(whole[place.end - start : end])
        free = b"(?P=%b)" % group if place.name in names else b"(?P<%b>.+?)" % group
        # It ends where what is behind it comes first: what a client says must not be tried in every possible way.
        parts.append(b"(?>%b%b)" % (free, behind) if place is not places[-1] else free + behind)
        names.add(place.name)
    # What varies in a literal varies in size.
    text = re.sub(rb"\\\{[0-9]+(?:\\\+)?\\\}", lambda _: rb"\{[0-9]+\+?\}", b"".join(parts))
    return re.compile(text, re.IGNORECASE | re.DOTALL)


def _parts(body: Writable) -> Iterator[Part]:
    if isinstance(body, Append):
        yield _part("mailbox", body.mailbox)
        yield from _of_messages(body.messages)
        return
    if isinstance(body, Replace):
        yield Part("number", body.number, str(body.number))
        yield _part("mailbox", body.mailbox)
        yield from _of_messages((body.message,))
        return
    for field in fields(cast("Any", body)):
        value = getattr(body, field.name)
        if field.name not in OF_THE_NAME and value is not None:
            yield _part(field.name, value)


def _of_messages(messages: tuple[AppendMessage, ...]) -> Iterator[Part]:
    flags = tuple(each.flags or () for each in messages)
    yield Part("flags", tuple(map(_folded, flags)), _shown(sum(flags, ())))
    yield _part("date", tuple(each.date for each in messages))
    yield _part("content", tuple(each.data for each in messages))


def _part(name: str, value: object) -> Part:
    return Part(name, _field(name, value), _shown(value))


def _field(name: str, value: object) -> Hashable:
    if isinstance(value, tuple) and name in _UNORDERED:
        return _set(_unfolded(cast("_Values", value)))
    return _meaning(value)


def _unfolded(values: _Values) -> Iterator[object]:
    for each in values:
        if isinstance(each, Attribute) and each.value is None and each.name in _MACROS:
            yield from (Attribute(name) for name in _MACROS[each.name])
        elif isinstance(each, And):  # keys in parentheses among keys: all of them have to hold as well
            yield from _unfolded(each.keys)
        else:
            yield each


def _set(values: Iterable[object]) -> Hashable:
    return frozenset(_flag(_meaning(each)) for each in values)


def _folded(flags: tuple[bytes, ...]) -> Hashable:
    return frozenset(map(_flag, flags))


def _flag(value: Hashable) -> Hashable:
    """Flags and the names of items compare without case (RFC 9051 section 2.3.2)."""
    return value.upper() if isinstance(value, bytes) else value


def _meaning(value: Any) -> Hashable:
    if isinstance(value, SequenceSet):
        return ("set", value.raw if value.saved else value.normal(_LAST))
    if isinstance(value, Absent):
        return ("literal", value.size)
    if isinstance(value, Date):
        return Day(value.day or value.raw)
    if isinstance(value, DateTime):
        return Day(value.instant or value.raw)
    if is_dataclass(value):
        said = ((each.name, getattr(value, each.name)) for each in fields(value))
        return (type(value).__name__, *(_field(name, each) for name, each in said))
    if isinstance(value, tuple):
        return tuple(map(_meaning, cast("_Values", value)))
    return cast("Hashable", value)


class Day(NamedTuple):
    """A date or a moment within a meaning: rules may let any stand for any other."""

    when: Hashable


def _shown(value: object) -> str:
    if value is None or value == ():
        return "none"
    if isinstance(value, tuple):
        return " ".join(map(_shown, cast("_Values", value)))
    if isinstance(value, bytes):
        return readable(value)
    if isinstance(value, Atom):
        return readable(value.raw)
    if hasattr(value, "write"):
        return _written(cast("Writable", value))
    return str(value)


def _written(value: Writable) -> str:
    unit = write(value)
    parts: list[str] = []
    for index, text in enumerate(unit.texts):
        parts.append(readable(text.removesuffix(b"\r\n") if index == len(unit.texts) - 1 else text))
        literal = unit.literals[index] if index < len(unit.literals) else None
        if literal is not None:
            content = literal.content
            parts.append("…" if content is None or len(content) > _SHOWN_MOST else readable(content))
    return "".join(parts)
