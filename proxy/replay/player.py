"""Plays one recorded session: sends its commands to the target, one after another as they were, and says what came."""

from __future__ import annotations

import asyncio
import itertools
from typing import TYPE_CHECKING

from proxy.imap.commands import SELECTS
from proxy.imap.state import Phase
from proxy.imap.transcript import Direction, Outcome
from proxy.live.endpoint import Security
from proxy.live.errors import LiveError
from proxy.replay.conduct import cancelled, conduct, is_conduct, way
from proxy.replay.connection import LOST
from proxy.replay.entrance import Entrance
from proxy.replay.flight import Content, line_of
from proxy.replay.idle import Idle
from proxy.replay.lessons import Lessons
from proxy.replay.login import LoginError
from proxy.replay.pace import Pauses
from proxy.replay.plan import LOGINS, decide, needs_mailbox
from proxy.replay.values import Fate, Send, Skip, Step, Target
from proxy.replay.whereabouts import Whereabouts

if TYPE_CHECKING:
    from proxy.imap.units import Unit
    from proxy.imap.view.dialogue import Dialogue
    from proxy.replay.connection import Connection
    from proxy.replay.ear import Ear
    from proxy.replay.flight import Flight
    from proxy.replay.order import Order
    from proxy.replay.part import Part
    from proxy.replay.stage import Account, Manner, Report
    from proxy.replay.values import Decision

_ALTERING = frozenset("STARTTLS COMPRESS ENABLE LOGOUT UNAUTHENTICATE CLOSE UNSELECT IDLE NOTIFY".split())
"""Besides logins and SELECT: what comes after them is said in another state, so their answers are waited for."""


