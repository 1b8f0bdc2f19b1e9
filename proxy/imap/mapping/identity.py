"""What makes a message itself, wherever it lies: its Message-ID, its size, its bytes (M 8)."""

from __future__ import annotations

import hashlib
import re
from typing import TYPE_CHECKING, NamedTuple

from proxy.imap.grammar.fetch_items import Content, EnvelopeItem, NumberItem
from proxy.imap.grammar.values import Absent
from proxy.imap.transcript import Direction

if TYPE_CHECKING:
    from proxy.imap.grammar.fetch import Fetch
    from proxy.imap.grammar.values import NString
    from proxy.imap.view.dialogue import Literals

_MESSAGE_ID = re.compile(rb"(?im)^message-id:\s*+(\S++)(?=\s)")
_HEAD_MOST = 65536
_HEADERS = frozenset((b"HEADER", b"HEADER.FIELDS"))


class Identity(NamedTuple):
    """What is known of a message; None for what is not."""

    message_id: bytes | None = None
    size: int | None = None
    digest: str | None = None

    def with_(self, other: Identity) -> Identity:
        """Both together; what is known newly counts."""
        return Identity(
            self.message_id if other.message_id is None else other.message_id,
            self.size if other.size is None else other.size,
            self.digest if other.digest is None else other.digest,
        )

    def differs(self, other: Identity) -> bool:
        """Whether the two cannot be one message: another Message-ID, or other bytes. Servers differ about sizes."""
        if self.message_id is not None and other.message_id is not None:
            return self.message_id != other.message_id
        return None not in (self.digest, other.digest) and self.digest != other.digest


NOTHING = Identity()


def identity(fetched: Fetch, literals: Literals | None = None) -> Identity:
    """What a FETCH tells of its message's identity; a hash of its bytes only where they tell no Message-ID."""
    message_id, size, digest = None, None, None
    for item in fetched.items:
        if isinstance(item, NumberItem):
            size = item.number if item.name == b"RFC822.SIZE" else size
        elif isinstance(item, EnvelopeItem):
            said = item.envelope.message_id if item.envelope is not None else None
            message_id = said.strip() if isinstance(said, bytes) and said.strip() else message_id
        elif isinstance(item, Content) and not item.origin:
            if _is_header(item):
                message_id = _in_header(item.data) or message_id
            elif _is_whole(item):
                message_id = _in_header(item.data) or message_id
                digest = None if message_id or item.origin is not None else _digest(item.data, literals)
    return Identity(message_id, size, digest)


def _is_header(item: Content) -> bool:
    section = item.section
    if section is None:
        return item.name == b"RFC822.HEADER"
    return not section.part and section.text in _HEADERS


def _is_whole(item: Content) -> bool:
    section = item.section
    return item.name == b"RFC822" if section is None else not section.part and section.text is None


def _in_header(data: NString) -> bytes | None:
    if not isinstance(data, bytes):
        return None
    end = data.find(b"\r\n\r\n", 0, _HEAD_MOST)
    match = _MESSAGE_ID.search(data, 0, end if end >= 0 else _HEAD_MOST)
    return match[1] if match else None


def _digest(data: NString, literals: Literals | None) -> str | None:
    if isinstance(data, bytes):
        return hashlib.sha256(data).hexdigest()
    if not isinstance(data, Absent) or literals is None:
        return None
    return literals.digest(Direction.SERVER, data.start, data.size)
