"""A message put together of what FETCH has told of it: whole, in windows, header and text, or part by part."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeAlias

from proxy.imap.grammar.bodystructure import Multipart
from proxy.imap.grammar.fetch_items import Content, EnvelopeItem, NumberItem, Structure
from proxy.imap.grammar.values import Absent
from proxy.imap.ledger import MASK
from proxy.imap.transcript import Direction
from proxy.replay.seeding.beginning import Part, Place, length

if TYPE_CHECKING:
    from proxy.imap.grammar.bodystructure import Body
    from proxy.imap.grammar.envelope import Envelope
    from proxy.imap.grammar.fetch import Fetch
    from proxy.imap.grammar.fetch_items import Item
    from proxy.imap.grammar.values import String

Key: TypeAlias = tuple[tuple[int, ...], bytes | None]
"""Part numbers, and HEADER, TEXT, MIME or None, as in a section."""

WHOLE: Key = ((), None)
HEADER: Key = ((), b"HEADER")
TEXT: Key = ((), b"TEXT")
_OLD_NAMES: dict[bytes, Key] = {b"RFC822": WHOLE, b"RFC822.HEADER": HEADER, b"RFC822.TEXT": TEXT}
_FIELDS = (b"HEADER.FIELDS", b"HEADER.FIELDS.NOT")
_BODY = (b"BODY", b"BODY.PEEK")


@dataclass(slots=True)
class Contents:
    """What is known of one message's bytes. Copies of it made by COPY or MOVE share it."""

    size: int | None = None
    structure: Body = None
    envelope: Envelope | None = None
    some: Part | None = None
    masked: bool = False
    """Whether any of it was told with a secret masked in it, and so is not taken."""
    _sections: dict[Key, Part] = field(default_factory=dict[Key, Part])
    _windows: dict[Key, dict[int, Part]] = field(default_factory=dict[Key, dict[int, Part]])

    def hear(self, session: int, fetch: Fetch, *, masked: bool = False) -> None:
        """What a server says of it in that session; `masked`: somewhere in it are masked bytes."""
        for item in fetch.items:
            if masked and _may_be_masked(item):
                self.masked = True
            elif isinstance(item, Content):
                self._content(session, item)
            elif isinstance(item, NumberItem) and item.name == b"RFC822.SIZE":
                self.size = item.number
            elif isinstance(item, Structure) and (item.name == b"BODYSTRUCTURE" or self.structure is None):
                self.structure = item.body  # the short form, BODY, has no boundaries
            elif isinstance(item, EnvelopeItem):
                self.envelope = item.envelope

    @property
    def whole(self) -> tuple[Part, ...] | None:
        """All of its bytes, if the recording has them."""
        if told := self._section(WHOLE, self.size):
            return told
        header = self.header
        if header is None:
            return None
        text = self._section(TEXT, None if self.size is None else self.size - length(header))
        if text is not None:
            return self._if_it_adds_up((*header, *text), sure=True)
        if not isinstance(self.structure, Multipart):
            # The only part of a message that is not multipart is its text (RFC 9051 section 6.4.5.1).
            only = self._section(((1,), None))
            return only and self._if_it_adds_up((*header, *only), sure=self.structure is not None)
        return self._of_parts(header, self.structure)

    @property
    def header(self) -> tuple[Part, ...] | None:
        """All of its header, with the empty line behind it."""
        return self._section(HEADER)

    def _content(self, session: int, item: Content) -> None:
        if item.data is None or (item.section is not None and item.name not in _BODY):
            return  # BINARY is decoded: not what the message is made of
        part = _part(session, item.data)
        if item.section is None:
            key = _OLD_NAMES[item.name]
        elif item.section.text in _FIELDS:
            if not item.section.part and item.origin is None and (self.some is None or _longer(part, self.some)):
                self.some = part
            return
        else:
            key = item.section.part, item.section.text
        if item.origin is None:
            self._sections.setdefault(key, part)
        else:
            self._windows.setdefault(key, {}).setdefault(item.origin, part)

    def _section(self, key: Key, size: int | None = None) -> tuple[Part, ...] | None:
        """A section as it was told at once, or put together of windows if these add up to `size`."""
        told = self._sections.get(key)
        if told is not None:
            return (told,)
        windows = self._windows.get(key)
        if not windows or size is None:
            return None
        parts: list[Part] = []
        at = 0
        while at < size and (part := windows.get(at)):
            parts.append(part)
            at += length((part,))
        return tuple(parts) if at == size else None

    def _of_parts(self, header: tuple[Part, ...], structure: Multipart) -> tuple[Part, ...] | None:
        """Of MIME headers and parts. What stands before and behind them is not told, so it must add up."""
        body = self._multipart((), structure)
        if body is None:
            return None
        for end in ((), (b"\r\n",)):
            if found := self._if_it_adds_up((*header, *body, *end), sure=False):
                return found
        return None

    def _multipart(self, at: tuple[int, ...], structure: Multipart) -> tuple[Part, ...] | None:
        boundary = next((value for name, value in structure.params or () if _name(name) == b"BOUNDARY"), None)
        if not isinstance(boundary, bytes):
            return None
        parts: list[Part] = []
        for number, child in enumerate(structure.parts, 1):
            place = (*at, number)
            mime = self._section((place, b"MIME"))
            body = self._section((place, None))
            if body is None and isinstance(child, Multipart):
                body = self._multipart(place, child)
            if mime is None or body is None:
                return None
            parts += (b"--" + boundary + b"\r\n", *mime, *body, b"\r\n")
        return (*parts, b"--" + boundary + b"--")

    def _if_it_adds_up(self, parts: tuple[Part, ...], *, sure: bool) -> tuple[Part, ...] | None:
        """`sure`: good also where nobody has told the message's size."""
        good = sure if self.size is None else length(parts) == self.size
        return parts if good else None


def _part(session: int, data: String) -> Part:
    if isinstance(data, Absent):
        return Place(session, Direction.SERVER, data.start, data.size)
    return data


def _may_be_masked(item: Item) -> bool:
    """Whether a secret may be masked in this one. In texts only long ones are (M 7.5); `Place` is looked up later."""
    if isinstance(item, Content):
        return isinstance(item.data, bytes) and MASK * 4 in item.data
    return isinstance(item, EnvelopeItem | Structure)


def _longer(part: Part, other: Part) -> bool:
    return length((part,)) > length((other,))


def _name(name: String | None) -> bytes:
    return name.upper() if isinstance(name, bytes) else b""
