"""What is learned of two servers while they are compared, as those who compare ask for it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.imap.mapping import Mapping

if TYPE_CHECKING:
    from proxy.imap.view.dialogue import Dialogue, Literals


class Counterparts:
    """A mapping (`storage.diff.equality.Mapped`), of the sessions of one user."""

    def __init__(self) -> None:
        self._mapping = Mapping()
        self.name = self._mapping.name
        self.uid = self._mapping.uid
        self.recorded_uid = self._mapping.recorded_uid
        self.uidvalidity = self._mapping.uidvalidity

    def learn(self, left: Dialogue, right: Dialogue | None, literals: tuple[Literals, Literals]) -> None:
        """A left exchange and its counterpart, in the order of the left ones."""
        self._mapping.learn(left, right, literals)

    def object_id(self, recorded: str) -> str | None:
        """The right id of an email, thread or mailbox."""
        found = (each.replayed(recorded) for each in self._mapping.objects.values())
        return next((each for each in found if each is not None), None)

    def recorded_object_id(self, object_id: str) -> str | None:
        """The left id, by the right one."""
        found = (each.recorded(object_id) for each in self._mapping.objects.values())
        return next((each for each in found if each is not None), None)
