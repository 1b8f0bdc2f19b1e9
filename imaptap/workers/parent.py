"""One recording by several workers, from start to stop: what their parent does."""

from __future__ import annotations

import asyncio
import contextlib
import functools
import time
from collections.abc import Callable, Collection, Sequence
from dataclasses import replace

from imaptap.fail_closed import steer
from imaptap.news import News
from imaptap.recording import Job, Ready, Tell, begin, undone
from imaptap.workers.chorus import Chorus
from imaptap.workers.crew import Crew
from imaptap.workers.messages import Heard, Message, Order, Told, Unrecordable
from imaptap.workers.shared import Shared
from proxy.imap.transcript import Event, EventKind
from proxy.live.errors import LiveError
from proxy.live.ports import SPREADS, close_ports, open_ports, share_ports
from storage import StorageError, Store, Writer, open_store

_OURSELVES = 0
_UNEVEN = ("This system does not divide clients evenly over workers: the quickest gets each of them.", "")


async def run(job: Job, stop: asyncio.Event, ready: Callable[[Ready], None], news: News | None, tell: Tell) -> bool:
    """Record with `job.workers` processes until `stop` is set, or none of them is left.

    For the rest as `imaptap.recording.run`. When a worker dies, its sessions are marked as cut, another one takes its
    place, and the return value is False: some of what was said is lost.
    """
    jobs = _parts(job)
    with contextlib.ExitStack() as stack:
        store = stack.enter_context(open_store(job.db, create=True))
        shared = _share()
        stack.callback(shared.close)
        shares = share_ports(open_ports(job.settings), job.workers)
        for ports in shares:
            stack.callback(close_ports, ports)
        chorus = Chorus(tell)

        def end(reason: str) -> None:
            crew.unrecordable(reason)
            stop.set()

        control = steer(end) if job.fail_closed else None
        writer = begin(job, store, functools.partial(chorus.say, _OURSELVES), control, shared.sharing)
        with undone(writer, store):
            tasks = zip(jobs, shares, strict=True)
            orders = [Order(part, writer.recording, ports, shared, news is not None) for part, ports in tasks]
            crew = _Parent(store, shared, writer, chorus, news, end).crew(orders)
            await crew.start(stop)
            try:
                listen = tuple(port.endpoint for port in shares[0])
                ready(Ready(writer.recording, listen, job.authority.certificate_file, store.where))
            except BaseException:
                await crew.end()
                raise
        if not SPREADS:
            chorus.say(_OURSELVES, *_UNEVEN)
        return await _carry_on(crew, writer, stop)


async def _carry_on(crew: Crew, writer: Writer, stop: asyncio.Event) -> bool:
    try:
        await crew.work(stop)
    finally:
        await crew.end()
        # Last, since it marks the recording as ended.
        await asyncio.to_thread(writer.close)
    return crew.whole and not writer.failed


def _parts(job: Job) -> list[Job]:
    """The job of each worker: together they have as many sessions at once as the job allows."""
    most, count = job.settings.max_sessions, job.workers
    if most is None:
        return [job] * count
    if most < count:
        raise LiveError(
            f"{most} sessions at once are too few for {count} workers.", "Use fewer --workers, or more --max-sessions."
        )
    settings = (replace(job.settings, max_sessions=(most + number) // count) for number in range(count))
    return [replace(job, settings=each) for each in settings]


def _share() -> Shared:
    try:
        return Shared.make()
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise LiveError(
            f"The workers cannot have a file in common: {reason}.", "Make room for temporary files."
        ) from error


class _Parent:
    """Listens to the workers, and puts on record what becomes of them."""

    def __init__(
        self,
        store: Store,
        shared: Shared,
        writer: Writer,
        chorus: Chorus,
        news: News | None,
        end: Callable[[str], None],
    ) -> None:
        self._store = store
        self._shared = shared
        self._writer = writer
        self._chorus = chorus
        self._news = news
        self._end = end

    def crew(self, orders: Sequence[Order]) -> Crew:
        """Workers for these orders."""
        return Crew(orders, self._hear, self._say, self._bury)

    def _say(self, message: str, hint: str) -> None:
        self._chorus.say(_OURSELVES, message, hint)

    def _hear(self, worker: int, message: Message) -> None:
        if isinstance(message, Told):
            self._chorus.say(worker, message.message, message.hint)
        elif isinstance(message, Unrecordable):
            self._end(message.reason)
        elif isinstance(message, Heard) and self._news is not None:
            self._news.add(message.items, message.missed)

    async def _bury(self, sessions: Collection[int], reason: str) -> int:
        """End the sessions of a dead worker, and put its death on record. How many sessions there were."""
        at = max(0, time.time_ns() // 1000 - self._writer.recording.started)
        self._writer.put(Event(None, at, EventKind.FAULT, "worker died", reason))
        try:
            return await asyncio.to_thread(self._cut, sessions, reason)
        except StorageError as error:
            hint = "They will be marked when the recording ends."
            self._say(f"The sessions of a dead worker cannot be marked as cut: {error}", hint)
            return 0

    def _cut(self, sessions: Collection[int], reason: str) -> int:
        with self._shared.sharing.turn():
            return self._store.cut(self._writer.recording, sessions, reason)
