"""All workers of one recording: started, replaced when one dies, ended together."""

from __future__ import annotations

import asyncio
import contextlib
import signal
import time
from collections import deque
from collections.abc import Callable, Collection, Coroutine, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from imaptap.workers.messages import Message, Order, Unrecordable
from imaptap.workers.process import Worker
from proxy.live.errors import LiveError
from proxy.live.ports import close_ports

_PAUSE: Final = 1.0
"""Seconds before a dead worker is replaced. Clients that come meanwhile wait at its socket, which the parent holds."""

_DEATHS: Final = 3
_DEATHS_SECONDS: Final = 60.0
"""One that dies so often in so short a time would die again: it is not replaced, and the others get its clients."""

Bury = Callable[[Collection[int], str], Coroutine[None, None, int]]


@dataclass(slots=True)
class _Place:
    number: int
    order: Order
    worker: Worker | None = None
    deaths: deque[float] = field(default_factory=lambda: deque[float](maxlen=_DEATHS))

    def died(self) -> bool:
        """Count a death. Returns whether there is hope for another worker."""
        now = time.monotonic()
        self.deaths.append(now)
        return len(self.deaths) < _DEATHS or now - self.deaths[0] > _DEATHS_SECONDS


class Crew:
    """One worker for each of some orders."""

    def __init__(
        self,
        orders: Sequence[Order],
        hear: Callable[[int, Message], None],
        tell: Callable[[str, str], None],
        bury: Bury,
    ) -> None:
        """`hear` gets what workers tell, with their process numbers, `tell` a sentence and a hint about them.

        `bury` ends the sessions that a dead one leaves, for the reason given, and says how many there were.
        """
        self.whole = True
        """Whether all workers have recorded everything, as far as is known."""
        self._places = [_Place(number, order) for number, order in enumerate(orders, 1)]
        self._hear = hear
        self._tell = tell
        self._bury = bury
        self._ending = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []

    async def start(self, stop: asyncio.Event) -> None:
        """Start all of them and wait until they serve clients, or `stop` is set.

        Raises LiveError when one cannot; then none is left.
        """
        try:
            for place in self._places:
                place.worker = await self._new(place)
            for place in self._places:
                await self._up(place, stop)
        except BaseException:
            self._stop()
            await asyncio.gather(*(place.worker.gone() for place in self._places if place.worker))
            raise
        self._tasks = [asyncio.create_task(self._keep(place)) for place in self._places]

    async def work(self, stop: asyncio.Event) -> None:
        """Wait until `stop` is set, or no worker is left."""
        everyone = asyncio.create_task(asyncio.wait(self._tasks))
        await _either(stop, everyone)
        everyone.cancel()
        if not stop.is_set():
            self._tell("No worker is left, so nothing more can be recorded.", "See the messages above.")

    def unrecordable(self, reason: str) -> None:
        """Have all workers know why their sessions end: `end` has to follow."""
        if self._ending.is_set():
            return  # several workers find out at about the same time
        self._ending.set()
        self.whole = False
        for place in self._places:
            if place.worker:
                place.worker.say(Unrecordable(reason))

    async def end(self) -> None:
        """End all workers and wait for them."""
        self._stop()
        await asyncio.gather(*self._tasks)

    def _stop(self) -> None:
        self._ending.set()
        for place in self._places:
            # Ours first: a client that came in now would find nobody.
            close_ports(place.order.ports)
            if place.worker:
                place.worker.stop()

    async def _new(self, place: _Place) -> Worker:
        try:
            return await Worker.start(place.order, self._hear)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise LiveError(
                f"Worker {place.number} cannot be started: {reason}.", "Use fewer --workers, or raise the limits."
            ) from error

    async def _up(self, place: _Place, stop: asyncio.Event) -> None:
        if place.worker is None:
            return
        await _either(stop, place.worker.up)
        if not place.worker.up.cancelled():
            return
        code = await place.worker.gone()
        if failure := place.worker.failure:
            raise LiveError(failure.message, failure.hint)
        raise LiveError(f"{_obituary(place, place.worker, code)} before it served anybody.", "Please report this.")

    async def _keep(self, place: _Place) -> None:
        """Have somebody at this place until the end."""
        while place.worker is not None:
            code = await place.worker.gone()
            if self._ending.is_set() and code >= 0:
                self.whole = self.whole and code == 0  # and it has said why not
                return
            self.whole = False
            hope = place.died() and not self._ending.is_set()
            await self._mourn(place, place.worker, code, hope=hope)
            place.worker = await self._successor(place) if hope else None
        close_ports(place.order.ports)

    async def _mourn(self, place: _Place, worker: Worker, code: int, *, hope: bool) -> None:
        what = _obituary(place, worker, code)
        cut = await self._bury(worker.sessions, what)
        if hope:
            hint = "Another one takes its place."
        elif self._ending.is_set():
            hint = ""
        else:
            hint = f"It is not replaced again after {_DEATHS} deaths within {_DEATHS_SECONDS:.0f} seconds."
        loss = f"Its open sessions ({cut}) are cut, and their last moments are lost." if cut else "No session was open."
        self._tell(f"{what}. {loss}", hint)

    async def _successor(self, place: _Place) -> Worker | None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._ending.wait(), _PAUSE)
        if self._ending.is_set():
            return None
        try:
            worker = await self._new(place)
        except LiveError as error:
            self._tell(str(error), error.hint)
            return None
        if self._ending.is_set():
            worker.stop()
        return worker


async def _either(stop: asyncio.Event, other: asyncio.Future[Any]) -> None:
    """Wait until `stop` is set or `other` is done."""
    stopped: asyncio.Future[Any] = asyncio.create_task(stop.wait())
    await asyncio.wait({stopped, other}, return_when=asyncio.FIRST_COMPLETED)
    stopped.cancel()


def _obituary(place: _Place, worker: Worker, code: int) -> str:
    who = f"Worker {place.number} (process {worker.pid})"
    if worker.failure:
        return f"{who} ended: {worker.failure.message.rstrip('.')}"
    if code < 0:
        name = next((each.name for each in signal.Signals if each == -code), f"signal {-code}")
        return f"{who} was ended by {name}"
    return f"{who} ended with code {code}"
