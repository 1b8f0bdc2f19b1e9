"""Who is started, who is replaced, and when it is given up: with workers that are no processes."""

from __future__ import annotations

import asyncio
import signal
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, cast

import pytest

from imaptap.workers import crew as crew_module
from imaptap.workers.crew import Crew
from imaptap.workers.messages import Failed, Message, Order, Unrecordable
from proxy.live.errors import LiveError

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Collection

ORDER = cast("Order", type("NoOrder", (), {"ports": ()})())
KILLED = -signal.SIGKILL


class Puppet:
    """A worker that lives and dies as the test says."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self.sessions = frozenset({pid})
        self.failure: Failed | None = None
        self.heard: list[Message] = []
        self.up: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self.code: asyncio.Future[int] = asyncio.get_running_loop().create_future()

    def say(self, message: Message) -> None:
        assert not self.code.done()
        self.heard.append(message)

    def stop(self) -> None:
        if not self.code.done():
            self.die(0)

    def die(self, code: int) -> None:
        self.up.cancel()
        self.code.set_result(code)

    async def gone(self) -> int:
        return await self.code


@dataclass
class Stage:
    """A crew of puppets, and what becomes of it."""

    size: int = 2
    last: Failed | int | None = None
    """How the last puppet of the crew ends before it is up, by itself or with what code; None: it does not."""
    slow: bool = False
    """Whether it takes for ever to be up."""
    puppets: list[Puppet] = field(default_factory=list[Puppet])
    told: list[tuple[str, str]] = field(default_factory=list[tuple[str, str]])
    buried: list[tuple[list[int], str]] = field(default_factory=list[tuple[list[int], str]])

    def __post_init__(self) -> None:
        self.stop = asyncio.Event()
        self.born = asyncio.Queue[Puppet]()
        self.mourned = asyncio.Queue[str]()
        self.crew = Crew([ORDER] * self.size, lambda *_: None, self.tell, self.bury)

    def tell(self, message: str, hint: str) -> None:
        self.told.append((message, hint))
        self.mourned.put_nowait(message)

    async def bury(self, sessions: Collection[int], reason: str) -> int:
        self.buried.append((sorted(sessions), reason))
        return len(sessions)

    async def start(self, *_: Any) -> Puppet:
        puppet = Puppet(len(self.puppets) + 1)
        self.puppets.append(puppet)
        self.born.put_nowait(puppet)
        if puppet.pid != self.size or (self.last is None and not self.slow):
            puppet.up.set_result(None)
        elif isinstance(self.last, Failed):
            puppet.failure = self.last
            puppet.die(1)
        elif self.last is not None:
            puppet.die(self.last)
        return puppet

    async def begin(self) -> list[Puppet]:
        """The puppets of a crew that works."""
        await self.crew.start(self.stop)
        return [self.born.get_nowait() for _ in range(self.size)]

    async def end(self) -> None:
        """As the person has it end."""
        self.stop.set()
        await self.crew.work(self.stop)
        await self.crew.end()


def play(scene: Callable[[Stage], Awaitable[None]], monkeypatch: pytest.MonkeyPatch, **words: Any) -> Stage:
    """The stage as the scene leaves it."""
    monkeypatch.setattr(crew_module, "_PAUSE", 0)

    async def run() -> Stage:
        stage = Stage(**words)
        monkeypatch.setattr(crew_module.Worker, "start", stage.start)
        async with asyncio.timeout(10):
            await scene(stage)
        return stage

    return asyncio.run(run())


def test_they_work_until_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(stage: Stage) -> None:
        await stage.begin()
        await stage.end()

    stage = play(scene, monkeypatch, size=3)
    assert [puppet.code.result() for puppet in stage.puppets] == [0, 0, 0]
    assert stage.crew.whole
    assert (stage.told, stage.buried) == ([], [])


def test_one_that_could_not_record_everything_has_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(stage: Stage) -> None:
        _, second = await stage.begin()
        monkeypatch.setattr(second, "stop", lambda: second.die(1))
        await stage.end()

    stage = play(scene, monkeypatch)
    assert not stage.crew.whole
    assert (stage.told, stage.buried) == ([], [])


def test_a_dead_one_is_mourned_and_replaced(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(stage: Stage) -> None:
        _, second = await stage.begin()
        second.die(KILLED)
        await stage.born.get()
        await stage.end()

    stage = play(scene, monkeypatch)
    assert not stage.crew.whole
    [(message, hint)] = stage.told
    assert message.startswith("Worker 2 (process 2) was ended by SIGKILL. Its open sessions (1) are cut")
    assert hint == "Another one takes its place."
    assert stage.buried == [([2], "Worker 2 (process 2) was ended by SIGKILL")]


def test_one_that_dies_again_and_again_is_given_up_and_the_others_go_on(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(stage: Stage) -> None:
        first, second = await stage.begin()
        working = asyncio.create_task(stage.crew.work(stage.stop))
        second.die(KILLED)
        for _ in range(2):
            (await stage.born.get()).die(KILLED)
        for _ in range(3):
            await stage.mourned.get()
        assert not working.done()
        first.die(KILLED)
        for _ in range(2):
            (await stage.born.get()).die(KILLED)
        await working
        await stage.crew.end()

    stage = play(scene, monkeypatch)
    assert len(stage.puppets) == 6
    assert [hint for _, hint in stage.told[:3]] == [
        "Another one takes its place.", "Another one takes its place.",
        "It is not replaced again after 3 deaths within 60 seconds.",
    ]  # fmt: skip
    assert stage.told[-1][0] == "No worker is left, so nothing more can be recorded."


def test_when_nothing_can_be_recorded_all_are_told_once_and_nobody_is_mourned(monkeypatch: pytest.MonkeyPatch) -> None:
    """The one that found out may be gone before the others are told to end."""

    async def scene(stage: Stage) -> None:
        first, second = await stage.begin()
        stage.crew.unrecordable("The disk is gone.")
        first.die(1)
        stage.crew.unrecordable("The disk is gone.")
        assert second.heard == [Unrecordable("The disk is gone.")]
        await stage.end()

    stage = play(scene, monkeypatch)
    assert not stage.crew.whole
    assert len(stage.puppets) == 2, "nobody is replaced"
    assert (stage.told, stage.buried) == ([], [])


@pytest.mark.parametrize(
    ("last", "said"),
    [
        (Failed("The disk is gone.", "Buy one."), "The disk is gone."),
        (KILLED, r"Worker 2 \(process 2\) was ended by SIGKILL before it served anybody."),
    ],
)
def test_a_crew_that_is_not_complete_does_not_begin(
    last: Failed | int, said: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def scene(stage: Stage) -> None:
        with pytest.raises(LiveError, match=said):
            await stage.begin()

    stage = play(scene, monkeypatch, last=last)
    assert all(puppet.code.done() for puppet in stage.puppets), "the other one was ended"


def test_a_signal_while_they_start_is_not_lost(monkeypatch: pytest.MonkeyPatch) -> None:
    async def scene(stage: Stage) -> None:
        starting = asyncio.create_task(stage.crew.start(stage.stop))
        await stage.born.get()
        stage.stop.set()
        await starting
        await stage.end()

    stage = play(scene, monkeypatch, size=1, slow=True)
    assert stage.crew.whole
    assert not stage.told
