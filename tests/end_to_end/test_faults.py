"""The database fails under `imaptap record`: what becomes of traffic and record, what is told, the exit code.

Each row of the two tables is a recorder of its own. They take their time, mostly waiting, so they run side by side.
"""

from __future__ import annotations

import signal
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Self

import pytest

from proxy.imap.transcript import Direction, Ending, EventKind, Outcome
from storage import Check, Session, Store, open_store
from tests.servers import faults
from tests.servers.faults import Fault
from tests.servers.recorder import Recorder
from tests.servers.steady import BYE, Steady, letters
from tests.servers.wait import until

if TYPE_CHECKING:
    from collections.abc import Iterator

    from tests.servers.postgresql import PostgreSQL

LISTEN = ("--listen", "imaps://127.0.0.1:0", "--listen", "imap+insecure://127.0.0.1:0")
AT_ONCE = 4
"""How many recorders at a time."""
GOES_ON, STANDS, ENDED = "Traffic goes on UNRECORDED: ", "Traffic stands still, since recording is held up: ", "ENDED"
WORKS = "Recording works again; "

Makes = Callable[[Path], AbstractContextManager[Fault]]


class Scene:
    """A recorder with a fault to come, and what it says."""

    def __init__(self, folder: Path, fault: Fault, *words: str, code: int = 0) -> None:
        self.fault, self.folder = fault, folder
        self._words, self._code = words, code

    def __enter__(self) -> Self:
        self._letters = letters()
        upstream = f"imap+insecure://127.0.0.1:{self._letters.__enter__()}"
        self.recorder = Recorder(self.folder, upstream, *LISTEN, *self._words, db=self.fault.db, code=self._code)
        self.recorder.__enter__()
        return self

    def __exit__(self, kind: type[BaseException] | None, *rest: object) -> None:
        try:
            self.recorder.__exit__(kind, *rest)
        finally:
            self._letters.__exit__(None, None, None)

    def client(self) -> Steady:
        """One that is logged in."""
        return Steady(self.recorder.port("implicit"), self.recorder.ca).logged_in()

    def strike(self) -> None:
        self.fault.strike(self.recorder.process.pid)

    def said(self) -> str:
        return (self.folder / "stderr.log").read_text()

    def until_said(self, words: str, also: Callable[[], object] = lambda: True) -> str:
        """Wait for the line with these words, doing something meanwhile; that line."""
        until(lambda: also() and words in self.said(), f"{words!r} to be said", seconds=60, explain=self.said)
        return next(line for line in self.said().splitlines() if words in line)

    def written(self, *clients: Steady) -> None:
        """Wait until all that these clients, all that there are, have finished is in the database."""

        def probe() -> bool:
            with open_store(self.fault.db, create=False) as store:
                done = [each for each in every_exchange(store) if each is Outcome.COMPLETED]
            return len(done) >= sum(client.finished + 1 for client in clients)  # and their LOGINs

        until(probe, "exchanges on disk", explain=self.said)


def every_exchange(store: Store) -> list[Outcome]:
    """The outcomes of all exchanges."""
    sessions = [session for recording in store.recordings() for session in store.sessions(recording)]
    return [stored.exchange.outcome for session in sessions for stored in store.exchanges(session)]


def stream(store: Store, session: Session, direction: Direction, length: int) -> bytes:
    """A stream with its holes, which the session's gap events must tell of exactly, filled with NUL."""
    data = bytearray(length)
    told = [e for e in store.events(session, EventKind.GAP) if e.direction is direction]
    for event in told:
        assert event.offset is not None
        assert event.length is not None
    ends = sorted({0, length, *((e.offset or 0) + (e.length or 0) for e in told)})
    del ends[-1]
    starts = [*sorted(e.offset or 0 for e in told), length]
    for start, end in zip(ends, starts, strict=True):
        data[start:end] = b"".join(store.stream(session, direction, start, end))
    return bytes(data)


def agrees(stored: bytes, said: bytes | bytearray) -> int:
    """Both are the same but for the holes; how many bytes these have."""
    assert len(stored) == len(said)
    assert all(a == b for a, b in zip(stored, said, strict=True) if a)
    return stored.count(0)


# --- traffic goes on --------------------------------------------------------------------------------------------------


def goes_on(makes: Makes, folder: Path, outage: float, *words: str) -> None:
    """Not a byte of the traffic is late or wrong; what was not recorded is told, at once and in the record."""
    with makes(folder) as fault, Scene(folder, fault, *words, code=1) as scene, scene.client() as client:
        for _ in range(3):
            client.fetch()
        scene.written(client)
        scene.strike()
        began = time.monotonic()
        line = scene.until_said("Recording is held up: ", client.fetch)
        line += scene.until_said(GOES_ON, client.fetch)
        assert fault.words in line
        for _ in range(20):
            client.fetch()
        until(
            lambda: client.fetch() and time.monotonic() > began + outage, "the outage to be over", seconds=outage + 60
        )
        fault.mend()
        if not fault.lost:
            assert WORKS in scene.until_said(" were not recorded: ", client.fetch)
        for _ in range(3):
            client.fetch()
        client.logout()
        assert scene.recorder.stop() == 1
        assert "Not everything could be recorded." in scene.said()
        if fault.lost:
            assert "Recording ended in failure: " in scene.said()
            return
        verify_with_gap(fault.db, client)


