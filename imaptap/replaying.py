"""One replay from start to stop: the recorded sessions, the target, and the store that the new recording goes to."""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import sys
from collections import Counter
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from imaptap import __version__
from imaptap.reading.replayed import replay_event
from imaptap.seeding import origins, seed
from proxy.imap.mapping import Mapping
from proxy.live.errors import LiveError, loop_fault
from proxy.live.upstream import Upstream
from proxy.replay.ensemble import Ensemble, Stage
from proxy.replay.seeding.report import Seeded
from proxy.replay.stage import Account, open_gate
from proxy.replay.values import Fate
from storage import StorageError, Traffic, Writer
from storage.statistics.quantiles import Quantiles

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator, Sequence

    from imaptap.reading.replayed import ReplayOf
    from proxy.imap.transcript import Exchange
    from proxy.live.settings import Settings
    from proxy.replay.login import Credentials
    from proxy.replay.part import Part
    from proxy.replay.seeding.report import Wish
    from proxy.replay.stage import Manner
    from proxy.replay.values import Step
    from storage import Control, Recording, Store

_DIFFERING_KEPT = 100
_SWITCH_SECONDS = 0.001


@dataclass(frozen=True, slots=True)
class Job:
    """What to replay, where to, and how. `settings` name the target; `credentials` by recorded user and clone."""

    source: ReplayOf
    parts: Sequence[Part]
    settings: Settings
    manner: Manner
    credentials: Callable[[str | None, int], Credentials | None]
    clones: int = 1
    name: str | None = None
    wish: Wish | None = None
    """How to seed the target's mailboxes; None: not at all."""


class Other(NamedTuple):
    """A step, by recorded session and exchange, that was answered with another status than when it was recorded."""

    session: int
    exchange: int
    command: str
    recorded: str
    replayed: str | None


@dataclass
class Tally:
    """What came of a replay: how many steps had which fate, what was answered otherwise, how long answers took."""

    progress: Callable[[Tally], None] | None = None
    """Called after each step."""
    tell: Callable[[str, str], None] | None = None
    """Called with each kind of trouble once, a sentence and a hint."""
    seeding: Callable[[int, int], None] | None = None
    """Called after each message that was appended before it began: how many of a user's, and of how many."""
    fates: Counter[Fate] = field(default_factory=Counter[Fate])
    reasons: Counter[tuple[Fate, str]] = field(default_factory=Counter[tuple[Fate, str]])
    differing: Counter[Other] = field(default_factory=Counter[Other])
    """Steps with another status than when recorded, and in how many clones; the first ones."""
    others: int = 0
    """How many there are."""
    latency: dict[str, Quantiles] = field(default_factory=dict[str, Quantiles])
    """By command, in microseconds."""
    seeded: list[tuple[str | None, Seeded]] = field(default_factory=list[tuple[str | None, Seeded]])
    """What was appended before it began, by recorded user."""
    troubles: list[str] = field(default_factory=list[str])
    stopped: bool = False
    unrecorded: bool = False
    """Whether the recorder has lost anything."""

    @property
    def steps(self) -> int:
        """Of how many it is known what became of them."""
        return sum(self.fates.values())

    @property
    def faithful(self) -> bool:
        """Whether all was sent, and answered with the recorded status."""
        return self.fates[Fate.SENT] == self.steps and not (self.others or self.troubles or self.unrecorded)

    def step(self, step: Step, recorded: Exchange, replayed: Exchange | None) -> None:
        """What became of a step."""
        self.fates[step.fate] += 1
        if step.fate is not Fate.SENT:
            self.reasons[step.fate, step.reason] += 1
        elif recorded.status and step.status != recorded.status:
            self.others += 1
            other = Other(step.session, step.recorded, recorded.command, recorded.status, step.status)
            if other in self.differing or len(self.differing) < _DIFFERING_KEPT:
                self.differing[other] += 1
        if replayed is not None and replayed.ended is not None:
            self.latency.setdefault(recorded.command, Quantiles()).add(replayed.ended - replayed.started)
        if self.progress:
            self.progress(self)

    def trouble(self, message: str, hint: str) -> None:
        """Something went wrong."""
        if message not in self.troubles:
            self.troubles.append(message)
            if self.tell:
                self.tell(message, hint)


