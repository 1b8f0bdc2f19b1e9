"""FETCH data in words: one message with all that was said of it, many as a sum."""

from __future__ import annotations

from collections import Counter
from typing import TYPE_CHECKING

from imaptap.meaning.structure import envelope_line, kinds, tree
from imaptap.meaning.words import Gatherer, counted, flags, joined, moment, short, size, string, value
from proxy.imap.grammar import fetch_items as items
from proxy.imap.grammar.values import Absent

if TYPE_CHECKING:
    from collections.abc import Iterator

    from proxy.imap.grammar.fetch import Fetch
    from proxy.imap.grammar.sections import Section
    from proxy.imap.grammar.values import NString

MESSAGES_MOST = 100
"""Messages of one exchange that get a line of their own."""
_FLAGS_MOST = 50
_SHOWN_FLAGS = 6


class Messages:
    """Gathers the FETCH data of one exchange. With `deep`, a line for each message too, and trees."""

    def __init__(self, *, deep: bool) -> None:
        self._deep = deep
        self._numbers, self._uids = Gatherer(), Gatherer()
        self._flags = Counter[bytes]()
        self._flagged = self._sized = self._octets = self._contents = self._content = 0
        self._items = Counter[str]()
        self._first: tuple[Fetch, int | None] | None = None
        self.lines: list[str] = []

    def __bool__(self) -> bool:
        return self._first is not None

    def add(self, fetch: Fetch, uid: int | None) -> None:
        """One FETCH, and the UID of its message where it is known."""
        if self._first is None:
            self._first = fetch, uid
        (self._uids if fetch.uid else self._numbers).add(fetch.number)
        if uid is not None and not fetch.uid:
            self._uids.add(uid)
        for item in fetch.items:
            self._count(item)
        if self._deep and len(self.lines) <= MESSAGES_MOST * 10:
            self._detail(fetch, uid)

    def summary(self) -> str:
        """In one line."""
        if self._first is None:
            return ""
        fetch, uid = self._first
        count = self._uids.count if fetch.uid else self._numbers.count
        if len(self._numbers) + (len(self._uids) if fetch.uid else 0) == 1:
            return joined((f"1 message{_uid(uid)}", joined(_parts(fetch))), ": ")
        which = f"UIDs {self._uids}" if fetch.uid else f"{self._numbers}{self._known(count)}"
        return joined((f"{counted(count, 'message')} {which}", joined(self._sums())), ": ")

    def _known(self, count: int) -> str:
        known = self._uids.count
        if not known:
            return ""
        if known != count:
            return f" ({counted(known, 'UID')} known)"
        uids = str(self._uids)
        return " (the same UIDs)" if uids == str(self._numbers) else f" (UIDs {uids})"

    def _count(self, item: items.Item) -> None:
        if isinstance(item, items.Flags):
            self._flagged += 1
            for flag in item.flags:
                if flag in self._flags or len(self._flags) < _FLAGS_MOST:
                    self._flags[flag] += 1
        elif isinstance(item, items.NumberItem) and item.name == b"RFC822.SIZE":
            self._sized += 1
            self._octets += item.number
        elif isinstance(item, items.Content):
            self._contents += 1
            self._content += _length(item.data)
        elif not (isinstance(item, items.NumberItem) and item.name == b"UID"):
            self._items[_SUMMED.get(type(item), "") or short(item.name.decode("latin-1"), 30)] += 1

    def _sums(self) -> Iterator[str]:
        if self._flagged:
            common = [f"{flags((flag,))} {count:,}" for flag, count in self._flags.most_common(_SHOWN_FLAGS)]
            yield "flags " + (" ".join(common) or "none")
        if self._sized:
            yield f"{size(self._octets)} in all"
        if self._contents:
            yield f"{counted(self._contents, 'content')} of {size(self._content)}"
        yield from (counted(count, name) for name, count in self._items.most_common(_SHOWN_FLAGS))

    def _detail(self, fetch: Fetch, uid: int | None) -> None:
        if len(self.lines) >= MESSAGES_MOST * 10 or len(self._numbers) > MESSAGES_MOST:
            self.lines.append("… and more messages")
            self._deep = False
            return
        which = f"UID {fetch.number}" if fetch.uid else f"{fetch.number}{_uid(uid)}"
        self.lines.append(joined((which, joined(_parts(fetch))), ": "))
        for item in fetch.items:
            if isinstance(item, items.Structure):
                self.lines += (f"   {line}" for line in tree(item.body))


_SUMMED: dict[type, str] = {
    items.EnvelopeItem: "envelope",
    items.Structure: "body structure",
    items.DateItem: "date",
    items.Preview: "preview",
    items.Labels: "list of labels",
    items.UnreadItem: "unreadable item",
}


def _parts(fetch: Fetch) -> Iterator[str]:
    """All that was said of one message, what matters first."""
    ordered = sorted(fetch.items, key=lambda item: _ORDER.get(type(item), 9))
    for item in ordered:
        if not (isinstance(item, items.NumberItem) and item.name == b"UID"):
            yield _said(item)


_ORDER: dict[type, int] = {
    items.Flags: 0, items.NumberItem: 1, items.DateItem: 2, items.EnvelopeItem: 3, items.Structure: 4, items.Content: 5,
}  # fmt: skip


def _said(item: items.Item) -> str:
    name = item.name.decode("latin-1")
    if isinstance(item, items.Flags):
        return f"flags {flags(item.flags)}" if item.flags else "no flags"
    if isinstance(item, items.NumberItem):
        return size(item.number) if name == "RFC822.SIZE" else f"{name} {item.number}"
    if isinstance(item, items.DateItem):
        return moment(item.date) if name == "INTERNALDATE" else f"{name} {moment(item.date)}"
    if isinstance(item, items.EnvelopeItem):
        return envelope_line(item.envelope)
    if isinstance(item, items.Structure):
        return kinds(item.body)
    if isinstance(item, items.Content):
        return f"{_where(item)} {'NIL' if item.data is None else size(_length(item.data))}"
    return _other(item, short(name, 30))


def _other(item: items.Item, name: str) -> str:
    if isinstance(item, items.ObjectId):
        return f"{name} {string(item.objectid)}"
    if isinstance(item, items.BinarySize):
        return f"{name}{_section(item.section)} {size(item.size)}"
    if isinstance(item, items.Preview):
        return f"preview “{string(item.text)}”" if item.text is not None else "no preview"
    if isinstance(item, items.Labels):
        return f"labels {joined((string(label) for label in item.labels[:20]), ' ') or 'none'}"
    if isinstance(item, items.Annotation):
        return counted(len(item.entries), "annotation")
    if isinstance(item, items.OtherItem):
        return f"{name} {value(item.value)}" if item.value is not None else name
    return f"{name} not understood"


def _where(item: items.Content) -> str:
    origin = "" if item.origin is None else f"<{item.origin}>"
    name = item.name.decode("latin-1")
    return f"{name}{_section(item.section) if item.section else ''}{origin}"


def _section(section: Section) -> str:
    part = ".".join(map(str, section.part))
    text = section.text.decode("latin-1") if section.text else ""
    fields = joined((string(field) for field in section.fields[:8]), " ")
    more = " …" if len(section.fields) > 8 else ""
    return f"[{joined((part, text), '.')}{f' ({fields}{more})' if fields else ''}]"


def _length(data: NString) -> int:
    if data is None:
        return 0
    return data.size if isinstance(data, Absent) else len(data)


def _uid(uid: int | None) -> str:
    return "" if uid is None else f" (UID {uid})"
