"""One recording from start to stop: store, writer, listeners. `imaptap record` and `imaptap demo` both run this."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

from certs.authority import Authority
from certs.contexts import OwnLeaf
from imaptap import __version__
from proxy.imap.transcript import Record
from proxy.live.endpoint import Endpoint
from proxy.live.recorder import Recorder
from proxy.live.settings import Settings
from storage import Recording, StorageError, Store, Writer, open_store

Tell = Callable[[str, str], None]
Hear = Callable[[Record], None]


@dataclass(frozen=True, slots=True)
class Job:
    """What to record, and where to."""

    settings: Settings
    authority: Authority
    db: str
    name: str | None = None
    own_leaves: dict[str, OwnLeaf] = field(default_factory=dict[str, OwnLeaf])


@dataclass(frozen=True, slots=True)
class Ready:
    """What is known once clients may connect."""

    recording: Recording
    listen: tuple[Endpoint, ...]
    ca: Path
    db: str


class _Ears:
    """The sink of the live side: the writer first, then whoever wants to hear as well."""

    writer: Writer
    """There before the live side runs, but not yet when it is made: see `run`."""

    def __init__(self, hear: Hear | None) -> None:
        self._hear = hear

    def put(self, *records: Record) -> None:
        self.writer.put(*records)
        if self._hear:
            for record in records:
                self._hear(record)

    @property
    def full(self) -> bool:
        return self.writer.full

    def when_drained(self, callback: Callable[[], None]) -> None:
        self.writer.when_drained(callback)


async def run(job: Job, stop: asyncio.Event, ready: Callable[[Ready], None], hear: Hear | None, tell: Tell) -> bool:
    """Record until `stop` is set. Returns whether everything was recorded.

    `ready` is called once clients may connect, `hear` (if any) with every record, `tell` with a sentence and a hint
    for the person (from any thread). Raises StorageError, CertificateError or LiveError when it cannot begin; then, as
    when `ready` raises, no recording is left.
    """
    with open_store(job.db, create=True) as store:
        ears = _Ears(hear)
        recorder = Recorder(job.settings, job.authority, ears, tell, job.own_leaves)
        # A port that is taken must not cost an empty recording, so the recording begins behind it. Nobody is
        # accepted before `recorder.run`.
        listen = recorder.listen()
        try:
            ears.writer = writer = _begin(job, store, listen, ready, tell)
        except BaseException:
            await _hang_up(recorder)
            raise
        try:
            await recorder.run(stop)
        finally:
            # Waits for the disk: nothing else is left to be done by then.
            await asyncio.to_thread(writer.close)
        return not writer.failed


def _begin(job: Job, store: Store, listen: tuple[Endpoint, ...], ready: Callable[[Ready], None], tell: Tell) -> Writer:
    writer = Writer(store, job.name, version=__version__, settings=_describe(job.settings), on_trouble=tell)
    try:
        ready(Ready(writer.recording, listen, job.authority.certificate_file, store.where))
    except BaseException:
        writer.close()
        # What went wrong first is what the person should read.
        with contextlib.suppress(StorageError):
            store.remove(store.recording(str(writer.recording.id)))
        raise
    return writer


async def _hang_up(recorder: Recorder) -> None:
    """Close the listening sockets of a recorder that shall not run: it does so when it stops."""
    stopped = asyncio.Event()
    stopped.set()
    await recorder.run(stopped)


def _describe(settings: Settings) -> str:
    """The recording's settings for people; nothing in it is secret."""
    listen = " ".join(endpoint.url for endpoint in settings.listen)
    routes = "".join(f" --route {name}={endpoint.url}" for name, endpoint in settings.routes.items())
    return f"{settings.upstream.url} on {listen}{routes} --compress {settings.compress} --scram {settings.scram}"
