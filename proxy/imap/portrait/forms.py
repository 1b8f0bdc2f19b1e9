"""A command's form: what is left of it when the numbers, names, dates and texts of one day are taken out.

`UID FETCH 4711:* (FLAGS)` becomes `UID FETCH n:* (FLAGS)`. Names of items, options, header fields and flags stay, since
they are the client's choice.
"""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING

from proxy.imap.grammar import Command, joined, parse_command, write
from proxy.imap.grammar.append import Append, AppendMessage, Catenate, Replace, Utf8, Whole
from proxy.imap.grammar.capability import Enable, Id
from proxy.imap.grammar.commands import Compress
from proxy.imap.grammar.fetch_commands import FetchCommand, Modifier, SectionAttribute, Store, StoreFlags
from proxy.imap.grammar.generic import Bare, Unknown
from proxy.imap.grammar.listing import List
from proxy.imap.grammar.mailboxes import OnMailbox, QResync, StatusCommand
from proxy.imap.grammar.messages import Copy, UidExpunge
from proxy.imap.grammar.sasl import Authenticate, Login
from proxy.imap.grammar.search_commands import Search, Sort, ThreadCommand
from proxy.imap.portrait.keys import keys_form
from proxy.imap.transcript import readable

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proxy.imap.grammar.commands import Body
    from proxy.imap.grammar.fetch_commands import AnyAttribute
    from proxy.imap.grammar.sets import SequenceSet
    from proxy.imap.grammar.values import String, Writable
    from proxy.imap.units import Unit

_ALL = 2**31 - 1
FORM_MOST = 300
"""Characters of a form; what is longer is cut."""


def body_of(unit: Unit) -> Body | None:
    """The command that a unit is; None where it is none that can be read."""
    value = parse_command(unit).value
    return value.body if isinstance(value, Command) else None


def form(name: str, body: Body | None, unit: Unit) -> str:
    """The form of the command `name`, of which `body` was read."""
    shown = _form(readable(name.encode()), body, unit)
    return shown if len(shown) <= FORM_MOST else shown[: FORM_MOST - 1] + "…"


def _form(name: str, body: Body | None, unit: Unit) -> str:  # noqa: C901 - a table of shapes
    match body:
        case FetchCommand() | Store() | Copy() | UidExpunge():
            return _on_messages(name, body)
        case Append() | Replace():
            return _append(name, body, unit)
        case OnMailbox() | StatusCommand():
            return _on_mailbox(name, body)
        case List():
            return _list(name, body)
        case Search() | Sort() | ThreadCommand():
            return _search(name, body)
        case Id():
            names = "NIL" if body.fields is None else _listed(text(key) for key, _ in body.fields)
            return f"{name} {names}"
        case Compress():
            return f"{name} {text(body.mechanism)}"
        case Enable():
            return f"{name} {' '.join(text(word) for word in body.words)}"
        case Login():
            kinds = literal_kinds(unit)
            return f"{name} user password{f' ({kinds[0]})' if kinds else ''}"
        case Authenticate():
            initial = "" if body.initial is None else " initial-response"
            return f"{name} {text(body.mechanism)}{initial}"
        case Bare():
            return name
        case Unknown():
            return f"{name} …" if body.arguments else name
        case _:
            return f"{name} …"


def set_form(messages: SequenceSet) -> str:
    """A set of messages without its numbers: `n`, `1:*`, `n:m`, `n:max`, `n,m,…`, `$`."""
    raw = messages.raw
    if raw in (b"$", b"*", b"1:*"):
        return raw.decode()
    if b"," in raw:
        return "n,m,…"
    if b":" not in raw:
        return "n"
    if b"*" in raw:
        return "n:*"
    return "n:max" if open_ended(messages) else "n:m"


def open_ended(messages: SequenceSet) -> bool:
    """Whether a set goes on to `*`, or to a number that only means all there are."""
    return any(last is None or last >= _ALL for _, last in messages.ranges)


def literal_kinds(unit: Unit) -> tuple[str, ...]:
    """How literals were announced: `{n}` waits for the server, `{n+}` does not; `~` in front for binary ones."""
    kinds = (f"{'~' * each.binary}{{n{'' if each.synchronising else '+'}}}" for each in unit.literals)
    return tuple(dict.fromkeys(kinds))


def text(value: String) -> str:
    """A string of a client, escaped, and cut where it is long."""
    return readable(value[:FORM_MOST]) if isinstance(value, bytes) else "…"


def written(value: Writable) -> str:
    """A value in its canonical spelling, escaped; `…` where a string of it lies elsewhere."""
    try:
        return readable(joined(write(value)).removesuffix(b"\r\n")[:FORM_MOST])
    except ValueError:
        return "…"


