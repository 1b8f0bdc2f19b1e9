"""What of a recording is shown: all of it, or the exchanges that `--filter` has left over."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING

from imaptap.cli.address import Place
from imaptap.cli.errors import UserError
from imaptap.cli.filtering import search
from storage import Recording, Session, Store, StoredExchange

if TYPE_CHECKING:
    from storage.filter import Node


def need_several(place: Place, wanted: Node | None) -> None:
    """Raises UserError where a filter meets the address of a single exchange."""
    if wanted is not None and place.exchange is not None:
        raise UserError(
            "--filter chooses among exchanges, and the address names a single one.",
            f"Leave out the filter, or write {place.recording.name}/{place.exchange.exchange.session}.",
        )


class Choice:
    """Sessions and exchanges to show; `filtered` where those are only some."""

    def __init__(self, store: Store, place: Place, wanted: Node | None) -> None:
        """Raises UserError where a filter meets the address of a single exchange."""
        need_several(place, wanted)
        self._store = store
        self._search = None if wanted is None else search(store, wanted, place.recording)
        self._matches: Mapping[int, Sequence[int]] = self._search.matches() if self._search else {}
        self.filtered = self._search is not None

    def sessions(self, recording: Recording) -> Iterator[Session]:
        """Those of the recording's sessions in which there is something to show."""
        found = self._store.sessions(recording)
        return (session for session in found if session.id in self._matches) if self._search else found

    def exchanges(self, session: Session) -> Iterator[StoredExchange]:
        """What there is to show of a session."""
        if self._search is None:
            return self._store.exchanges(session)
        return self._search.exchanges(session, self._matches.get(session.id, ()))
