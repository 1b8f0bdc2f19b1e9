"""What a server's mailboxes are for: special-use attributes (RFC 6154, RFC 8457), and those of XLIST before them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proxy.imap.grammar.listing import MailboxList

_ROLES = {
    **{role.upper(): role for role in (b"\\All", b"\\Archive", b"\\Drafts", b"\\Flagged", b"\\Junk", b"\\Sent")},
    **{role.upper(): role for role in (b"\\Trash", b"\\Important")},
    b"\\ALLMAIL": b"\\All",
    b"\\SPAM": b"\\Junk",
    b"\\STARRED": b"\\Flagged",
}


class Roles:
    """Which mailboxes of one server have which role."""

    def __init__(self) -> None:
        self._names: dict[bytes, dict[str, None]] = {}

    def hear(self, told: MailboxList) -> None:
        """An answer to LIST or XLIST. One without roles takes none away: they come only where they are asked for."""
        for attribute in told.attributes:
            if role := _ROLES.get(attribute.upper()):
                self._names.setdefault(role, {})[told.mailbox.name] = None

    def of(self, name: str) -> list[bytes]:
        """The roles of a mailbox."""
        return [role for role, names in self._names.items() if name in names]

    def only(self, role: bytes) -> str | None:
        """The mailbox with this role, if there is just one."""
        names = self._names.get(role, {})
        return next(iter(names)) if len(names) == 1 else None

    def forget(self, name: str) -> None:
        """The mailbox is gone, or has another name now."""
        for names in self._names.values():
            names.pop(name, None)