def verify_with_gap(db: str, client: Steady) -> None:
    with open_store(db, create=False) as store:
        assert list(Check(store).findings()) == []
        recording = store.recording("last")
        assert recording.ended
        assert list(store.recording_events(recording, EventKind.GAP))
        [session] = store.sessions(recording)
        assert session.ending is Ending.SERVER
        assert (session.client_bytes, session.server_bytes) == (len(client.sent), len(client.received))
        said = {Direction.CLIENT: client.sent, Direction.SERVER: client.received}
        holes = [agrees(stream(store, session, side, len(words)), words) for side, words in said.items()]
        assert all(holes)
        outcomes = [stored.exchange.outcome for stored in store.exchanges(session)]
        assert outcomes[:4] == [Outcome.COMPLETED] * 4
        assert outcomes[-4:] == [Outcome.COMPLETED] * 4
        assert len(outcomes) <= client.finished + 2 - 20, "LOGIN and LOGOUT, but not the twenty"


# --- --fail-closed ----------------------------------------------------------------------------------------------------


class Fetching:
    """A client that does nothing but fetch, in a thread of its own, until it is told to stop or its session ends."""

    def __init__(self, client: Steady) -> None:
        self.client = client
        self.enough = threading.Event()
        self.last_words: Future[bytes] = Future()
        self._thread = threading.Thread(target=self._run, name="fetching")
        self._thread.start()

    def _run(self) -> None:
        try:
            self.last_words.set_result(self.client.fetch_until(self.enough.is_set))
        except BaseException as error:  # noqa: BLE001 - whoever waits for it gets it
            self.last_words.set_exception(error)

    def stop(self) -> None:
        """After the exchange under way."""
        self.enough.set()
        assert self.last_words.result(60) == b""
        self._thread.join()


def stands_still(makes: Makes, folder: Path, outage: float, *words: str) -> None:
    """Traffic waits, then goes on from where it was; all of it is recorded, and the exit code is 0."""
    with makes(folder) as fault, Scene(folder, fault, "--fail-closed", *words) as scene, scene.client() as client:
        client.fetch()
        scene.written(client)
        fetching = Fetching(client)
        scene.strike()
        began = time.monotonic()
        scene.until_said(STANDS)
        # Who waits for an answer now will have none before it can be recorded; who comes now is not let in.
        finished = client.finished
        newcomer = Steady(scene.recorder.port("plain"), None)
        until(lambda: time.monotonic() > began + outage, "the outage to be over", seconds=outage + 60)
        assert client.finished <= finished + 1
        # Another worker lets it in, and finds out by that.
        assert words or not newcomer.hears_something
        fault.mend()
        scene.until_said(WORKS + "nothing was lost.")
        until(lambda: client.finished > finished + 3, "traffic to go on", explain=scene.said)
        fetching.stop()
        client.logout()
        with newcomer.logged_in():
            newcomer.fetch()
            newcomer.logout()
        assert scene.recorder.stop() == 0
        assert ENDED not in scene.said()
        verify_whole(fault.db, client, newcomer)


def verify_whole(db: str, *clients: Steady) -> None:
    """All that went by is there, and why it was late."""
    with open_store(db, create=False) as store:
        assert list(Check(store).findings()) == []
        recording = store.recording("last")
        assert recording.ended
        assert recording.settings.endswith(" --fail-closed")
        assert list(store.recording_events(recording, EventKind.GAP)) == []
        assert {e.name for e in store.recording_events(recording, EventKind.NOTICE)} == {"traffic stood still"}
        sessions = list(store.sessions(recording))
        assert len(sessions) == len(clients)
        for session, client in zip(sessions, clients, strict=True):
            assert b"".join(store.stream(session, Direction.CLIENT)) == client.sent
            assert b"".join(store.stream(session, Direction.SERVER)) == client.received
            assert {stored.exchange.outcome for stored in store.exchanges(session)} == {Outcome.COMPLETED}


def ends(makes: Makes, folder: Path, _: float, *words: str) -> None:
    """Sessions end with a word, the recorder ends by itself, and says how much of what went by it could not keep."""
    with (
        makes(folder) as fault,
        Scene(folder, fault, "--fail-closed", *words, code=1) as scene,
        ExitStack() as stack,
    ):
        clients = [stack.enter_context(scene.client()) for _ in range(3)]
        for client in clients:
            client.fetch()
        scene.written(*clients)
        fetching = [Fetching(client) for client in clients]
        scene.strike()
        last_words = [each.last_words.result(120) for each in fetching]
        for client, heard in zip(clients, last_words, strict=True):
            assert heard.startswith(BYE) or client.torn
        assert scene.recorder.process.wait(60) == 1
        assert scene.said().count("All sessions are ENDED, since they cannot be recorded: ") == 1
        assert fault.words in scene.until_said(ENDED)
        assert "Recording ended in failure: " in scene.said()
        assert "Worker" not in scene.said()
        assert "or sessions were ended so that nothing went unrecorded." in scene.said()
        with pytest.raises(ConnectionRefusedError):
            scene.client()
        fault.mend()
        if not fault.lost:
            verify_cut(fault.db, clients)