class Player:
    """Plays a part on a connection that is made for it."""

    def __init__(
        self, part: Part, connection: Connection, ear: Ear, account: Account, manner: Manner, order: Order,
        report: Report, gate: asyncio.Event,
    ) -> None:  # fmt: skip
        self._part, self._connection, self._ear = part, connection, ear
        self._account, self._manner, self._order, self._report = account, manner, order, report
        self._gate = gate
        self._tags = (b"R%d" % number for number in itertools.count(1))
        self._entrance = Entrance(connection, account, lambda: next(self._tags))
        self._lessons = Lessons(account.mapping, (part.literals, ear.literals))
        self._recorded: dict[int, int] = {}
        """Recorded numbers by those of their counterparts, while these are under way."""
        self._flights: dict[int, Flight] = {}
        """What is in flight, by recorded number."""
        self._pauses = Pauses()
        self._told = 0
        """The last step of which it is known what became of it, or that is in flight."""
        self._where = Whereabouts(None if manner.policy.any_state else account.beginnings)

    async def open(self) -> None:
        """Connect; where the greeting is PREAUTH, nobody logs in (RFC 9051 section 7.1.4). Raises LiveError."""
        await self._connection.open()
        self._connection.step("replay of", str(self._part.number))
        if self._connection.endpoint.security is Security.STARTTLS and not self._part.starttls:
            await self._entrance.secure()
        if self._entrance.inside:
            await self._entrance.look_around()

    async def play(self) -> None:
        """Every step; those behind trouble are said to be not reached.

        Raises LiveError for the trouble, LoginError at once, and what `dialogues` raise.
        """
        trouble: LiveError | None = None
        for dialogue in self._part.dialogues():
            if trouble is None:
                try:
                    await self._step(dialogue)
                except LoginError:
                    raise
                except LiveError as error:
                    trouble = error
            if trouble is not None and dialogue.exchange.number > self._told:
                self._skip(dialogue, Skip(LOST, Fate.NOT_REACHED))
        await self._wait_for(list(self._flights))
        trouble = trouble or self._connection.trouble
        if trouble is not None:
            raise trouble

    def not_reached(self, reason: str) -> None:
        """No step of it will be sent, for this reason."""
        for dialogue in self._part.dialogues():
            self._lessons.begun(dialogue)
            self._skip(dialogue, Skip(reason, Fate.NOT_REACHED))

    def learn(self, replayed: Dialogue) -> None:
        """A dialogue has ended: what the `Ear` is given to call."""
        number = self._recorded.pop(replayed.exchange.number, None)
        if number is not None:
            self._lessons.over(number, replayed)
        else:
            self._account.mapping.probe(replayed, self._ear.literals)

    # --- one step ---------------------------------------------------------------------------------------------------

    async def _step(self, dialogue: Dialogue) -> None:
        exchange = dialogue.exchange
        self._order.begun(self._part.number, exchange.number)
        self._lessons.begun(dialogue)
        everything = self._manner.flatten or self._alters(dialogue)
        open_then = () if everything else dialogue.before.open
        await self._wait_for([number for number in self._flights if number not in open_then])
        quiet = self._pauses.before(exchange.number, exchange.started, exchange.ended, dialogue.before.open)
        if pause := self._manner.pace.pause(quiet):
            await asyncio.sleep(pause)
        await self._turn(exchange.started)
        await self._gate.wait()
        if not self._connection.open_now:
            self._connection.missed()
            self._skip(dialogue, Skip(LOST, Fate.NOT_REACHED))
            return
        await self._play(dialogue)
        if everything:
            await self._wait_for(list(self._flights))

    async def _play(self, dialogue: Dialogue) -> None:
        command = dialogue.exchange.command
        if command in LOGINS:
            await self._log_in(dialogue)
            return
        if dialogue.before.phase in (Phase.AUTHENTICATED, Phase.SELECTED) and not self._entrance.inside:
            await self._entrance.log_in(None)
        if command == "STARTTLS":
            await self._start_tls(dialogue)
            return
        tag = next(self._tags)
        decision = self._decide(dialogue, tag)
        contents = self._contents(decision.unit) if isinstance(decision, Send) else None
        if isinstance(decision, Skip):
            self._skip(dialogue, decision)
        elif contents is None:
            self._skip(dialogue, Skip("the content of a literal was not kept when it was recorded"))
        elif command == "IDLE":
            await self._idle(dialogue, decision, tag)
        else:
            await self._send(dialogue, decision, tag, contents)
            if command == "LOGOUT":
                await self._wait_for([dialogue.exchange.number])
                await self._connection.closed_by_server()

    def _decide(self, dialogue: Dialogue, tag: bytes) -> Decision:
        if self._where.lost and needs_mailbox(dialogue.exchange.command):
            return Skip(self._where.lost, Fate.NOT_REACHED)
        now, account = self._ear.before, self._account
        target = Target(
            self._connection.told or now.capabilities, now.enabled, account.delimiter, account.prefix, now.mailbox,
            now.exists,
        )  # fmt: skip
        if is_conduct(dialogue):
            return conduct(dialogue, target, self._manner.policy, tag)
        return decide(dialogue, account.mapping, target, self._manner.policy, tag)

    async def _send(self, dialogue: Dialogue, decision: Send, tag: bytes, contents: list[Content]) -> Flight:
        return await self._connection.send(
            tag, decision.unit, contents, begun=lambda flight: self._fly(dialogue, flight, decision.changes),
            command=decision.command,
        )  # fmt: skip

    def _contents(self, unit: Unit) -> list[Content] | None:
        """What its literals hold; None where that was not kept of one of them."""
        found: list[Content] = []
        for literal in unit.literals:
            if literal.content is not None:
                found.append(Content((literal.content,)))
                continue
            parts = self._part.literals.content(Direction.CLIENT, literal.start, literal.size)
            if parts is None:
                return None
            found.append(Content(parts))
        return found

    # --- steps of their own kind ------------------------------------------------------------------------------------

    async def _log_in(self, dialogue: Dialogue) -> None:
        if self._connection.preauth:
            self._skip(dialogue, Skip("the target has logged in by itself (PREAUTH)"))
        elif (mechanism := cancelled(dialogue)) is not None:
            await self._cancel(dialogue, mechanism)
        elif dialogue.exchange.status != "OK":
            self._skip(dialogue, Skip("it was refused when it was recorded, and what was recorded of it is never sent"))
        else:
            how = way(dialogue)
            await self._entrance.log_in(lambda flight, way: self._fly(dialogue, flight, _changed(how, way)))

    async def _cancel(self, dialogue: Dialogue, mechanism: str) -> None:
        """A login that the client itself gave up holds no secret."""
        if f"AUTH={mechanism}" not in await self._entrance.capabilities():
            self._skip(dialogue, Skip(f"the target has no AUTH={mechanism}"))
            return
        tag = next(self._tags)
        flight = await self._send(dialogue, Send(line_of(tag, f"AUTHENTICATE {mechanism}")), tag, [])
        while await self._connection.continuation(flight) is not None:
            await self._connection.line(flight, b"*", sasl=True)

    async def _start_tls(self, dialogue: Dialogue) -> None:
        connection = self._connection
        if connection.secure:
            self._skip(dialogue, Skip("the connection has TLS already"))
        elif connection.endpoint.security is not Security.STARTTLS:
            self._skip(dialogue, Skip("the target's URL asks for no TLS"))
        else:
            await self._entrance.start_tls(lambda flight: self._fly(dialogue, flight, ()))

    async def _idle(self, dialogue: Dialogue, decision: Send, tag: bytes) -> None:
        idle = Idle(dialogue, self._connection)
        flight = await self._send(dialogue, decision, tag, [])
        if await self._connection.continuation(flight) is not None:
            self._order.over(self._part.number, dialogue.exchange.number)
            await self._turn(idle.until)
            await idle.news(self._manner.idle, flight)
            idle.end()
            if idle.abandoned:
                del self._flights[dialogue.exchange.number]  # nobody waits for it: it ends with the connection
                return
            if not flight.over.done():
                await self._connection.line(flight, b"DONE", sasl=False)
        idle.end()
        await flight.over

    # --- what became of it ------------------------------------------------------------------------------------------

    def _fly(self, dialogue: Dialogue, flight: Flight, changes: tuple[str, ...]) -> None:
        """The command is about to be sent: from here on its answer may come at any time."""
        number = dialogue.exchange.number
        self._flights[number] = flight
        self._told = number
        self._recorded[flight.number] = number
        flight.landed = lambda: self._landed(dialogue, flight, changes)

    def _landed(self, dialogue: Dialogue, flight: Flight, changes: tuple[str, ...]) -> None:
        recorded = dialogue.exchange
        self._flights.pop(recorded.number, None)
        answered = flight.completion is not None or recorded.outcome is not Outcome.COMPLETED
        reason = "" if answered else self._connection.why
        fate = Fate.SENT if answered else Fate.CUT
        exists = self._ear.before.exists if recorded.command in SELECTS else None
        self._where.answered(dialogue, flight.status, exists)
        step = Step(self._part.number, recorded.number, fate, flight.number, flight.status, reason, changes)
        if flight.completion is None:
            self._lessons.over(recorded.number, None)
        self._put(step, (flight.start, flight.length))
        self._connection.flights.afterwards(lambda: self._tell(step, dialogue))
        self._order.over(self._part.number, recorded.number)

    def _skip(self, dialogue: Dialogue, skip: Skip) -> None:
        recorded = dialogue.exchange
        self._told = recorded.number
        self._where.skipped(dialogue, skip.reason)
        self._connection.flights.clear_up()
        self._tell(self._put(Step(self._part.number, recorded.number, skip.fate, reason=skip.reason), None), dialogue)
        self._lessons.over(recorded.number, None)
        self._order.over(self._part.number, recorded.number)

    def _put(self, step: Step, place: tuple[int, int] | None) -> Step:
        why = step.reason or ", ".join(step.changes)
        self._connection.step(step.fate, f"{step.recorded}: {why}" if why else str(step.recorded), place)
        return step

    def _tell(self, step: Step, dialogue: Dialogue) -> None:
        self._report.step(step, dialogue.exchange, self._ear.exchange(step.exchange))

    # --- waiting ----------------------------------------------------------------------------------------------------

    async def _wait_for(self, numbers: list[int]) -> None:
        for number in numbers:
            flight = self._flights.get(number)
            if flight is not None:
                await flight.over

    async def _turn(self, at: int) -> None:
        """Wait until all that had happened elsewhere, at this time of the recorded session, has happened again."""
        ready = asyncio.get_running_loop().create_future()
        self._order.turn(self._part.number, self._part.began + at, lambda: _done(ready))
        await ready

    def _alters(self, dialogue: Dialogue) -> bool:
        command = dialogue.exchange.command
        return command in SELECTS or command in LOGINS or command in _ALTERING


def _changed(recorded: str, way: str) -> tuple[str, ...]:
    return () if recorded == way else (f"{recorded} → {way}",)


def _done(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
