"""ENVELOPE in a line, BODYSTRUCTURE as a tree (RFC 9051 section 7.5.2)."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imaptap.meaning.words import counted, joined, short, size, string
from proxy.imap.grammar.bodystructure import Multipart, Part
from proxy.imap.grammar.envelope import Group, groups, view

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.imap.grammar.bodystructure import Body
    from proxy.imap.grammar.envelope import Addresses, Envelope
    from proxy.imap.grammar.values import NString

PARTS_MOST = 200
"""Lines of one tree that are shown."""
_TYPES_MOST = 4


def envelope_line(envelope: Envelope | None) -> str:
    """Subject, who, when, and the message-id."""
    if envelope is None:
        return "no envelope"
    subject = f"“{short(view(envelope.subject))}”" if envelope.subject is not None else "no subject"
    sender = f"from {who(envelope.sent_from)}" if envelope.sent_from else "from nobody"
    to = f"to {who(envelope.to)}" if envelope.to else ""
    date = short(view(envelope.date), 40) if envelope.date is not None else "no date"
    return joined((subject, sender, to, date, string(envelope.message_id) if envelope.message_id else "no message-id"))


def who(addresses: Addresses) -> str:
    """The first address, and how many there are beside it."""
    named = list(groups(addresses))
    if not named:
        return "nobody"
    first = named[0]
    more = f" and {len(named) - 1} more" if len(named) > 1 else ""
    return f"{_group(first) if isinstance(first, Group) else short(first.text)}{more}"


def kinds(body: Body) -> str:
    """The types in a few words: multipart/mixed (text/plain, image/png)."""
    if not isinstance(body, Multipart):
        return media_type(body)
    parts = [media_type(part) for part in body.parts[:_TYPES_MOST]]
    more = ["…"] if len(body.parts) > _TYPES_MOST else []
    return f"{media_type(body)} ({', '.join(parts + more)})"


def media_type(body: Body) -> str:
    """Type and subtype in small letters."""
    if body is None:
        return "no part"
    major: NString = b"multipart" if isinstance(body, Multipart) else body.media_type
    return f"{string(major)}/{string(body.subtype)}".lower()


def tree(body: Body) -> Iterator[str]:
    """A line a part, each with the number that BODY[…] knows it by, type, size, name."""
    left = PARTS_MOST
    todo: list[tuple[Body, str, str, str]] = [(body, "", "", "")]
    while todo:
        part, place, lead, indent = todo.pop()
        if not left:
            yield f"{indent}… more parts"
            return
        left -= 1
        yield f"{lead}{_described(part, place)}"
        children = list(_children(part, place))
        for index, (child, number) in reversed(list(enumerate(children))):
            last = index == len(children) - 1
            branch, below = ("└─ ", "   ") if last else ("├─ ", "│  ")
            todo.append((child, number, indent + branch, indent + below))


def _children(body: Body, place: str) -> Iterator[tuple[Body, str]]:
    """Parts with their numbers; those of a message within are numbered below its own (RFC 9051 section 6.4.5.1)."""
    if isinstance(body, Multipart):
        for index, part in enumerate(body.parts, 1):
            yield part, f"{place}.{index}" if place else f"{index}"
    elif isinstance(body, Part) and body.message is not None:
        inner = body.message.body
        own = place or "1"
        yield inner, own if isinstance(inner, Multipart) else f"{own}.1"


def _described(body: Body, place: str) -> str:
    if body is None:
        return joined((place, "no part"), " ")
    if isinstance(body, Multipart):
        return joined((place, media_type(body), f"({counted(len(body.parts), 'part')})"), " ")
    where = place or "1"
    octets = "" if body.octets is None else size(body.octets)
    lines = "" if body.lines is None else counted(body.lines, "line")
    encoding = string(body.encoding).lower() if body.encoding else ""
    subject = f"“{short(view(body.message.envelope.subject), 50)}”" if body.message else ""
    return f"{where} {joined((media_type(body), octets, lines, encoding, _charset(body), _attached(body), subject))}"


def _charset(part: Part) -> str:
    found = _param(part.params, b"CHARSET")
    return string(found).lower() if found else ""


def _attached(part: Part) -> str:
    """How it is to be shown, and the name of its file."""
    disposition = part.extension.disposition if part.extension else None
    name = _param(disposition.params, b"FILENAME") if disposition else None
    name = name if name is not None else _param(part.params, b"NAME")
    kind = string(disposition.kind).lower() if disposition else ""
    return joined((kind, f"“{short(view(name), 50)}”" if name is not None else ""), " ")


def _param(params: tuple[tuple[object, NString], ...] | None, wanted: bytes) -> NString:
    for name, value in params or ():
        if isinstance(name, bytes) and name.upper() == wanted:
            return value
    return None


def _group(group: Group) -> str:
    return f"{short(view(group.name))}: {counted(len(group.members), 'address', 'addresses')}"
