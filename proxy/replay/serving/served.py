"""One served session: takes what a client says, and gives what is to be done. It never waits and never raises."""

from __future__ import annotations

import functools
from typing import TYPE_CHECKING

from proxy.imap.commands import SELECTS, read_head
from proxy.imap.grammar import Command, parse_command
from proxy.imap.transcript import Direction
from proxy.imap.units import PARTS_KEPT, TEXT_KEPT, Boundary, UnitReader
from proxy.replay.asked import Asked, asked
from proxy.replay.plan import LOGINS
from proxy.replay.serving.entrance import Entrance
from proxy.replay.serving.news import News
from proxy.replay.serving.secrets import without_secrets
from proxy.replay.serving.unrecorded import self_evident, why_not
from proxy.replay.serving.values import Act, Ask, Kind, Pass, Plain, Play, Say, Several

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Iterator

    from proxy.imap.units import Unit
    from proxy.replay.match import Near
    from proxy.replay.serving.cast import Cast
    from proxy.replay.serving.entrance import Entered
    from proxy.replay.serving.logins import Door
    from proxy.replay.serving.spool import Spool
    from proxy.replay.serving.standing import Standing
    from proxy.replay.serving.values import Line, Scene, Step

    Missed = Callable[[Asked, str, tuple[Near, ...]], None]

_BETWEEN = frozenset({"FETCH", "STORE", "SEARCH"})
"""No message may go while these are answered: numbers would change under the client (RFC 9051 section 7.5.1)."""
_OF_AN_IDLE = frozenset({Kind.NEWS, Kind.UNTAGGED})
_BYE = b"* BYE imaptap: good bye\r\n"
_UNANSWERED = "the recording has no answer to this"
_ENDED_HERE = frozenset({"IDLE", "LOGOUT"})
"""Their end is said also where none was recorded."""
_LINE_MOST = 2 * TEXT_KEPT
"""Longer lines are not asked of a server."""


