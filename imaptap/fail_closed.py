"""`imaptap record --fail-closed`: what the writer says that traffic has to do, done by the live side."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from proxy.live.recorder import Recorder
from storage import Control, Traffic


def steer(end: Callable[[str], None], recorder: Recorder | None = None) -> Control:
    """What a writer is given so that its thread can stop the traffic of `recorder`, if this process has any.

    `end` is called in the running event loop when all sessions have to end, with the reason, a sentence.
    """
    loop = asyncio.get_running_loop()

    def act(traffic: Traffic, reason: str) -> None:
        if traffic is Traffic.END:
            end(reason)
        elif recorder is None:
            return
        elif traffic is Traffic.STAND:
            recorder.stand_still()
        else:
            recorder.go_on()

    def control(traffic: Traffic, reason: str) -> None:
        # The loop may be closed by then: the writer is the last to end.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(act, traffic, reason)

    return control
