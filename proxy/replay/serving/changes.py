"""What was answered from the recording and changes mail: no server that may be asked has heard of it."""

from __future__ import annotations


class Changes:
    """Of all connections, since the recording began anew; who logs in as the same user sees the same mail."""

    def __init__(self) -> None:
        self._first: dict[str | None, str] = {}

    def note(self, user: str | None, command: str) -> None:
        """This user (None: nobody knows who) was told that it is done."""
        self._first.setdefault(user, command)

    def of(self, user: str | None) -> str:
        """The first such command of this user; nothing where there is none."""
        return self._first.get(user, "")

    def forget(self) -> None:
        """The recording begins anew, and with it the mail is as it was."""
        self._first.clear()