def verify_cut(db: str, clients: list[Steady]) -> None:
    """What was recorded until then is sound; what is missing is the last of it."""
    with open_store(db, create=False) as store:
        store.recover()
        assert list(Check(store).findings()) == []
        sessions = list(store.sessions(store.recording("last")))
        assert len(sessions) == len(clients)
        for session, client in zip(sessions, clients, strict=True):
            assert session.ending is Ending.CUT
            for side, said in ((Direction.CLIENT, client.sent), (Direction.SERVER, client.received)):
                stored = b"".join(store.stream(session, side))
                assert stored
                assert said[: len(stored)] == stored[: len(said)]


def interrupted(makes: Makes, folder: Path, _: float, *words: str) -> None:
    """Ctrl-C while traffic stands still: it ends, within seconds, and says what is missing."""
    with makes(folder) as fault, Scene(folder, fault, "--fail-closed", *words, code=1) as scene:
        with scene.client() as client:
            client.fetch()
            scene.written(client)
            fetching = Fetching(client)
            scene.strike()
            scene.until_said(STANDS)
            scene.recorder.process.send_signal(signal.SIGINT)
            assert scene.recorder.process.wait(60) == 1
            fetching.last_words.result(60)
        assert "Recording ended in failure: " in scene.said()
        fault.mend()
        verify_cut(fault.db, [client])


# --- the tables -------------------------------------------------------------------------------------------------------

SQLITE: dict[str, Makes] = {
    "disk full": faults.disk_full,
    "files may not grow": faults.files_limited,
    "locked by another process": faults.locked,
    "moved away": faults.moved,
    "deleted": faults.deleted,
    "read-only": faults.read_only,
}
WORKERS = ("--workers", "2")


@dataclass(frozen=True)
class Row:
    """One line of a table: what is played, with which fault."""

    play: Callable[..., None]
    fault: str
    words: tuple[str, ...] = ()

    def __str__(self) -> str:
        return " ".join((self.play.__name__.replace("_", " "), "-", self.fault, *self.words))


GONE, READ_ONLY = "PostgreSQL gone", "PostgreSQL read-only"
ROWS = [
    *(Row(goes_on, name) for name in (*SQLITE, GONE)),
    Row(goes_on, "locked by another process", WORKERS),
    *(Row(stands_still, name) for name in ("disk full", "locked by another process", GONE, READ_ONLY)),
    Row(stands_still, "locked by another process", WORKERS),
    *(Row(ends, name) for name in ("moved away", "deleted", "read-only")),
    Row(ends, "moved away", WORKERS),
    Row(interrupted, "locked by another process"),
    Row(interrupted, "locked by another process", WORKERS),
]
LONG = [
    Row(goes_on, READ_ONLY),
    Row(stands_still, "files may not grow"),
    Row(ends, "locked by another process"),
    Row(ends, "disk full", WORKERS),
]
"""Those that come with --soak only: it takes a minute until traffic that stands still is made to end."""


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """The rows of this run."""
    if "row" in metafunc.fixturenames:
        metafunc.parametrize("row", [*ROWS, *(LONG if metafunc.config.getoption("soak") else [])], ids=str)


@pytest.fixture(scope="module")
def played(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, soak: bool
) -> Iterator[dict[str, Future[None]]]:
    """All rows that this run asks for, under way."""
    items = [item for item in request.session.items if item.path == request.path]
    asked = [item.callspec.params["row"] for item in items if isinstance(item, pytest.Function)]
    makes = dict(SQLITE)
    if any(row.fault in {GONE, READ_ONLY} for row in asked):
        server: PostgreSQL = request.getfixturevalue("postgresql")
        turn = threading.Lock()
        makes[GONE] = partial(in_turn, turn, partial(faults.server_gone, server))
        makes[READ_ONLY] = partial(in_turn, turn, partial(faults.server_read_only, server))
    outage = 30.0 if soak else 0.0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        yield {
            str(row): pool.submit(row.play, makes[row.fault], tmp_path_factory.mktemp("row"), outage, *row.words)
            for row in asked
        }


@contextmanager
def in_turn(turn: threading.Lock, make: Callable[[], AbstractContextManager[Fault]], _: Path) -> Iterator[Fault]:
    """A fault of the whole server: one after the other."""
    with turn, make() as fault:
        yield fault


@pytest.mark.timeout(900)
def test_the_database_fails(played: dict[str, Future[None]], row: Row) -> None:
    played[str(row)].result()
