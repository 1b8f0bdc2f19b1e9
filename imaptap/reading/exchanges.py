"""The exchanges of a session by number, for someone who asks for them in about that order."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from proxy.imap.transcript import Exchange
    from storage import Session, Store

EXCHANGES_KEPT = 20_000
"""Exchanges that are remembered, since later data may belong to them."""


class Exchanges:
    """Reads them as they are asked for, and keeps the last ones at hand."""

    def __init__(self, store: Store, session: Session) -> None:
        self._store, self._session = store, session
        self._coming = store.exchanges(session)
        self._kept: OrderedDict[int, Exchange] = OrderedDict()
        self._newest = 0

    def of(self, number: int | None) -> Exchange | None:
        """The exchange with this number; None for none."""
        if number is None:
            return None
        while self._newest < number and (stored := next(self._coming, None)):
            self._newest = stored.exchange.number
            self._kept[self._newest] = stored.exchange
            if len(self._kept) > EXCHANGES_KEPT:
                self._kept.popitem(last=False)
        return self._kept.get(number) or self._again(number)

    def _again(self, number: int) -> Exchange | None:
        stored = next(self._store.exchanges(self._session, after=number - 1), None)
        return stored.exchange if stored and stored.exchange.number == number else None
