"""Mailboxes in words: LIST as a table, STATUS, what SELECT tells, quotas, rights, metadata."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from rich.cells import cell_len

from imaptap.meaning.words import counted, flags, joined, number, short, string, value
from proxy.imap.grammar.acl import ListRights, MyRights
from proxy.imap.grammar.metadata import MetadataChanged

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Sequence

    from proxy.imap.grammar.acl import Acl
    from proxy.imap.grammar.listing import MailboxList
    from proxy.imap.grammar.mailbox_names import Mailbox
    from proxy.imap.grammar.mailboxes import MailboxStatus
    from proxy.imap.grammar.metadata import Metadata
    from proxy.imap.grammar.quota import Quota, QuotaRoot
    from proxy.imap.grammar.values import Ext
    from proxy.imap.view.values import MailboxState

ROWS_MOST = 500
"""Mailboxes of one exchange that get a line of their own."""
_NAMES_SHOWN = 4
_NOT_SELECTABLE = (rb"\NOSELECT", rb"\NONEXISTENT")
_SPECIAL = frozenset(rb"\ALL \ARCHIVE \DRAFTS \FLAGGED \JUNK \SENT \TRASH \IMPORTANT \INBOX \ALLMAIL \SPAM".split())


class Mailboxes:
    """Gathers the LIST, LSUB, XLIST and STATUS data of one exchange."""

    def __init__(self, *, deep: bool) -> None:
        self._deep = deep
        self._count = self._listed = self._closed = 0
        self._delimiters = Counter[bytes | None]()
        self._special: list[str] = []
        self._names: list[str] = []
        self._status: list[str] = []
        self._rows: dict[str, tuple[str, str]] = {}

    def __bool__(self) -> bool:
        return self._count > 0

    def listed(self, data: MailboxList) -> None:
        """One mailbox of a list."""
        self._count += 1
        self._listed += 1
        self._delimiters[data.delimiter] += 1
        attributes = [attribute.upper() for attribute in data.attributes]
        self._closed += any(attribute in _NOT_SELECTABLE for attribute in attributes)
        name = named(data.mailbox)
        self._special += [f"{name} {flags((each,))}" for each in data.attributes if each.upper() in _SPECIAL][:1]
        if len(self._names) <= _NAMES_SHOWN:
            self._names.append(name)
        if self._deep and len(self._rows) < ROWS_MOST:
            extended = joined((string(item[0]) for item in data.extended or ()), " ")
            self._rows[name] = (joined((flags(data.attributes), extended), "  "), self._rows.get(name, ("", ""))[1])

    def status(self, data: MailboxStatus) -> None:
        """STATUS of one mailbox."""
        self._count += 1
        name, said = named(data.mailbox), status_words(data)
        if len(self._status) <= 1:
            self._status.append(f"{name}: {said}")
        if self._deep and len(self._rows) < ROWS_MOST:
            self._rows[name] = (self._rows.get(name, ("", ""))[0], said)

    def summary(self) -> str:
        """In one line."""
        stats = self._count - self._listed
        if not self._listed:
            return self._status[0] if stats == 1 else f"status of {counted(stats, 'mailbox', 'mailboxes')}"
        shown = ", ".join(self._names[:_NAMES_SHOWN]) + (", …" if len(self._names) > _NAMES_SHOWN else "")
        marks = [quoted(mark) for mark in self._delimiters]
        return joined((
            f"{counted(self._listed, 'mailbox', 'mailboxes')}: {shown}",
            f"{number(self._closed)} cannot be selected" if self._closed else "",
            f"delimiter {' or '.join(marks[:3])}",
            f"status of {number(stats)}" if stats else "",
        ), "; ")  # fmt: skip

    def lines(self) -> Iterator[str]:
        """The table."""
        if len(self._rows) > 1 or self._listed:
            yield from table((name, *cells) for name, cells in self._rows.items())
        if len(self._rows) >= ROWS_MOST:
            yield "… and more mailboxes"


def named(mailbox: Mailbox) -> str:
    """A mailbox's name for people."""
    return "“”" if mailbox.raw == b"" else short(mailbox.name)


