"""Counting: exchanges in, a summary out. Nothing here knows of a database."""

from __future__ import annotations

import heapq
from typing import TYPE_CHECKING, Final

from proxy.imap.transcript import Outcome
from storage.statistics.again import LITERAL, Refetched, Repeated, unquoted
from storage.statistics.quantiles import Quantiles
from storage.statistics.timeline import Timeline
from storage.statistics.values import (
    Commands,
    Division,
    Fetched,
    Idling,
    Pipelining,
    Repeats,
    Slow,
    Statistics,
    Summary,
)

if TYPE_CHECKING:
    from collections.abc import Iterable

    from proxy.imap.transcript import Exchange
    from storage.statistics.values import Fact, Told
    from storage.values import Session

COMMANDS_KEPT: Final = 200
OTHERS: Final = "(others)"
"""Commands beyond the first COMMANDS_KEPT different ones have this name: a client may make up any number of them."""


def unfinished(exchange: Exchange) -> bool:
    """Whether it has no answer, or none yet."""
    return exchange.ended is None or exchange.outcome in {Outcome.OPEN, Outcome.INCOMPLETE}


def round_trips(fact: Fact) -> int:
    """How often its client had to wait for the server: for the answer, and for each `+` before it could go on.

    There is a `+` to each synchronising literal (RFC 9051, section 4.3), to each line of SASL that it sent behind the
    command, and to IDLE. A literal that was refused had its answer instead.
    """
    exchange = fact.exchange
    if exchange.command in {"AUTHENTICATE", "IDLE"}:
        return max(1, fact.client_units)
    literals = sum(not sign for sign in LITERAL.findall(unquoted(exchange.arguments)))
    return 1 + literals - ("literal refused" in exchange.marks and literals > 0)


class _Group:
    """The exchanges of one command, or all."""

    def __init__(self) -> None:
        self._count = self._refused = self._unfinished = self._client = self._server = self._trips = self._waited = 0
        self._latency = Quantiles()
        self._repeats, self._fetched = Repeats(), Fetched()

    def add(self, fact: Fact, trips: int, took: int | None, again: bool, fetched: Fetched) -> None:
        exchange = fact.exchange
        self._count += 1
        self._refused += exchange.status in {"NO", "BAD"}
        self._client += exchange.client_bytes
        self._server += exchange.server_bytes
        if took is None:
            self._unfinished += 1
            return
        self._trips += trips
        if exchange.command != "IDLE":
            self._latency.add(took)
            self._waited += max(0, exchange.started + took - fact.sent)
        if again:
            self._repeats = Repeats(self._repeats.count + 1, self._repeats.took + took)
        if fetched.letters or fetched.sections:
            self._fetched = Fetched(*map(sum, zip(self._fetched, fetched, strict=True)))

    def counted(self, command: str) -> Commands:
        return Commands(
            command, self._count, self._refused, self._unfinished, self._latency.durations(),
            self._waited, self._client, self._server, self._trips, self._repeats, self._fetched,
        )  # fmt: skip


class _Idles:
    """All IDLEs of one session, or of all."""

    def __init__(self) -> None:
        self._lasted = Quantiles()
        self._woken = self._news = 0
        self._longest_gap: int | None = None

    def add(self, lasted: int, news: int, gap: int | None) -> None:
        self._lasted.add(lasted)
        self._woken += news > 0
        self._news += news
        if gap is not None:
            self._longest_gap = max(gap, self._longest_gap or 0)

    def idling(self) -> Idling:
        return Idling(self._lasted.durations(), self._woken, self._news, self._longest_gap)


class _Sum:
    """What a summary is made of."""

    def __init__(self, session: Session | None = None) -> None:
        self._session = session
        self._sessions = 0
        self.group, self.idles = _Group(), _Idles()
        self._division, self._pipelining = Division(), Pipelining()

    def close(self, division: Division, pipelining: Pipelining) -> None:
        """A session is over."""
        self._sessions += 1
        self._division = Division(*map(sum, zip(self._division, division, strict=True)))
        most = max(self._pipelining.most, pipelining.most)
        area, busy = self._pipelining.area + pipelining.area, self._pipelining.busy + pipelining.busy
        self._pipelining = Pipelining(most, area, busy)

    def summary(self) -> Summary:
        return Summary(
            self._session, self._sessions, self.group.counted(""), self._division, self._pipelining, self.idles.idling()
        )


class Tally:
    """Counts sessions one after the other. `top`: how many of the slowest are kept; `by_session`: each alone, too."""

    def __init__(self, *, top: int = 10, by_session: bool = False) -> None:
        self._top, self._by_session = top, by_session
        self._all = _Sum()
        self._commands: dict[str, _Group] = {}
        self._sessions: list[Summary] = []
        self._slowest: list[tuple[int, int, Slow]] = []
        self._order = 0

    def add(self, told: Told) -> None:
        """One session, from its first exchange to its last."""
        timeline, repeated, refetched = Timeline(), Repeated(told.news), Refetched()
        alone = _Sum(told.session)
        sums = (self._all, alone) if self._by_session else (self._all,)
        done: int | None = None
        for fact in told.facts:
            exchange = fact.exchange
            again, fetched = repeated.add(fact), refetched.add(fact)
            if not fact.chosen:
                continue
            timeline.add(fact)
            took = None if unfinished(exchange) else (exchange.ended or 0) - exchange.started
            trips = round_trips(fact)
            for group in (*(each.group for each in sums), self._command(exchange.command)):
                group.add(fact, trips, took, again, fetched)
            if exchange.command == "IDLE" and took is not None:
                done = _idle(fact, done, sums)
            elif took is not None:
                self._slow(told.session, exchange, took)
        closed = timeline.close(told.end)
        for each in sums:
            each.close(*closed)
        if self._by_session:
            self._sessions.append(alone.summary())

    def statistics(self) -> Statistics:
        """All that was counted."""
        commands = [group.counted(name) for name, group in self._commands.items()]
        commands.sort(key=lambda each: (-each.latency.total, -each.count, each.command))
        slowest = tuple(slow for _, _, slow in sorted(self._slowest, key=lambda each: (-each[0], -each[1])))
        sessions = sorted(self._sessions, key=lambda each: each.session.number if each.session else 0)
        return Statistics(self._all.summary(), tuple(commands), tuple(sessions), slowest)

    def _command(self, name: str) -> _Group:
        found = self._commands.get(name)
        if found is None:
            name = name if len(self._commands) < COMMANDS_KEPT else OTHERS
            found = self._commands.setdefault(name, _Group())
        return found

    def _slow(self, session: Session, exchange: Exchange, took: int) -> None:
        self._order -= 1  # of equals the first one is kept
        entry = took, self._order, Slow(session, exchange, took)
        if len(self._slowest) < self._top:
            heapq.heappush(self._slowest, entry)
        elif self._top and entry > self._slowest[0]:
            heapq.heapreplace(self._slowest, entry)


def _idle(fact: Fact, before: int | None, sums: Iterable[_Sum]) -> int:
    """Count one that has ended; the DONE `before` it is where a gap begins. When its own DONE came, or its end."""
    exchange = fact.exchange
    ended = exchange.ended or 0
    done = min(fact.sent, ended) if fact.client_units > 1 else ended
    news = sum(count for kind, count in exchange.responses if kind not in {"OK", "BYE"})
    for each in sums:
        each.idles.add(done - exchange.started, news, None if before is None else exchange.started - before)
    return done
