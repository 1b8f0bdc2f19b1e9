"""Mailboxes in commands: their names, the patterns of LIST, the sources of a search in several (M 9.5)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.imap.commands import names_mailbox
from proxy.imap.grammar import utf7
from proxy.imap.grammar.generic import Unknown
from proxy.imap.grammar.listing import List
from proxy.imap.grammar.mailbox_names import Mailbox
from proxy.imap.grammar.search_commands import ESearchCommand
from proxy.imap.grammar.values import Absent, Atom, Opaque
from proxy.imap.mapping import NoCounterpartError
from proxy.imap.mapping.patterns import pattern
from proxy.imap.transcript import readable
from proxy.replay.commands.messages import uids_of

if TYPE_CHECKING:
    from proxy.imap.grammar.generic import Arguments
    from proxy.imap.grammar.values import Ext, String
    from proxy.replay.commands.context import Context, Mapper

_UTF8 = frozenset(("UTF8=ACCEPT", "UTF8=ONLY", "IMAP4REV2"))
_BOXES = frozenset((b"MAILBOXES", b"SUBTREE", b"SUBTREE-ONE"))


def mailbox(context: Context, recorded: Mailbox) -> Mailbox:
    """A mailbox at the target; the same object where nothing changes."""
    if isinstance(recorded.raw, Absent):
        raise NoCounterpartError(f"a mailbox name of {recorded.raw.size} bytes is not kept with its command")
    raw = _spelled(context, recorded.raw, recorded.name, context.counterpart(recorded.name))
    return recorded if raw == recorded.raw else Mailbox.of(raw)


def _spelled(context: Context, raw: bytes, name: str, there: str) -> bytes:
    """A name's bytes at the target: UTF-8 where that was enabled, else modified UTF-7 (RFC 9051 section 5.1)."""
    utf8 = not _UTF8.isdisjoint(context.target.enabled)
    as_it_is = name.encode("utf-8", "surrogatepass")
    if raw != as_it_is and not _decodes(raw, name):
        if there == name:
            return raw
        raise NoCounterpartError(f'the mailbox name "{name}" is neither UTF-8 nor modified UTF-7')
    same = utf8 == (not _UTF8.isdisjoint(context.dialogue.before.enabled))
    if there == name and (same or (raw == as_it_is if utf8 else raw.isascii())):
        return raw
    context.note(f"{name} → {there}" if there != name else f"{name} in {'UTF-8' if utf8 else 'modified UTF-7'}")
    return there.encode("utf-8", "surrogatepass") if utf8 else utf7.encode(there)


def _decodes(raw: bytes, name: str) -> bool:
    try:
        return utf7.decode(raw) == name
    except ValueError:
        return False


def _reference(context: Context, _: List, reference: Mailbox) -> Mailbox:
    if not reference.raw:
        return reference
    raw = _pattern(context, reference.raw, whole=True)
    return reference if raw == reference.raw else Mailbox(raw)


def _patterns(context: Context, command: List, patterns: tuple[String, ...]) -> tuple[String, ...]:
    whole = not command.reference.raw
    mapped = tuple(_pattern(context, each, whole=whole) for each in patterns)
    return patterns if mapped == patterns else mapped


def _pattern(context: Context, raw: String, *, whole: bool) -> String:
    if isinstance(raw, Absent):
        raise NoCounterpartError(f"a pattern of {raw.size} bytes is not kept with its command")
    name = Mailbox(raw).name
    there = pattern(context.mapping.names, name, context.place, context.policy.names, whole=whole)
    return _spelled(context, raw, name, there)


def _sources(context: Context, _: ESearchCommand, sources: tuple[Ext, ...] | None) -> tuple[Ext, ...] | None:
    """The mailboxes of `IN (…)`, behind the words that take some (RFC 7377 section 2.2)."""
    if sources is None:
        return None
    context.several = True
    mapped: list[Ext] = []
    named = False
    for source in sources:
        mapped.append(_names(context, source) if named else source)
        named = not named and isinstance(source, Atom) and source.raw.upper() in _BOXES
    return sources if tuple(mapped) == sources else tuple(mapped)


def _names(context: Context, value: Ext) -> Ext:
    if isinstance(value, tuple):
        return tuple(_names(context, each) for each in value)
    recorded = Mailbox.of(value.raw if isinstance(value, Atom) else value)
    mapped = mailbox(context, recorded)
    return value if mapped is recorded else mapped.raw


def _arguments(context: Context, command: Unknown, arguments: Arguments) -> Arguments:
    """Of a command nobody here knows: a set of UIDs behind UID; a mailbox, where its name says so."""
    if isinstance(arguments, Opaque) or not arguments:
        return arguments
    if command.word.startswith(b"UID "):
        first = uids_of(context, arguments[0])
    elif names_mailbox(readable(command.word)):
        first = _names(context, arguments[0])
    else:
        return arguments
    return arguments if first is arguments[0] else (first, *arguments[1:])


MAPPERS: dict[tuple[type, str], Mapper] = {
    (List, "reference"): _reference,
    (List, "patterns"): _patterns,
    (ESearchCommand, "sources"): _sources,
    (Unknown, "arguments"): _arguments,
}
"""Values whose meaning lies in what they are part of: class and field -> what maps the field."""
