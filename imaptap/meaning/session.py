"""The meanings of a session's exchanges, one after the other, while the session is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

from imaptap.meaning.exchange import Gathered
from imaptap.meaning.values import Meaning
from imaptap.reading.understood import Understood
from proxy.imap.transcript import Certainty, Outcome

if TYPE_CHECKING:
    from imaptap.reading.understood import Told
    from proxy.imap.transcript import Exchange
    from proxy.imap.view.values import Heard
    from storage import Session, Store

_REMARKS_KEPT = 10_000
_WORTH_SAYING = {Certainty.AMBIGUOUS, Certainty.UNSOLICITED}


class Meanings:
    """Asked for the exchanges in their order, it reads the session once. With `deep`, the details too."""

    def __init__(self, store: Store, session: Session, *, deep: bool = False) -> None:
        self._store, self._session = store, session
        understood = Understood(store, session)
        self._view, self._units = understood.view, iter(understood)
        self._deep = deep
        self._gathered: dict[int, Gathered] = {}
        self._over: set[int] = set()
        self._given = 0
        self._remarks: dict[int, tuple[int, str]] = {}
        self._remarked = range(0)
        self._at = -1

    def of(self, exchange: Exchange) -> Meaning:
        """What this exchange means; each can be asked for once, and none before one that was asked for already."""
        number = exchange.number
        last = None if exchange.outcome is Outcome.COMPLETED else self._last_word(exchange)
        while number not in self._over and (last is None or self._at <= last) and self._step():
            pass
        for each in [each for each in self._gathered if each < number]:
            del self._gathered[each]  # nobody asks for them any more
        self._over = {each for each in self._over if each > number}
        self._given = max(self._given, number)
        gathered = self._gathered.pop(number, None)
        return gathered.meaning() if gathered else Meaning()

    def _last_word(self, exchange: Exchange) -> int | None:
        """When the last was said in an exchange that has no answer: nobody else tells that it is over.

        None for one that goes on.
        """
        if exchange.outcome is Outcome.OPEN:
            return None
        return max((span.last_at for span in self._store.spans(self._session, exchange.number)), default=-1)

    def remark(self, start: int, at: int) -> str | None:
        """What reading has found out about whose the server's unit with a line at offset `start` is.

        `at` is when the line's first byte came: reading goes on until it is past that. None where there is nothing
        to add to the record; empty where it has been said behind the unit's first line.
        """
        while self._at <= at and start not in self._remarks and self._step():
            pass
        end, said = self._remarks.pop(start, (0, ""))
        if end:
            self._remarked = range(start, end)
            return said
        return "" if start in self._remarked else None

    def _step(self) -> bool:
        told = next(self._units, None)
        if told is None:
            return False
        self._at = told.said.at
        exchange = told.said.exchange
        if told.heard.reason and {told.said.certainty, told.heard.certainty} & _WORTH_SAYING:
            self._remarks[told.start] = (told.end, _remark(told.heard))
            if len(self._remarks) > _REMARKS_KEPT:
                del self._remarks[next(iter(self._remarks))]
        self._gather(told.heard.exchange, told)
        if exchange is not None and told.said.completes and exchange.number > self._given:
            self._over.add(exchange.number)
        return True

    def _gather(self, number: int | None, told: Told) -> None:
        if number is None or number <= self._given:
            return
        gathered = self._gathered.get(number)
        if gathered is None:
            exchange = told.said.exchange
            if exchange is None or exchange.number != number:
                return
            gathered = self._gathered[number] = Gathered(exchange, deep=self._deep)
        gathered.add(told.said, told.heard, self._view)


def _remark(heard: Heard) -> str:
    whose = "" if heard.exchange is None else f" of {heard.exchange}"
    return f"{heard.certainty}{whose}: {heard.reason}"
