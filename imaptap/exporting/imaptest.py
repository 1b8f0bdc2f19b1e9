"""`--format imaptest`: a scripted test a session, for Dovecot's ImapTest (imapwiki.org/ImapTest/ScriptedTest).

All of them have `state: nonauth`: any other state would empty mailboxes of the account before it begins. Commands stand
as they were typed; of the answers, what the same mailbox would give again: counts, flags, lists, searches, and of each
message all that is short. ImapTest has no IDLE, and speaks of `$` where a byte does: it is doubled.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from imaptap.exporting.typed import typed
from proxy.imap.grammar import Untagged, joined
from proxy.imap.grammar import write as spelled
from proxy.imap.grammar.codes import Code
from proxy.imap.grammar.fetch import Fetch
from proxy.imap.grammar.fetch_items import Content, DateItem, EnvelopeItem, Flags, NumberItem, Structure
from proxy.imap.grammar.listing import MailboxList
from proxy.imap.grammar.mailboxes import MailboxStatus
from proxy.imap.grammar.messages import Count
from proxy.imap.grammar.responses import Tagged
from proxy.imap.grammar.search_results import Found
from proxy.imap.grammar.status import Status
from proxy.imap.grammar.writer import Writer

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from pathlib import Path
    from typing import BinaryIO

    from imaptap.exporting.selection import Selection
    from imaptap.exporting.settings import Settings
    from imaptap.exporting.typed import Typed
    from proxy.imap.grammar.fetch_items import Item
    from proxy.imap.view.dialogue import Answer

_ANSWERS_MOST = 1000
_TOGETHER_MOST = 100
"""Commands that were sent before the first of them was answered, and stand together."""
_LITERAL_MOST = 1024 * 1024
_STEADY = frozenset((b"MESSAGES", b"UNSEEN", b"DELETED", b"SIZE"))
"""Of STATUS; the others depend on the mailbox's past."""
_ANNOUNCED = re.compile(rb"~?\{\d+\+?\}\r?\n\Z")
_COMMAND = re.compile(rb"[A-Za-z]+(?= |\Z)")
_KEYWORDS = re.compile(rb"(?i:ok|no|bad|tag\d+)\Z")
_TEXT = re.compile(rb"[^\0\r\n]*")
_CODE = re.compile(rb"[A-Za-z-]+")
_LINES = re.compile(rb"(?:[^\0\r\n]|\r\n)*")


def write(selection: Selection, target: Path, settings: Settings) -> int:  # noqa: ARG001
    """Write a file for each session. Returns how many bytes of commands are missing."""
    missing = 0
    for session in selection.sessions():
        with (target / f"session-{session.number}").open("xb") as file:
            file.write(f"# session {session.number}, made by imaptap\nstate: nonauth\n\n".encode())
            for group in _groups(typed(selection, session, _ANSWERS_MOST)):
                missing += sum(command.lost for command in group)
                _write(group, file)
    return missing


def _groups(commands: Iterable[Typed]) -> Iterator[list[Typed]]:
    """Those that were in flight together."""
    group: list[Typed] = []
    ended: int | None = 0
    for command in commands:
        exchange = command.exchange
        if group and ((ended is not None and exchange.started >= ended) or len(group) >= _TOGETHER_MOST):
            yield group
            group, ended = [], 0
        group.append(command)
        ended = None if ended is None or exchange.ended is None else max(ended, exchange.ended)
    if group:
        yield group


def _write(group: list[Typed], file: BinaryIO) -> None:
    sent: list[tuple[Typed, bytes]] = []
    for command in group:
        line = None if _why_not(command) else _line(command)
        if line is None:
            why = _why_not(command) or "ImapTest cannot send it"
            file.write(f"# exchange {command.exchange.number} is left out: {why}\n".encode())
        else:
            sent.append((command, line))
    for number, (command, line) in enumerate(sent, 1):
        file.write(b"%s%s\n" % (_head(command) if len(sent) == 1 else b"tag%d " % number, line))
    for command, _ in sent:
        file.writelines(b"* %s\n" % expected for expected in filter(None, map(_expected, command.answers)))
    if len(sent) > 1:
        for number, (command, _) in enumerate(sent, 1):
            file.write((b"tag%d %s%s" % (number, _head(command), _code(command))).rstrip() + b"\n")
    if sent:
        file.write(b"\n")


def _why_not(command: Typed) -> str:
    if not command.why_not and command.exchange.command == "IDLE":
        return "ImapTest has no IDLE"
    return command.why_not


