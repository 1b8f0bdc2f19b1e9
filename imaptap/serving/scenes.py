"""Recorded sessions as scenes that can be served. What was said stays in the store; a scene knows where it lies."""

from __future__ import annotations

import functools
from bisect import bisect_left
from typing import TYPE_CHECKING

from imaptap.reading.parts import parts
from imaptap.reading.understood import ParsedUnits
from proxy.imap.grammar import Command
from proxy.imap.state import Phase
from proxy.imap.transcript import Certainty, Direction, Ending, EventKind, Origin
from proxy.imap.view.session import SessionView
from proxy.replay.asked import Place, asked
from proxy.replay.plan import LOGINS
from proxy.replay.serving.values import Kind, Line, Scene, Step

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from proxy.imap.cutter import CutUnit
    from proxy.imap.units import Unit
    from proxy.imap.view.dialogue import Before
    from proxy.imap.view.values import Heard, Said
    from proxy.replay.asked import Asked
    from storage import Session, Store

_IN = frozenset({Phase.AUTHENTICATED, Phase.SELECTED})


def scenes(store: Store, sessions: Iterable[Session]) -> list[Scene]:
    """All of these that a server has spoken in. Raises StorageError."""
    chosen = list(sessions)
    users = {part.number: part.user for part in parts(store, chosen)}
    found = (_Script(store, session).scene(users.get(session.number)) for session in chosen)
    return [scene for scene in found if scene.greeting or scene.steps]


class _Draft:
    """A step that is being read."""

    def __init__(self, number: int, wanted: Asked, before: Before, news: tuple[Line, ...], at: int) -> None:
        self.number, self.asked, self.before, self.news, self.at = number, wanted, before, news, at
        self.lines: list[Line] = []
        self.status: str | None = None

    @property
    def over(self) -> bool:
        """Whether it is answered. What a NOTIFY has set comes as long as the session lasts (RFC 5465): it is news."""
        return any(each.kind is Kind.COMPLETION for each in self.lines)

    def step(self, after: str | None, wall: int) -> Step:
        before = self.before
        return Step(
            self.number, self.asked, tuple(self.lines), self.news, before.mailbox, after, before.phase in _IN,
            self.status, wall + self.at, before.capabilities,
        )  # fmt: skip


class _Script:
    """Reads one session once."""

    def __init__(self, store: Store, session: Session) -> None:
        self._store, self._session = store, session
        self._view = SessionView()
        self._drafts: dict[int, _Draft] = {}
        self._news: list[Line] = []
        self._greeting: list[Line] = []
        self._last = 0
        self._varying: dict[Direction, list[Place]] = {side: [] for side in Direction}
        for event in store.events(session, EventKind.VARIES):
            if event.direction is not None and event.offset is not None:
                place = Place(event.offset, event.offset + (event.length or 0), event.name)
                self._varying[event.direction].append(place)
        for places in self._varying.values():
            places.sort()

    def scene(self, user: str | None) -> Scene:
        for cut, said in ParsedUnits(self._store, self._session):
            before = self._view.before() if self._begins(said) else None
            heard = self._view.feed(said)
            if said.direction is Direction.SERVER:
                self._server(cut, said, heard)
            elif before is not None and said.exchange is not None:
                self._begin(cut.unit, said, before)
        session = self._session
        drafts = _without_broken_logins(list(self._drafts.values()))
        afters = [*(each.before.mailbox for each in drafts[1:]), self._view.before().mailbox]
        return Scene(
            session.number,
            user,
            tuple(self._greeting),
            tuple(each.step(after, session.wall) for each, after in zip(drafts, afters, strict=False)),
            tuple(self._news),
            session.ending is Ending.SERVER,
            functools.partial(self._read, self._store, session),
        )

    @staticmethod
    def _read(store: Store, session: Session, start: int, end: int) -> Iterator[bytes]:
        return store.stream(session, Direction.SERVER, start, end)

    def _begins(self, said: Said) -> bool:
        exchange = said.exchange
        return said.direction is Direction.CLIENT and exchange is not None and exchange.number not in self._drafts

    def _begin(self, unit: Unit, said: Said, before: Before) -> None:
        exchange = said.exchange
        if exchange is None:
            return
        value = said.parsed.understood
        command = value if isinstance(value, Command) else None
        wanted = asked(unit, command, self._varies(Direction.CLIENT, unit))
        self._drafts[exchange.number] = _Draft(exchange.number, wanted, before, tuple(self._news), said.at)
        self._news = []
        self._last = said.at

    def _server(self, cut: CutUnit, said: Said, heard: Heard) -> None:
        if said.exchange is not None and said.exchange.origin is Origin.PROXY:
            return  # what imaptap has asked is nothing that a client would ask for
        draft = self._draft(said, heard.exchange)
        kind = _kind(cut.unit, said, heard, late=self._over(heard.exchange))
        line = Line(
            cut.unit.start, cut.unit.end, max(0, said.at - self._last), kind, self._varies(Direction.SERVER, cut.unit)
        )
        self._last = said.at
        if draft is None and kind is Kind.CONTINUATION:
            return  # of a command with a literal, which is not whole by then: who is served gets one when it asks
        if draft is not None:
            draft.lines.append(line)
            if kind is Kind.COMPLETION and said.exchange is not None:
                draft.status = said.exchange.status
        elif self._drafts:
            self._news.append(line)
        else:
            self._greeting.append(line._replace(kind=Kind.UNTAGGED))

    def _varies(self, side: Direction, unit: Unit) -> tuple[Place, ...]:
        places = self._varying[side]
        first, last = (bisect_left(places, (offset,)) for offset in (unit.start, unit.end))
        return tuple(places[first:last])

    def _draft(self, said: Said, number: int | None) -> _Draft | None:
        """Whose answer it is; what is nobody's, but came while commands were under way, comes with one of those."""
        asked = (number, None if said.exchange is None else said.exchange.number)
        drafts = (self._drafts[each] for each in asked if each is not None and each in self._drafts)
        if (draft := next(drafts, None)) is not None and not draft.over:
            return draft
        waiting = (self._drafts[each] for each in said.others if each in self._drafts)
        return next(waiting, None) or self._open()

    def _over(self, number: int | None) -> bool:
        draft = None if number is None else self._drafts.get(number)
        return draft is not None and draft.over

    def _open(self) -> _Draft | None:
        """The command that came last, as long as it is not answered."""
        last = next(reversed(self._drafts.values()), None)
        return last if last is not None and not last.over else None


def _without_broken_logins(drafts: list[_Draft]) -> list[_Draft]:
    """Of logins only those that were decided: how far one came that was broken off is between mechanism and client."""
    return [each for each in drafts if each.asked.name not in LOGINS or each.status in {"OK", "NO"}]


def _kind(unit: Unit, said: Said, heard: Heard, *, late: bool) -> Kind:
    """`late`: whether what it belongs to was answered before."""
    if said.completes:
        return Kind.COMPLETION
    if unit.texts[0].startswith(b"+"):
        return Kind.CONTINUATION
    own = late or heard.exchange is None or heard.certainty is Certainty.UNSOLICITED
    return Kind.NEWS if own else Kind.UNTAGGED