class Served:
    """Feed it the client's bytes; what it gives is to be done in that order."""

    def __init__(
        self, cast: Cast, door: Door, missed: Missed, *, timed: bool, standing: Standing | None = None
    ) -> None:
        """`missed` hears of each command that nothing answers: what was asked, why, what comes near it.

        `timed`: whether news comes when it came; else it comes with the next answer. `standing` is there where a server
        is asked what the recording does not know, and is kept up to date for it.
        """
        self._cast, self._door, self._missed, self._timed = cast, door, missed, timed
        self.role = cast.enter()
        self._reader = UnitReader(Direction.CLIENT)
        self._entrance = Entrance(door)
        self._idle: tuple[bytes, Play | None] | None = None
        self._news = News(self._line)
        self._compressed = False
        self._over = False
        self._standing = standing
        self._unit_now: Unit | None = None
        """The command that is being answered, as it was said; None for a login."""
        self._parts = 0
        """How many literals it has so far."""
        self._away = False
        """Whether the session goes on at a server."""

    def begin(self) -> Iterator[Act]:
        """The greeting."""
        scene = self.role.scene
        yield self._all_of(scene, scene.greeting)
        if not scene.steps:
            yield from self._end(scene)

    def receive(self, data: bytes) -> Iterator[Act]:
        """What the client has said. To be gone through to its end before more is fed."""
        pos = 0
        while pos < len(data) and not self._over:
            if self._away:
                yield Pass(data[pos:])
                return
            self._reader.lines_only = self._entrance.waits
            start = pos
            boundary, pos = self._reader.read(data, start)
            if self._standing:
                self._keep(data[start:pos], self._standing.command, boundary)
            if boundary is Boundary.LINE and self._reader.last_literal and self._reader.last_literal.synchronising:
                yield Say(b"+ Go on\r\n")
            elif boundary is Boundary.UNIT:
                yield from self._unit(self._reader.take_unit())
            elif boundary is Boundary.RAW:
                yield Say(b"* BYE imaptap: such a literal is not possible\r\n")
                yield from self._close()

    def _keep(self, data: bytes, command: Spool, boundary: Boundary) -> None:
        """What is kept of a command may be long enough to leave the memory, and no password shall."""
        reader = self._reader
        if reader.offset - reader.unit_start == len(data):
            command.clear()
            self._parts = 0
        # A command may have thousands of literals: what grows with them is not to be looked at for each of them.
        text = reader.texts[0] if reader.first else b"" if self._parts else reader.line
        self._parts += boundary is Boundary.LINE
        if self._parts >= PARTS_KEPT or reader.partial > _LINE_MOST or (text and read_head(text).name in LOGINS):
            command.skip()
        else:
            command.take(data)

    def _unit(self, unit: Unit) -> Iterator[Act]:
        text = unit.texts[0]
        if self._entrance.waits:
            yield from self._logs_in(self._entrance.hear(text.strip()))
        elif self._idle is not None:
            yield from self._done(text)
        else:
            head = read_head(text)
            self._unit_now = None if head.name in LOGINS else unit
            if head.name not in LOGINS:
                unit = without_secrets(unit, head, authenticated=self.role.logged_in)
            parsed = parse_command(unit).understood
            command = parsed if isinstance(parsed, Command) else None
            if not head.tag or not head.name or not head.legal:
                yield Say(b"* BAD imaptap: this is no command\r\n")
            elif head.name in LOGINS:
                yield from self._logs_in(self._entrance.begin(head.tag, command))
            else:
                yield from self._answer(head.tag, asked(unit, command), command)

    def _logs_in(self, login: Generator[Act, None, Entered | None]) -> Iterator[Act]:
        entered = yield from login
        if entered is None:
            return
        tag, user = entered.tag, entered.login.user
        if self._standing:
            self._standing.logs_in(entered.login, entered.mechanism)
        self.role.prefer(user)
        if self._door.demands:
            self.role.forget_refusals()
        yield from self._answer(tag, Asked("LOGIN", (), b"LOGIN " + user.encode()))

    def _answer(self, tag: bytes, wanted: Asked, command: Command | None = None) -> Iterator[Act]:
        yield Plain.HURRY
        if wanted.name == "COMPRESS" and self._compressed:
            yield Say(tag + b" NO [COMPRESSIONACTIVE] imaptap: it is compressed already\r\n")
            return
        found = self.role.find(wanted)
        if found is None:
            yield from self._unrecorded(tag, wanted)
            return
        scene, step, left_out = found
        if self._standing and step.asked.name not in _ENDED_HERE and not self._is_answered(scene, step):
            yield from self._unrecorded(tag, wanted)  # the session was cut, or its server went away
            return
        self._news.owe(scene, step, left_out)
        if step.asked.name not in _BETWEEN:
            yield Several(iter(self._news.take()))
            yield Plain.HURRY  # it is late: the client waits for its answer
        if self._standing:
            self._standing.answered(command.body if command else None, step)
            if step.asked.name in SELECTS:
                yield Plain.SELECTS
        last = next((line for line in reversed(step.lines) if line.kind is Kind.COMPLETION), None)
        completion = self._line(scene, last, tag) if last else None
        idle = wanted.name == "IDLE"
        yield Several(_answers(scene, step, tag, self._said, idle=idle))
        if idle and any(line.kind is Kind.CONTINUATION for line in step.lines) and not self._hung_up(completion):
            self._idle = tag, completion
        else:
            yield from self._complete(tag, step, completion)

    @property
    def _said(self) -> tuple[tuple[str, bytes], ...]:
        return tuple(self.role.said.items())

    def _line(self, scene: Scene, line: Line, tag: bytes = b"") -> Play:
        return _made(scene, tag, self._said, line)

    def _all_of(self, scene: Scene, lines: tuple[Line, ...]) -> Several:
        return Several(map(functools.partial(_made, scene, b"", self._said), lines))

    def _is_answered(self, scene: Scene, step: Step) -> bool:
        """Whether the recording has the end of the answer, if only that the server went."""
        return step.status is not None or (scene.hangs_up and step.number == scene.steps[-1].number)

    def _hung_up(self, completion: Play | None) -> bool:
        """Whether this command was answered by the server's going."""
        return completion is None and self.role.over and self.role.scene.hangs_up

    def _complete(self, tag: bytes, step: Step, completion: Play | None) -> Iterator[Act]:
        name = step.asked.name
        if completion is not None:
            yield completion
        elif name == "LOGOUT":
            bye = b"" if step.lines else _BYE  # what is recorded of an answer to this is one
            yield Say(bye + tag + b" OK LOGOUT completed\r\n")
        elif not self._hung_up(completion):
            self._missed(step.asked, _UNANSWERED, ())
            yield Say(tag + b" NO [UNAVAILABLE] imaptap: " + _UNANSWERED.encode() + b"\r\n")
        if name == "COMPRESS" and step.status == "OK":
            self._compressed = True
            yield Plain.DEFLATE
        if name == "LOGOUT":
            yield from self._close()
        else:
            yield from self._behind()

    def _behind(self) -> Iterator[Act]:
        """What the server said of its own accord behind the command that is answered now."""
        scene = self.role.scene
        if self.role.over:
            yield from self._end(scene)
        elif self._timed:
            yield self._all_of(scene, self._news.fresh(scene, self.role.coming))

    def _end(self, scene: Scene) -> Iterator[Act]:
        yield self._all_of(scene, self._news.rest(scene))
        if scene.hangs_up:
            yield from self._close()

    def _done(self, text: bytes) -> Iterator[Act]:
        if self._idle is None:
            return
        tag, completion = self._idle
        self._idle = None
        yield Plain.HURRY
        if text.strip().upper() != b"DONE":
            yield Say(tag + b" BAD imaptap: DONE ends IDLE\r\n")
        elif completion is None:
            yield Say(tag + b" OK imaptap: IDLE ended\r\n")
        else:
            yield completion
        yield from self._behind()

    def _unrecorded(self, tag: bytes, wanted: Asked) -> Iterator[Act]:
        """What no recorded step answers: said at once, and to whoever wants to know why."""
        if wanted.name == "LOGOUT":
            yield Say(_BYE + tag + b" OK LOGOUT completed\r\n")
            yield from self._close()
            return
        if answer := self_evident(tag, wanted, self.role):
            yield Say(answer)
            return
        if wanted.name == "IDLE" and self.role.logged_in:
            self._idle = tag, None
            yield Say(b"+ idling\r\n")
            return
        refusal = ""
        if self._standing:
            refusal = yield from self._ask(tag, wanted, self._standing)
            if not refusal:
                return
        near = self._cast.near(wanted, self.role)
        why = refusal or why_not(wanted, near, self.role)
        self._missed(wanted, why, near)
        yield Say(tag + b" NO [UNAVAILABLE] imaptap: " + why.encode("ascii", "replace") + b"\r\n")

    def _ask(self, tag: bytes, wanted: Asked, standing: Standing) -> Generator[Act, None, str]:
        """Have a server asked. Returns why it cannot be, or nothing if it was: then all that follows is its, too."""
        login, logged_in = self._unit_now is None, self.role.logged_in
        if refusal := standing.obstacle(logged_in=login or logged_in):
            return refusal
        if not (login or standing.command.whole):
            return "the command is too long to be asked of the server"
        ask = Ask(tag, wanted.shown, self._unit_now, logged_in=login or logged_in)
        yield ask
        self._away = ask.taken
        return ask.refusal

    def _close(self) -> Iterator[Act]:
        self._over = True
        yield Plain.CLOSE


def _made(scene: Scene, tag: bytes, said: tuple[tuple[str, bytes], ...], line: Line) -> Play:
    return Play(scene, line, tag, said=said if line.varying else ())


def _answers(
    scene: Scene, step: Step, tag: bytes, said: tuple[tuple[str, bytes], ...], *, idle: bool
) -> Iterator[Play]:
    """All that comes before the completion."""
    for line in step.lines:
        if line.kind is not Kind.COMPLETION and (idle or line.kind is not Kind.CONTINUATION):
            yield _made(scene, tag, said, line)._replace(apart=idle and line.kind in _OF_AN_IDLE)