def quoted(mark: bytes | None) -> str:
    """The hierarchy delimiter."""
    return "NIL" if mark is None else f'"{string(mark)}"'


def status_words(data: MailboxStatus) -> str:
    """The items of a STATUS: 4 messages, 1 unseen, UIDNEXT 9."""
    return joined(_status_item(name, item) for name, item in data.items[:20]) or "nothing"


_COUNTED = {b"MESSAGES": "message", b"RECENT": "recent", b"UNSEEN": "unseen", b"DELETED": "deleted"}


def _status_item(name: bytes, item: int | Ext) -> str:
    if not isinstance(item, int):
        return f"{short(name.decode('latin-1'), 30)} {value(item)}"
    if name == b"MESSAGES":
        return counted(item, "message")
    if name in _COUNTED:
        return f"{number(item)} {_COUNTED[name]}"
    if name in (b"SIZE", b"DELETED-STORAGE"):
        return f"{name.decode()} {item:,} B"
    return f"{name.decode('latin-1')} {item}"


def selected(box: MailboxState) -> str:
    """What there is to say of a mailbox that was just selected."""
    mode = {True: "read-only", False: "read-write", None: ""}[box.read_only]
    facts = (
        "" if box.exists is None else counted(box.exists, "message"),
        "" if not box.recent else f"{number(box.recent)} recent",
        "" if box.uidvalidity is None else f"UIDVALIDITY {box.uidvalidity}",
        "" if box.uidnext is None else f"UIDNEXT {box.uidnext}",
        "" if box.highestmodseq is None else f"HIGHESTMODSEQ {box.highestmodseq}",
        "" if box.permanent_flags is None or r"\*" not in box.permanent_flags else "new keywords allowed",
    )
    return f"{joined((short(box.name), mode))}: {joined(facts) or 'nothing told'}"


def quota(data: Quota) -> str:
    """Used and allowed, by resource."""
    used = (_used(each.name, each.usage, each.limit) for each in data.resources[:8])
    return f"quota {string(data.root) or '“”'}: {joined(used) or 'no limits'}"


def _used(name: bytes, usage: int, limit: int) -> str:
    unit = " KiB" if name.upper() == b"STORAGE" else ""
    share = f" ({usage * 100 // limit}%)" if limit > 0 else ""
    return f"{short(name.decode('latin-1'), 30)} {usage:,} of {limit:,}{unit}{share}"


def quota_roots(data: QuotaRoot) -> str:
    """The quotas that a mailbox is under."""
    roots = joined(string(root) or "“”" for root in data.roots[:8])
    return f"{named(data.mailbox)} is under {f'quota {roots}' if data.roots else 'no quota'}"


def rights(data: Acl | ListRights | MyRights) -> str:
    """Who may do what with a mailbox."""
    name = named(data.mailbox)
    if isinstance(data, MyRights):
        return f"{name}: own rights {string(data.rights)}"
    if isinstance(data, ListRights):
        return f"{name}, {string(data.identifier)}: always {string(data.required) or 'none'}"
    pairs = joined(f"{string(whose)} {string(may)}" for whose, may in data.entries[:8])
    return f"{name}: {pairs or 'nobody'}{' …' if len(data.entries) > 8 else ''}"


def metadata(data: Metadata | MetadataChanged) -> str:
    """Entries of a mailbox, or of the server."""
    name = named(data.mailbox) if data.mailbox.raw else "server"
    if isinstance(data, MetadataChanged):
        shown = [f"{string(entry)} changed" for entry in data.entries[:8]]
    else:
        shown = [f"{string(entry)} {string(content)}" for entry, content in data.entries[:8]]
    return f"{name}: {joined(shown) or 'no entries'}{' …' if len(data.entries) > 8 else ''}"


def table(rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """Columns as wide as what stands in them."""
    cells = [tuple(row) for row in rows]
    if not cells:
        return
    widths = [max(cell_len(row[column]) for row in cells) for column in range(len(cells[0]))]
    for row in cells:
        padded = (cell + " " * (width - cell_len(cell)) for cell, width in zip(row, widths, strict=True) if width)
        yield "  ".join(padded).rstrip()
