"""Dialogues, put together while a session is read unit by unit: a session of any length takes little memory."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, cast

from proxy.imap.transcript import Direction, Origin, Outcome
from proxy.imap.view.dialogue import Answer, Ask, Before, Dialogue
from proxy.imap.view.session import SessionView

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from proxy.imap.grammar import Command, Done, Parsed, Response
    from proxy.imap.transcript import Exchange
    from proxy.imap.units import Unit
    from proxy.imap.view.values import Said

WAITING_MOST = 1000
"""Dialogues that wait for an earlier one which nobody answers; then that one is given as it is."""
NEWS_MOST = 10_000
"""Untagged data of nobody's that is kept for the next dialogue; the oldest is forgotten."""


class _Draft:
    """A dialogue that is under way."""

    def __init__(self, exchange: Exchange, before: Before, news: tuple[Answer, ...]) -> None:
        self.exchange, self.before, self.news = exchange, before, news
        self.asks: list[Ask] = []
        self.answers: list[Answer] = []
        self.text = self.left_out = 0
        self.over = False

    def dialogue(self) -> Dialogue:
        asks, answers = tuple(self.asks), tuple(self.answers)
        return Dialogue(self.exchange, asks, answers, self.before, self.news, self.left_out)


class Dialogues:
    """Feed it every unit of a session in the order in which they came; it gives dialogues in the order of numbers."""

    def __init__(self, answers_most: int = sys.maxsize, text_most: int = sys.maxsize) -> None:
        """How many answers of one dialogue are kept, and how many bytes of their text; the last one is, in any case."""
        self.view = SessionView()
        self._answers_most, self._text_most = answers_most, text_most
        self._drafts: dict[int, _Draft] = {}
        self._given = 0
        self._news: list[Answer] = []

    def feed(self, unit: Unit, said: Said, began: int, *, secret: bool = False) -> Sequence[Dialogue]:
        """One unit, when its first byte came, and whether it holds masked bytes. Gives the dialogues that are over."""
        before = self.view.before() if self._begins(said) else None
        heard = self.view.feed(said)
        if said.direction is Direction.CLIENT:
            if draft := self._draft(said.exchange, before):
                draft.asks.append(Ask(began, unit, cast("Parsed[Command | Done]", said.parsed), secret))
            return ()
        answer = Answer(said.at, cast("Parsed[Response]", said.parsed), heard.certainty, heard.uid, secret)
        draft = self._drafts.get(heard.exchange) if heard.exchange is not None else None
        draft = draft or self._asked_by_us(said.exchange)
        if draft is None:
            self._news.append(answer)
            del self._news[:-NEWS_MOST]
            return ()
        completes = said.completes
        draft.text += len(unit.texts[0]) if len(unit.texts) == 1 else sum(map(len, unit.texts))
        if completes or (draft.text <= self._text_most and len(draft.answers) < self._answers_most):
            draft.answers.append(answer)
        else:
            draft.left_out += 1
        if not completes:
            return ()
        draft.over = True
        return list(self._finished())

    def finish(self) -> Iterator[Dialogue]:
        """The session is over: what is left."""
        for number in sorted(self._drafts):
            yield self._give(number)

    def _begins(self, said: Said) -> bool:
        exchange = said.exchange
        return said.direction is Direction.CLIENT and exchange is not None and exchange.number not in self._drafts

    def _draft(self, exchange: Exchange | None, before: Before | None) -> _Draft | None:
        if exchange is None:
            return None
        if before is not None and exchange.number > self._given:
            self._drafts[exchange.number] = _Draft(exchange, before, tuple(self._news))
            self._news.clear()
        return self._drafts.get(exchange.number)

    def _asked_by_us(self, exchange: Exchange | None) -> _Draft | None:
        """The dialogue of a command of imaptap's own, which stands in no client's stream: it has answers only."""
        if exchange is None or exchange.origin is not Origin.PROXY or exchange.number <= self._given:
            return None
        return self._drafts.setdefault(exchange.number, _Draft(exchange, self.view.before(), ()))

    def _finished(self) -> Iterator[Dialogue]:
        while self._drafts:
            first = min(self._drafts)
            draft = self._drafts[first]
            over = draft.over or (draft.exchange.outcome is not Outcome.COMPLETED and self._crowded())
            if not over:
                return
            yield self._give(first)

    def _crowded(self) -> bool:
        return len(self._drafts) > WAITING_MOST

    def _give(self, number: int) -> Dialogue:
        self._given = max(self._given, number)
        return self._drafts.pop(number).dialogue()
