"""One recording from start to stop: store, writer, listeners. `imaptap record` and `imaptap demo` both run this."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable, Generator
from dataclasses import dataclass, field
from pathlib import Path

from certs.authority import Authority
from certs.contexts import OwnLeaf
from imaptap import __version__
from imaptap.fail_closed import steer
from imaptap.memory import kept_small
from imaptap.news import News
from proxy.imap.transcript import Record
from proxy.live.endpoint import Endpoint
from proxy.live.recorder import Recorder
from proxy.live.settings import Settings
from proxy.live.transport import TransportKind
from proxy.live.upstream import Upstream
from storage import Control, Recording, Sharing, StorageError, Store, Writer, open_store

Tell = Callable[[str, str], None]
Hear = Callable[[Record], None]


@dataclass(frozen=True, slots=True)
class Job:
    """What to record, where to, and how. It travels whole to each of several workers."""

    settings: Settings
    authority: Authority
    db: str
    name: str | None = None
    own_leaves: dict[str, OwnLeaf] = field(default_factory=dict[str, OwnLeaf])
    transport: TransportKind = TransportKind.AUTO
    workers: int = 1
    max_literal: int | None = None
    """Of literals of more bytes only place, length and hash are kept; None: all are kept."""
    fail_closed: bool = False
    """Whether traffic has to stop rather than go on unrecorded."""


@dataclass(frozen=True, slots=True)
class Ready:
    """What is known once clients may connect."""

    recording: Recording | None
    """None where nothing is recorded; then `db` is None, too."""
    listen: tuple[Endpoint, ...]
    ca: Path
    db: str | None


class Ears:
    """The sink of the live side: the writer first, then whoever wants to hear as well."""

    writer: Writer
    """There before the live side runs, but not yet when it is made: see `run`."""

    def __init__(self, hear: Hear | None) -> None:
        self._hear = hear

    def put(self, *records: Record) -> None:
        """Take records."""
        self.writer.put(*records)
        if self._hear:
            for record in records:
                self._hear(record)

    @property
    def full(self) -> bool:
        """Whether the writer is behind."""
        return self.writer.full

    @property
    def crammed(self) -> bool:
        """Whether it is far behind."""
        return self.writer.crammed

    def when_drained(self, callback: Callable[[], None]) -> None:
        """Call back when it has caught up."""
        self.writer.when_drained(callback)


async def run(
    job: Job,
    stop: asyncio.Event,
    ready: Callable[[Ready], None],
    news: News | None,
    tell: Tell,
    upstream: Upstream | None = None,
) -> bool:
    """Record until `stop` is set; with `job.fail_closed`, also until nothing can be recorded any more, which sets it.

    Returns whether everything was recorded, and nobody's session had to end because it could not be.
    `ready` is called once clients may connect, `tell` with a sentence and a hint for the person (from any thread);
    `news` gets what is worth a line; `upstream` dials in the place of the settings' own. Raises StorageError,
    CertificateError or LiveError when it cannot begin; then, as when `ready` raises, no recording is left.
    `imaptap.workers.parent.run` does the same with several processes.
    """
    with open_store(job.db, create=True) as store:
        ears = Ears(news.hear if news else None)
        recorder = Recorder(job.settings, job.authority, ears, tell, job.own_leaves, upstream=upstream)
        # A port that is taken must not cost an empty recording, so the recording begins behind it. Nobody is
        # accepted before `recorder.run`.
        listen = recorder.listen()

        def end(reason: str) -> None:
            recorder.unrecordable(reason)
            stop.set()

        try:
            ears.writer = writer = begin(job, store, tell, steer(end, recorder) if job.fail_closed else None)
            with undone(writer, store):
                ready(Ready(writer.recording, listen, job.authority.certificate_file, store.where))
        except BaseException:
            await hang_up(recorder)
            raise
        return await carry_on(recorder, writer, stop)


async def carry_on(recorder: Recorder, writer: Writer, stop: asyncio.Event) -> bool:
    """Record until `stop` is set, and all is on the disk. Returns whether everything was recorded."""
    try:
        with kept_small():
            await recorder.run(stop)
    finally:
        # Waits for the disk: nothing else is left to be done by then.
        await asyncio.to_thread(writer.close)
    return not writer.failed


def begin(job: Job, store: Store, tell: Tell, control: Control | None, sharing: Sharing | None = None) -> Writer:
    """The writer of a new recording; `control` if it may stop the traffic, `sharing` if it will have company."""
    settings = _describe(job)
    return Writer(
        store, job.name, version=__version__, settings=settings, on_trouble=tell, control=control, sharing=sharing,
        max_literal=job.max_literal,
    )  # fmt: skip


@contextlib.contextmanager
def undone(writer: Writer, store: Store) -> Generator[None, None, None]:
    """Remove the recording that `writer` has begun if it does not come to anything."""
    try:
        yield
    except BaseException:
        writer.close()
        # What went wrong first is what the person should read.
        with contextlib.suppress(StorageError):
            store.remove(store.recording(str(writer.recording.id)))
        raise


async def hang_up(recorder: Recorder) -> None:
    """Close the listening sockets of a recorder that shall not run: it does so when it stops."""
    stopped = asyncio.Event()
    stopped.set()
    await recorder.run(stopped)


def _describe(job: Job) -> str:
    """The recording's settings for people; nothing in it is secret."""
    settings = job.settings
    listen = " ".join(endpoint.url for endpoint in settings.listen)
    routes = "".join(f" --route {name}={endpoint.url}" for name, endpoint in settings.routes.items())
    workers = f" --workers {job.workers}" if job.workers > 1 else ""
    literal = "" if job.max_literal is None else f" --max-literal {job.max_literal}"
    closed = " --fail-closed" if job.fail_closed else ""
    how = f"--compress {settings.compress} --scram {settings.scram}{literal}{settings.bodies.told}{workers}{closed}"
    return f"{settings.upstream.url} on {listen}{routes} {how}"