async def run(job: Job, store: Store, stop: asyncio.Event, tally: Tally, tell: Callable[[str, str], None]) -> Recording:
    """Replay until all is done, or `stop` is set. Returns the new recording, whole or partial; `tally` says which.

    Raises LiveError where nothing could begin (then no recording is left), LoginError, StorageError, CertificateError.
    """
    upstream = Upstream(job.settings)
    # Answers are not to wait for the writer's thread, as long as Python would let them.
    sys.setswitchinterval(_SWITCH_SECONDS)
    gate = open_gate()
    asyncio.get_running_loop().set_exception_handler(_complain(tally))
    settings = f"replay of {job.source} to {job.source.url}{job.settings.bodies.told}"
    writer = Writer(
        store, job.name, version=__version__, settings=settings, on_trouble=tell, control=_steer(stop, gate)
    )
    writer.put(replay_event(job.source))
    try:
        playing = asyncio.create_task(_all(job, upstream, writer, tally, gate))
        stopping = asyncio.create_task(stop.wait())
        await asyncio.wait({playing, stopping}, return_when=asyncio.FIRST_COMPLETED)
        stopping.cancel()
        if not playing.done():
            tally.stopped = True
            playing.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await playing
    finally:
        await asyncio.to_thread(writer.close)
        tally.unrecorded = writer.failed
        if not tally.steps and not tally.stopped:
            _undo(store, writer.recording)
    return writer.recording


async def _all(job: Job, upstream: Upstream, writer: Writer, tally: Tally, gate: asyncio.Event) -> None:
    counted = itertools.count(1)
    stage = Stage(
        job.settings.upstream, upstream, writer, job.manner, tally,
        lambda part: part.number if job.clones == 1 else next(counted), gate=gate, bodies=job.settings.bodies,
    )  # fmt: skip
    clones = _foreseen(job)
    if job.wish is not None:
        await _seed(job, job.wish, upstream, clones, tally)
    try:
        async with asyncio.TaskGroup() as tasks:
            for accounts in clones:
                tasks.create_task(Ensemble(stage, job.parts, accounts).run())
    except BaseExceptionGroup as group:
        raise _first(group) from None


async def _seed(
    job: Job, wish: Wish, upstream: Upstream, clones: Sequence[Callable[[Part], Account]], tally: Tally
) -> None:
    """Each recorded user's mailboxes, in the account of each clone."""
    for origin in origins(job.parts):
        for accounts in clones if origin.beginning.mailboxes else ():
            account = accounts(origin.parts[0])
            done = await seed(
                job.settings.upstream, upstream, origin, account, wish, job.manner.patience, tally.seeding
            )
            tally.seeded.append((origin.user, done))


def _foreseen(job: Job) -> list[Callable[[Part], Account]]:
    """The accounts of each clone, which share nothing; they know of everything that was recorded."""
    clones = [_Accounts(job, clone) for clone in range(1, job.clones + 1)]
    for part in job.parts:
        for dialogue in part.dialogues():
            for accounts in clones:
                accounts(part).mapping.foresee(dialogue, part.literals)
    return list(clones)


class _Accounts:
    """Of one clone, by recorded user."""

    def __init__(self, job: Job, clone: int) -> None:
        self._job, self._clone = job, clone
        self._known: dict[str | None, Account] = {}

    def __call__(self, part: Part) -> Account:
        user = part.user
        if user not in self._known:
            mapping = Mapping(self._job.manner.policy.names)
            self._known[user] = Account(self._job.credentials(user, self._clone), mapping)
        return self._known[user]


def _first(group: BaseExceptionGroup[BaseException]) -> BaseException:
    """Of errors side by side, the one that people should read: the first that is one of ours."""
    found = list(_leaves(group))
    return next((error for error in found if isinstance(error, LiveError | StorageError)), found[0])


def _leaves(group: BaseExceptionGroup[BaseException]) -> Iterator[BaseException]:
    for each in group.exceptions:
        if isinstance(each, BaseExceptionGroup):
            yield from _leaves(cast("BaseExceptionGroup[BaseException]", each))
        else:
            yield each


def _steer(stop: asyncio.Event, gate: asyncio.Event) -> Control:
    """A replay that is not recorded is good for nothing: it waits while recording fails, and stops if that lasts."""
    loop = asyncio.get_running_loop()

    def act(traffic: Traffic) -> None:
        if traffic is Traffic.END:
            stop.set()
        elif traffic is Traffic.STAND:
            gate.clear()
        else:
            gate.set()

    def control(traffic: Traffic, _: str) -> None:
        # The loop may be closed by then: the writer is the last to end.
        with contextlib.suppress(RuntimeError):
            loop.call_soon_threadsafe(act, traffic)

    return control


def _complain(tally: Tally) -> Callable[[asyncio.AbstractEventLoop, dict[str, Any]], None]:
    """Faults that the event loop reports are troubles of the replay."""

    def complain(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        if fault := loop_fault(context):
            tally.trouble(*fault)

    return complain


def _undo(store: Store, recording: Recording) -> None:
    # What went wrong first is what the person should read.
    with contextlib.suppress(StorageError):
        store.remove(store.recording(str(recording.id)))
