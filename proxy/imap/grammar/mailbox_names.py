"""The name of a mailbox: its bytes, and what a person reads in them (RFC 9051 section 5.1)."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from proxy.imap.grammar.utf7 import mailbox_name
from proxy.imap.grammar.values import Absent, String

if TYPE_CHECKING:
    from proxy.imap.grammar.writer import Writer


@dataclass(frozen=True, slots=True)
class Mailbox:
    """A mailbox by its name. INBOX, which compares without case, is in capitals; all other names are as they stood."""

    raw: String

    @classmethod
    def of(cls, raw: String) -> Mailbox:
        """The mailbox of that name."""
        return cls(b"INBOX" if isinstance(raw, bytes) and raw.upper() == b"INBOX" else raw)

    @property
    def inbox(self) -> bool:
        """Whether it is the INBOX itself."""
        return self.raw == b"INBOX"

    @property
    def name(self) -> str:
        """The name as text: modified UTF-7 or UTF-8 undone. A name that lies elsewhere is `{size}`."""
        return f"{{{self.raw.size}}}" if isinstance(self.raw, Absent) else mailbox_name(self.raw)

    def write(self, w: Writer) -> None:
        """Write the canonical spelling."""
        w.astring(self.raw)
