"""What a writer says of the traffic, from its own thread, is done in the event loop's."""

from __future__ import annotations

import asyncio
import threading
from typing import TYPE_CHECKING, cast

from imaptap.fail_closed import steer
from storage import Traffic

if TYPE_CHECKING:
    from proxy.live.recorder import Recorder


class Horse:
    """A recorder that only notes what it is told, and where."""

    def __init__(self) -> None:
        self.told: list[tuple[str, threading.Thread]] = []

    def note(self, what: str) -> None:
        self.told.append((what, threading.current_thread()))

    def stand_still(self) -> None:
        self.note("stand")

    def go_on(self) -> None:
        self.note("go")


def test_each_order_reaches_the_recorder_in_its_own_thread() -> None:
    horse, orders = Horse(), [(Traffic.STAND, ""), (Traffic.GO, ""), (Traffic.END, "The disk is gone.")]

    async def drive(*recorder: Horse) -> list[str]:
        horse.told.clear()
        done = asyncio.Event()

        def end(reason: str) -> None:
            horse.note(reason)
            done.set()

        control = steer(end, *cast("tuple[Recorder, ...]", recorder))
        await asyncio.to_thread(lambda: [control(*order) for order in orders])
        await done.wait()
        assert {thread for _, thread in horse.told} == {threading.current_thread()}
        return [what for what, _ in horse.told]

    assert asyncio.run(drive(horse)) == ["stand", "go", "The disk is gone."]
    assert asyncio.run(drive()) == ["The disk is gone."], "a parent of workers has no traffic of its own"


def test_a_writer_that_outlives_the_loop_is_not_disturbed() -> None:
    async def leave() -> None:
        controls.append(steer(lambda _: None))

    controls: list[object] = []
    asyncio.run(leave())
    [control] = controls
    assert callable(control)
    control(Traffic.STAND, "")