def _on_messages(name: str, body: FetchCommand | Store | Copy | UidExpunge) -> str:
    match body:
        case FetchCommand():
            modifiers = "" if body.modifiers is None else f" {_listed(map(_modifier, body.modifiers))}"
            return f"{name} {set_form(body.messages)} {_listed(map(_attribute, body.attributes))}{modifiers}"
        case Store():
            modifiers = "" if body.modifiers is None else f" {_listed(map(_modifier, body.modifiers))}"
            return f"{name} {set_form(body.messages)}{modifiers} {_change(body)}"
        case Copy():
            return f"{name} {set_form(body.messages)} mailbox"
        case UidExpunge():
            return f"{name} {set_form(body.uids)}"


def _attribute(attribute: AnyAttribute) -> str:
    if not isinstance(attribute, SectionAttribute):
        return written(attribute)
    section = dataclasses.replace(attribute.section, part=())
    inside = written(section)
    if attribute.section.part:
        inside = f"[n{'.' if section.text else ''}{inside[1:]}"
    return f"{text(attribute.name)}{inside}{'<n.m>' if attribute.window else ''}"


def _modifier(modifier: Modifier) -> str:
    return text(modifier.name) + ("" if modifier.value is None else " n")


def _change(body: Store) -> str:
    change = body.change
    if not isinstance(change, StoreFlags):
        return "ANNOTATION …"
    flags = (_flag(flag) for flag in change.flags) if change.name == b"FLAGS" else ("label" for _ in change.flags)
    how = text(change.how + change.name) + (".SILENT" if change.silent else "")
    return f"{how} {_listed(dict.fromkeys(flags))}"


def _flag(flag: String | None) -> str:
    """System flags and registered keywords are the client's habit; other keywords are somebody's."""
    return text(flag) if isinstance(flag, bytes) and flag[:1] in (b"\\", b"$") else "keyword"


def _append(name: str, body: Append | Replace, unit: Unit) -> str:
    messages = [body.message] if isinstance(body, Replace) else list(body.messages)
    place = "n mailbox" if isinstance(body, Replace) else "mailbox"
    kinds = " ".join(literal_kinds(unit))
    again = " and more messages" if len(messages) > 1 else ""
    return f"{name} {place} {_message(messages[0])}{kinds}{again}"


def _message(message: AppendMessage) -> str:
    parts = "" if message.flags is None else _listed(dict.fromkeys(map(_flag, message.flags))) + " "
    parts += "" if message.date is None else "date "
    match message.data:
        case Whole():
            return parts
        case Utf8():
            return parts + "UTF8 "
        case Catenate():
            return parts + "CATENATE "
        case other:
            return parts + text(other.label) + " "


def _on_mailbox(name: str, body: OnMailbox | StatusCommand) -> str:
    if isinstance(body, StatusCommand):
        return f"{name} mailbox {_listed(map(text, body.items))}"
    if body.params is None:
        return f"{name} mailbox"
    params = (_qresync(each) if isinstance(each, QResync) else text(each.name) for each in body.params)
    return f"{name} mailbox {_listed(params)}"


def _qresync(param: QResync) -> str:
    return f"QRESYNC (uidvalidity modseq{' uids' if param.known else ''}{' (numbers uids)' if param.matches else ''})"


def _list(name: str, body: List) -> str:
    select = "" if body.select is None else f"{_listed(text(each.name) for each in body.select)} "
    patterns = [_pattern(each) for each in body.patterns]
    shown = patterns[0] if len(patterns) == 1 else _listed(dict.fromkeys(patterns))
    returned = "" if body.returned is None else f" RETURN {_listed(map(written, body.returned))}"
    return f"{name} {select}{'reference' if body.reference.raw else QUOTES} {shown}{returned}"


QUOTES = '""'


def _pattern(pattern: String) -> str:
    if not isinstance(pattern, bytes):
        return "mailbox"
    if pattern in (b"", b"*", b"%"):
        return f'"{pattern.decode()}"'
    return "prefix*" if pattern.endswith(b"*") else "prefix%" if pattern.endswith(b"%") else "mailbox"


def _search(name: str, body: Search | Sort | ThreadCommand) -> str:
    parts = [name]
    if not isinstance(body, ThreadCommand) and body.returned is not None:
        parts.append(f"RETURN {_listed(text(each.name) for each in body.returned)}")
    if isinstance(body, Sort):
        parts.append(_listed(map(written, body.criteria)))
    if isinstance(body, ThreadCommand):
        parts.append(text(body.algorithm))
    if body.charset is not None:
        parts.append(("CHARSET " if isinstance(body, Search) else "") + text(body.charset))
    return " ".join((*parts, keys_form(body.keys, set_form)))


def _listed(words: Iterable[str]) -> str:
    return f"({' '.join(words)})"
