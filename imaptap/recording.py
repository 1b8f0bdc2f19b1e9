"""One recording from start to stop: store, writer, listeners. `imaptap record` and `imaptap demo` both run this."""

from __future__ import annotations

import asyncio
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
from storage import Recording, Writer, open_store

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

    def __init__(self, writer: Writer, hear: Hear) -> None:
        self._writer = writer
        self._hear = hear

    def put(self, record: Record) -> None:
        self._writer.put(record)
        self._hear(record)

    @property
    def full(self) -> bool:
        return self._writer.full

    def when_drained(self, callback: Callable[[], None]) -> None:
        self._writer.when_drained(callback)


async def run(job: Job, stop: asyncio.Event, ready: Callable[[Ready], None], hear: Hear, tell: Tell) -> bool:
    """Record until `stop` is set. Returns whether everything was recorded.

    `ready` is called once clients may connect, `hear` with every record, `tell` with a sentence and a hint for the
    person (from any thread). Raises StorageError, CertificateError or LiveError when it cannot begin.
    """
    with open_store(job.db, create=True) as store:
        writer = Writer(store, job.name, version=__version__, settings=_describe(job.settings), on_trouble=tell)
        try:
            recorder = Recorder(job.settings, job.authority, _Ears(writer, hear), tell, job.own_leaves)
            listen = recorder.listen()
            ready(Ready(writer.recording, listen, job.authority.certificate_file, store.where))
            await recorder.run(stop)
        finally:
            # Waits for the disk: nothing else is left to be done by then.
            await asyncio.to_thread(writer.close)
        return not writer.failed


def _describe(settings: Settings) -> str:
    """The recording's settings for people; nothing in it is secret."""
    listen = " ".join(endpoint.url for endpoint in settings.listen)
    routes = "".join(f" --route {name}={endpoint.url}" for name, endpoint in settings.routes.items())
    return f"{settings.upstream.url} on {listen}{routes} --compress {settings.compress} --scram {settings.scram}"
