"""Data that comes once in an exchange, response codes and commands, in a few words each."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imaptap.meaning.mailboxes import metadata, named, quota, quota_roots, quoted, rights
from imaptap.meaning.words import compressed, counted, flags, joined, many, moment, safe, short, size, string, value
from proxy.imap.grammar import append, codes, commands, sasl
from proxy.imap.grammar.acl import Acl, ListRights, MyRights
from proxy.imap.grammar.capability import Enabled, Id, Namespace, NamespaceDescr
from proxy.imap.grammar.fetch_commands import Store, StoreFlags
from proxy.imap.grammar.generic import Unknown
from proxy.imap.grammar.messages import Copy
from proxy.imap.grammar.metadata import Metadata, MetadataChanged
from proxy.imap.grammar.quota import Quota, QuotaRoot
from proxy.imap.grammar.thread import Thread
from proxy.imap.grammar.urlauth import GenUrlAuth, UrlFetch
from proxy.imap.grammar.values import Absent, Opaque

if TYPE_CHECKING:
    from proxy.imap.grammar.responses import Data
    from proxy.imap.view.values import Change

_WORDS_MOST = 12


def told(data: Data) -> str:
    """Untagged data of a kind that is not summed up; nothing where there is nothing to add to the line itself."""
    if isinstance(data, Enabled):
        return f"enabled {flags(data.words) or 'nothing'}"
    if isinstance(data, Id):
        return f"server is {_id(data)}"
    if isinstance(data, Namespace):
        return _namespaces(data)
    if isinstance(data, Quota):
        return quota(data)
    if isinstance(data, QuotaRoot):
        return quota_roots(data)
    if isinstance(data, Acl | ListRights | MyRights):
        return rights(data)
    if isinstance(data, Metadata | MetadataChanged):
        return metadata(data)
    if isinstance(data, Thread):
        return threads(data)
    if isinstance(data, GenUrlAuth | UrlFetch):
        return counted(len(data.urls), "URL")
    return _unknown(data) if isinstance(data, Unknown) else ""


def _unknown(data: Unknown) -> str:
    name = safe(data.word.decode("latin-1"))
    arguments = "…" if isinstance(data.arguments, Opaque) else joined((value(each) for each in data.arguments[:6]), " ")
    return joined((name, "" if data.number is None else str(data.number), arguments), " ")


def _id(data: Id) -> str:
    fields = {bytes(name).lower(): what for name, what in data.fields or () if isinstance(name, bytes)}
    known = joined((string(fields[name]) for name in (b"name", b"version") if fields.get(name)), " ")
    return known or counted(len(fields), "field")


def _namespaces(data: Namespace) -> str:
    kinds = (("personal", data.personal), ("others'", data.others), ("shared", data.shared))
    shown = (f"{kind} {joined(map(_namespace, found[:4]), ' ')}" for kind, found in kinds if found)
    return f"namespaces: {joined(shown) or 'none'}"


def _namespace(found: NamespaceDescr) -> str:
    return f"“{string(found.prefix)}” {quoted(found.delimiter)}"


def threads(data: Thread) -> str:
    """How many messages in how many threads, and how deep."""
    depths: list[int] = []
    for member in data.members:
        depths.append(1 if member.parent is None else depths[member.parent] + 1)
    messages = sum(member.number is not None for member in data.members)
    deep = f", at most {max(depths)} deep" if depths else ""
    return f"{counted(messages, 'message')} in {counted(depths.count(1), 'thread')}{deep}"


def capabilities(change: Change) -> str:
    """A list of capabilities: what is new in it and what is gone, or all of it where it is the first."""
    if change.first:
        words = " ".join(short(word, 40) for word in change.added[:_WORDS_MOST])
        more = " …" if len(change.added) > _WORDS_MOST else ""
        return f"{counted(len(change.added), 'capability', 'capabilities')}: {words}{more}"
    marked = [f"+{short(word, 40)}" for word in change.added] + [f"-{short(word, 40)}" for word in change.removed]
    if not marked:
        return "the same capabilities"
    sums = f"{len(change.added)} new, {len(change.removed)} gone: " if len(marked) > _WORDS_MOST else ""
    more = " …" if len(marked) > _WORDS_MOST else ""
    return f"capabilities {sums}{' '.join(marked[:_WORDS_MOST])}{more}"


def code(found: codes.AnyCode | None) -> str:
    """A response code that says something of its own."""
    if isinstance(found, codes.CopyUid):
        which = f"UIDs {compressed(found.source)} → {compressed(found.target)}"
        copied = many(found.source)
        return f"{counted(copied, 'message') + ': ' if copied else ''}{which}, UIDVALIDITY {found.uidvalidity}"
    if isinstance(found, codes.AppendUid):
        return f"UID {compressed(found.uids)}, UIDVALIDITY {found.uidvalidity}"
    if isinstance(found, codes.Modified):
        return f"not changed, for others were quicker: {compressed(found.messages)}"
    if isinstance(found, codes.BadCharset):
        known = joined((string(charset) for charset in found.charsets[:8]), " ")
        return f"the server knows {known}" if known else ""
    if isinstance(found, codes.NumberCode) and found.name not in (b"UIDNEXT", b"UIDVALIDITY", b"UNSEEN"):
        return f"{found.name.decode('latin-1')} {found.number}"
    if isinstance(found, codes.InProgress):
        return joined((f"{found.done:,}" if found.done else "", f"of {found.goal:,} done" if found.goal else ""), " ")
    return ""


def asked(body: commands.Body) -> str:
    """What a command brings along, where the answer does not say it."""
    if isinstance(body, sasl.Login):
        return f"user {string(body.user)}"
    if isinstance(body, append.Append):
        return f"{_letters(body.messages)} to {named(body.mailbox)}"
    if isinstance(body, append.Replace):
        return f"{_letters((body.message,))} to {named(body.mailbox)} in place of {body.number}"
    if isinstance(body, Copy):
        return f"to {named(body.mailbox)}"
    if isinstance(body, Store) and isinstance(body.change, StoreFlags):
        verb = {b"+": "add", b"-": "remove"}.get(body.change.how, "set")
        words = joined((string(flag) for flag in body.change.flags[:20]), " ")
        return f"{verb} {words or 'no flags'}"
    if isinstance(body, Id):
        return f"client is {_id(body)}"
    return ""


def _letters(messages: tuple[append.AppendMessage, ...]) -> str:
    sizes = [_octets(message.data) for message in messages]
    known = f" of {size(sum(each for each in sizes if each))}" if any(sizes) else ""
    first = messages[0]
    words = joined((flags(first.flags or ()), moment(first.date) if first.date else "")) if len(messages) == 1 else ""
    return f"{counted(len(messages), 'message')}{known}{f', {words},' if words else ''}"


def _octets(data: append.AppendData) -> int:
    if isinstance(data, append.Catenate):
        texts = [part.data for part in data.parts if part.kind == b"TEXT"]
        return sum(each.size if isinstance(each, Absent) else len(each) for each in texts)
    if isinstance(data, append.Whole | append.Utf8):
        return data.data.size if isinstance(data.data, Absent) else len(data.data)
    return 0