def _head(command: Typed) -> bytes:
    return (command.was.lower().encode() or b'""') + b" "


def _code(command: Typed) -> bytes:
    """The code of the completion where it is one word."""
    value = command.answers[-1].parsed.understood if command.answers else None
    status = value.status if isinstance(value, Tagged) else None
    code = status.code if isinstance(status, Status) and command.was else None
    return b"[%s]" % code.name if isinstance(code, Code) and _CODE.fullmatch(code.name) else b""


def _line(command: Typed) -> bytes | None:
    """The command without its tag; None where the format has no way to say it."""
    if command.logs_in:
        return b'login "$user" "$password"'
    unit = command.asks[0].unit
    rest = unit.texts[0].partition(b" ")[2]
    word = _COMMAND.match(rest.rstrip(b"\r\n"))
    if word is None or _KEYWORDS.match(word[0]) or len(command.asks) > 1:
        return None
    parts: list[bytes] = []
    for text, literal in zip((rest, *unit.texts[1:]), unit.literals, strict=False):
        block = (
            _block(b"".join(command.content(literal) or ()), literal.binary) if literal.size <= _LITERAL_MOST else None
        )
        start = _ANNOUNCED.sub(b"", text)
        if block is None or not _TEXT.fullmatch(start):
            return None
        parts += [start.replace(b"$", b"$$"), block]
    last = unit.texts[-1].rstrip(b"\r\n") if unit.literals else rest.rstrip(b"\r\n")
    if not _TEXT.fullmatch(last) or last.endswith(b"{{{"):
        return None
    return b"".join(parts) + last.replace(b"$", b"$$")


def _block(content: bytes, binary: bool) -> bytes | None:
    """A literal's lines between braces; None where that would be another literal.

    ImapTest counts its bytes before it makes one `$` of two.
    """
    if binary or b"$" in content or not _LINES.fullmatch(content):
        return None
    lines = content.split(b"\r\n")
    if any(line.startswith(b"}}}") for line in lines):
        return None
    return b"{{{\n" + b"".join(line + b"\n" for line in lines) + b"}}}"


def _expected(answer: Answer) -> bytes | None:
    """What an untagged answer says, where another run would say the same."""
    value = answer.parsed.understood
    data = value.data if isinstance(value, Untagged) else None
    if answer.secret or data is None:
        return None
    if isinstance(data, Fetch):
        return _fetched(data)
    if isinstance(data, MailboxStatus):
        known = tuple(item for item in data.items if item[0] in _STEADY)
        return _spelled(MailboxStatus(data.mailbox, known)) if known else None
    if isinstance(data, Flags | MailboxList | Found) or (isinstance(data, Count) and data.word != b"RECENT"):
        return _spelled(data)
    return None


def _spelled(data: Flags | MailboxList | MailboxStatus | Found | Count) -> bytes | None:
    unit = spelled(data)
    return None if unit.literals else _safe(joined(unit).rstrip(b"\r\n"))


def _fetched(data: Fetch) -> bytes | None:
    items = [_item(item) for item in data.items]
    known = b" ".join(item for item in items if item is not None)
    word = b"UIDFETCH" if data.uid else b"FETCH"
    return _safe(b"%d %s " % (data.number, word), b"(" + known + b")") if known else None


def _item(item: Item) -> bytes | None:
    """Name and value; `$` for a value that is long, or another one each time. None for what nobody can foresee."""
    writer = Writer()
    if isinstance(item, Flags):
        Flags(tuple(flag for flag in item.flags if flag.upper() != rb"\RECENT")).write(writer)
    elif isinstance(item, NumberItem) and item.name != b"MODSEQ":
        item.write(writer)
    elif isinstance(item, EnvelopeItem | Structure | DateItem):
        return item.name + b" $"
    elif isinstance(item, Content) and item.data is not None and not (item.section and item.section.fields):
        return _content(item, writer)
    unit = writer.unit()
    return None if unit.literals else joined(unit).replace(b"$", b"$$") or None


def _content(item: Content, writer: Writer) -> bytes:
    writer.raw(item.name)
    if item.section is not None:
        item.section.write(writer)
    if item.origin is not None:
        writer.raw(b"<%d>" % item.origin)
    return joined(writer.unit()) + b" $"


def _safe(start: bytes, rest: bytes = b"") -> bytes | None:
    """`rest` has its `$` doubled already. None for what would not be one line."""
    line = start.replace(b"$", b"$$") + rest
    return line if _TEXT.fullmatch(line) and not line.endswith(b"{{{") else None
