"""All sessions of a recording, played side by side as they were recorded; and the same many times over, for load."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from proxy.imap.letters.policy import Bodies
from proxy.imap.transcript import Ending
from proxy.live.errors import LiveError
from proxy.live.tap import Tap
from proxy.live.turns import Turns
from proxy.replay.connection import Connection
from proxy.replay.ear import Ear
from proxy.replay.login import LoginError
from proxy.replay.order import Order
from proxy.replay.player import Player
from proxy.replay.stage import open_gate

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from proxy.live.endpoint import Endpoint
    from proxy.live.sink import Sink
    from proxy.live.upstream import Upstream
    from proxy.replay.part import Part
    from proxy.replay.stage import Account, Manner, Report

STOPPED = "imaptap was stopped"


@dataclass(frozen=True, slots=True)
class Stage:
    """Where it is played: the target, who hears it, and how. `numbers` are those that new sessions get."""

    endpoint: Endpoint
    upstream: Upstream
    sink: Sink
    manner: Manner
    report: Report
    numbers: Callable[[Part], int]
    turns: Turns = field(default_factory=Turns)
    gate: asyncio.Event = field(default_factory=open_gate)
    """While it is not set, nothing more is sent: it could not be recorded."""
    bodies: Bodies = Bodies.FULL
    """What is recorded of letters."""


class Ensemble:
    """Plays all parts once. Sessions of the same user (by `account`) share what is known of the target."""

    def __init__(self, stage: Stage, parts: Sequence[Part], account: Callable[[Part], Account]) -> None:
        self._stage, self._account = stage, account
        self._parts = sorted(parts, key=lambda part: (part.began, part.number))
        self._order = Order(parts)
        self._opened = False

    async def run(self) -> None:
        """From the first session to the last. Raises LoginError, which ends them all; other trouble is reported."""
        running: dict[asyncio.Task[None], Part] = {}
        async with asyncio.TaskGroup() as tasks:
            last = self._parts[0].began if self._parts else 0
            for part in self._parts:
                # What was over before this one began when it was recorded: as many are open at a time as were then.
                earlier = [task for task, other in running.items() if other.ended < part.began]
                for task in earlier:
                    await asyncio.wait({task})
                    del running[task]
                await asyncio.sleep(self._stage.manner.pace.pause(part.began - last))
                last = part.began
                running[tasks.create_task(self._play(part))] = part

    async def _play(self, part: Part) -> None:
        stage = self._stage
        account = self._account(part)
        ear = Ear(stage.sink)
        tap = Tap(stage.numbers(part), ear, stage.turns, decode=True, bodies=stage.bodies)
        connection = Connection(stage.endpoint, stage.upstream, tap, ear, patience=stage.manner.patience)
        player = Player(part, connection, ear, account, stage.manner, self._order, stage.report, stage.gate)
        ear.over = player.learn
        ending, reason = None, ""
        try:
            await self._open(player, account)
            await player.play()
        except LiveError as error:
            ending, reason = Ending.FAILED, _told(error, account)
            if isinstance(error, LoginError) or not self._opened:
                raise
            stage.report.trouble(reason, error.hint)
        except asyncio.CancelledError:
            ending, reason = Ending.CUT, STOPPED
            raise
        except BaseException as error:
            ending, reason = Ending.FAILED, type(error).__name__
            raise
        finally:
            self._order.leave(part.number)
            await connection.close(ending, reason)

    async def _open(self, player: Player, account: Account) -> None:
        """Raises LiveError; where others could connect before, what was not reached is told."""
        try:
            await player.open()
        except LiveError as error:
            if self._opened:
                player.not_reached(_told(error, account).rstrip("."))
            raise
        self._opened = True


def _told(error: LiveError, account: Account) -> str:
    """What happened, as it may go on record: a server may have echoed the password when it ended the session."""
    return account.credentials.hidden(str(error)) if account.credentials else str(error)
