"""The messages of all mailboxes, by the mailbox's recorded name and UIDVALIDITY."""

from __future__ import annotations

from proxy.imap.mapping.messages import Messages
from proxy.imap.mapping.values import Side


class Mailboxes:
    """One `Messages` for each mailbox, and another one when its UIDVALIDITY has become another."""

    def __init__(self) -> None:
        self._messages: dict[tuple[str, int | None], Messages] = {}
        self._now: dict[str, int | None] = {}

    def find(self, name: str, uidvalidity: int | None = None) -> Messages | None:
        """The messages of a recorded mailbox; with the UIDVALIDITY that it has now, if none is given."""
        return self._messages.get((name, self._now.get(name) if uidvalidity is None else uidvalidity))

    def of(self, name: str, uidvalidity: int | None = None) -> Messages:
        """The same, made if need be."""
        if uidvalidity is None:
            uidvalidity = self._now.get(name)
        found = self._messages.get((name, uidvalidity))
        if found is None:
            found = self._messages.pop((name, None), None) or Messages()
            found.uidvalidity[Side.RECORDED] = uidvalidity
            self._messages[name, uidvalidity] = found
        return found

    def nearest(self, name: str) -> Messages:
        """Those that it has now, or will have first, made if need be."""
        now = self.find(name)
        return (
            now or next((found for (each, _), found in self._messages.items() if each == name), None) or self.of(name)
        )

    def select(self, name: str, recorded: int | None, replayed: int | None) -> Messages:
        """The mailbox is known by these UIDVALIDITYs now. UIDs of another one of the target are of no more use."""
        if recorded is not None:
            self._now[name] = recorded
        found = self.of(name, recorded)
        before = found.uidvalidity[Side.REPLAYED]
        if replayed is not None and before not in {None, replayed}:
            key = (name, self._now.get(name))
            found = self._messages[key] = Messages()
            found.uidvalidity[Side.RECORDED] = key[1]
        if replayed is not None:
            found.uidvalidity[Side.REPLAYED] = replayed
        return found

    def rename(self, old: str, new: str, delimiter: str | None) -> None:
        """RENAME: the messages go with their mailbox, and those of the mailboxes below it. INBOX stays (6.3.6)."""
        for name, uidvalidity in list(self._messages):
            below = bool(delimiter) and old != "INBOX" and name.startswith(f"{old}{delimiter}")
            if name == old or below:
                moved = new + name[len(old) :]
                self._messages[moved, uidvalidity] = self._messages.pop((name, uidvalidity))
                if name in self._now:
                    self._now[moved] = self._now.pop(name)

    def delete(self, name: str) -> None:
        """DELETE: a mailbox of that name that is made later is another one."""
        self._now.pop(name, None)
        self._messages.pop((name, None), None)
