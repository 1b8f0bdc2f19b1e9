"""`imaptap serve` from start to stop: the recorder with served sessions in the server's place."""

from __future__ import annotations

import asyncio
import functools
import itertools
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, NamedTuple

from imaptap.recording import Job, Ready, hang_up
from imaptap.recording import run as record
from imaptap.serving.beyond import Beyond
from imaptap.serving.connection import Connection
from imaptap.serving.far import Far
from imaptap.serving.within import Within
from proxy.live.notices import Notices
from proxy.live.recorder import Recorder
from proxy.live.upstream import Upstream
from proxy.replay.match import Near, Rules
from proxy.replay.pace import Pace
from proxy.replay.serving.cast import Cast
from proxy.replay.serving.logins import Door, shows
from proxy.replay.serving.served import Served
from proxy.replay.serving.standing import Standing
from proxy.replay.serving.values import Repeat

if TYPE_CHECKING:
    import socket
    from collections.abc import Awaitable, Callable, Sequence

    from imaptap.recording import Tell
    from proxy.imap.transcript import Record
    from proxy.live.settings import Settings
    from proxy.live.tap import Tap
    from proxy.replay.asked import Asked
    from proxy.replay.serving.values import Scene, Step


_KEPT_MOST = 1000
"""Commands that matched nothing which are told and kept; of more only their number is."""


class Miss(NamedTuple):
    """A command that nothing recorded answers: which connection asked what, why not, and what comes near it."""

    connection: int
    command: str
    why: str
    near: tuple[Near, ...]


class Went(NamedTuple):
    """A session that a server was asked in, its number in what is recorded of this run, and the first such command."""

    connection: int
    session: int
    command: str


@dataclass(frozen=True, slots=True)
class Play:
    """What is served, and how. `told` waits until the next news may come; None: it comes by itself.

    `beyond` says which server is asked what nothing recorded answers, and how it is verified; None: nobody is.
    """

    scenes: Sequence[Scene]
    rules: Rules = field(default_factory=Rules)
    repeat: Repeat = Repeat.NEVER
    door: Door = field(default_factory=Door)
    pace: Pace | None = None
    told: Callable[[], Awaitable[None]] | None = None
    beyond: Settings | None = None

    @property
    def mechanisms(self) -> frozenset[str]:
        """Those that clients are offered: where a server may have to be told the password, those that say it."""
        hears = self.beyond is not None and self.door.password is None
        return frozenset(each for each in self.door.mechanisms if not hears or shows(each))


@dataclass
class Outcome:
    """What came of it."""

    missed: list[Miss] = field(default_factory=list[Miss])
    more: int = 0
    """So many more commands matched nothing."""
    went: list[Went] = field(default_factory=list[Went])
    never_asked: list[tuple[Scene, Step]] = field(default_factory=list["tuple[Scene, Step]"])
    recorded: bool = True
    """Whether everything was, that had to be."""


class _Nowhere:
    """A sink that forgets all it is told."""

    full = crammed = False

    def put(self, *records: Record) -> None:
        """Forget."""

    def when_drained(self, callback: Callable[[], None]) -> None:
        """At once."""
        callback()


async def serve(
    play: Play,
    job: Job,
    stop: asyncio.Event,
    ready: Callable[[Ready], None],
    tell: Tell,
    miss: Callable[[Miss], None],
    *,
    kept: bool,
    went: Callable[[Went], None] | None = None,
) -> Outcome:
    """Serve until `stop` is set; `kept`: whether what is said is recorded into the job's database.

    `miss` hears at once of what matches nothing, and `went` of sessions in which a server is asked, the first thousand
    times each. Raises StorageError, CertificateError or LiveError when it cannot begin.
    """
    cast, outcome = Cast(play.scenes, play.rules, play.repeat), Outcome()
    numbers = itertools.count(1)
    notices = Notices(tell)
    far = Far(play.beyond.upstream, Upstream(play.beyond), _Nowhere(), notices.once) if play.beyond else None

    def missed(connection: int, asked: Asked, why: str, near: tuple[Near, ...]) -> None:
        if len(outcome.missed) == _KEPT_MOST:
            outcome.more += 1
            return
        found = Miss(connection, asked.shown, why, near)
        outcome.missed.append(found)
        miss(found)

    sessions: set[int] = set()

    def asked_far(connection: int, session: int, command: str) -> None:
        if session in sessions:  # by a login that was refused
            return
        sessions.add(session)
        found = Went(connection, session, command)
        outcome.went.append(found)
        if went and len(outcome.went) <= _KEPT_MOST:
            went(found)

    async def connected(sock: socket.socket, tap: Tap | None) -> None:
        number = next(numbers)
        timed = play.pace is not None or play.told is not None
        standing = Standing(cast.changes) if far else None
        beyond = Beyond(far, standing, tap, functools.partial(asked_far, number)) if far and standing else None
        served = Served(cast, play.door, functools.partial(missed, number), timed=timed, standing=standing)
        await Connection(served, play.pace, play.mechanisms, play.told, beyond).run(sock)

    upstream = Within(job.settings, connected, asks=far is not None)
    try:
        if kept:
            outcome.recorded = await record(job, stop, ready, None, tell, upstream)
        else:
            await _unrecorded(job, stop, ready, tell, upstream)
    finally:
        await upstream.close()
    outcome.never_asked = cast.never_asked()
    return outcome


async def _unrecorded(
    job: Job, stop: asyncio.Event, ready: Callable[[Ready], None], tell: Tell, upstream: Within
) -> None:
    recorder = Recorder(job.settings, job.authority, _Nowhere(), tell, job.own_leaves, upstream=upstream)
    listen = recorder.listen()
    try:
        ready(Ready(None, listen, job.authority.certificate_file, None))
    except BaseException:
        await hang_up(recorder)
        raise
    await recorder.run(stop)
