"""`imaptap serve --mode`: which of them serves, which records, and what becomes of what was recorded."""

from __future__ import annotations

import contextlib
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from imaptap.cli.address import find_recording
from imaptap.cli.cassettes import cassette, unused_name
from imaptap.cli.errors import NO, UserError
from imaptap.cli.serve_options import Mode
from imaptap.cli.trust_options import trust
from imaptap.cli.written import need_place, written_file, written_path
from proxy.imap.transcript import Ending
from proxy.live.admission import parse_network
from proxy.live.endpoint import parse_listen, parse_upstream
from proxy.live.settings import Settings
from storage import StorageError, database_file, need_name, open_store, rename_recording
from storage.cassette import check_cassette, export_cassette, export_more

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from imaptap.cli.serve_options import ServeOptions
    from storage import Recording, Session, Store

_CASSETTE = ".cassette"
_SERVING = (Mode.NONE, Mode.SPY)
"""They need a RECORDING, and say so where there is none when they look for it."""


@dataclass(frozen=True, slots=True)
class Course:
    """What a run does. `file` is the cassette that is served or recorded, where it is one, and `there` whether it is.

    `upstream` is how the server is reached, None where no mode asks for one.
    """

    mode: Mode
    file: Path | None
    there: bool
    upstream: Settings | None

    @property
    def records(self) -> bool:
        """Whether all comes from the server, and is recorded."""
        return self.mode is Mode.ALL or (not self.there and self.mode in {Mode.ONCE, Mode.NEW})

    @property
    def adds(self) -> bool:
        """Whether what is new is added to what is served."""
        return self.mode is Mode.NEW and not self.records

    @property
    def asks(self) -> bool:
        """Whether a server is asked what is not recorded, while the rest is served."""
        return self.mode in {Mode.NEW, Mode.SPY} and not self.records


def course(options: ServeOptions) -> Course:
    """What was asked for. Raises UserError where it makes no sense, or could not be written at the end."""
    mode = Mode(options.mode)
    file, there = _place(options)
    found = Course(mode, file, there, _upstream(options))
    if mode is Mode.NONE and options.upstream is not None:
        raise UserError(
            "With --mode none no server is asked, so --upstream is of no use.", "Give --mode once, new, all or spy."
        )
    if (found.records or found.asks) and options.upstream is None:
        raise UserError(f"--mode {mode} has to ask a server, and none is given.", "Give --upstream imaps://HOST.")
    if found.records and found.there and _rest(options):
        raise UserError(f"{options.address!r} is one session, and --mode all records anew.", "Name its recording.")
    if found.records and not found.there and file is None:
        need_name(options.address)
    if file is not None and (found.records or found.adds):
        need_place(file)
    return found


def _upstream(options: ServeOptions) -> Settings | None:
    """As for clients, too: they reach the server itself where all is recorded."""
    if options.upstream is None:
        return None
    return Settings(
        upstream=parse_upstream(options.upstream),
        listen=tuple(map(parse_listen, options.listen)),
        allow=tuple(map(parse_network, options.allow)),
        trust=trust(options),
    )


def _place(options: ServeOptions) -> tuple[Path | None, bool]:
    """The cassette that the address names, if it does; and whether there is what it names."""
    found = cassette(options.address)
    if found is not None:
        return found[0], True
    file = Path(options.address)
    if file.suffix == _CASSETTE:
        if not file.exists():
            return file, False
        if options.mode not in _SERVING and not _recorded(options):
            raise UserError(f"{file} is there, and is no cassette.", "Remove it, or name another one.")
    return None, options.mode in _SERVING or _recorded(options)


def _recorded(options: ServeOptions) -> bool:
    path = database_file(options.db)
    if path is not None and not path.exists():
        return False
    with open_store(options.db, create=False) as store:
        try:
            store.recording(options.address.partition("/")[0])
        except StorageError:
            return False
    return True


def _rest(options: ServeOptions) -> str:
    known = cassette(options.address)
    return known[1] if known is not None else options.address.partition("/")[2]


# --- a new recording ------------------------------------------------------------------------------------------------


@contextlib.contextmanager
def recorded_anew(options: ServeOptions, found: Course) -> Generator[tuple[str, str | None], None, None]:
    """Where to record, and under which name (None: any); what is there afterwards takes the place of what was.

    Raises UserError where what was recorded is not whole: then what was there stays.
    """
    if found.file is not None:
        with _folder() as db:
            yield db, None
            with open_store(db, create=False) as store:
                recording = store.recording("last")
                _need_whole(store, recording, f"{found.file} was not written", strict=found.there)
                with written_file(found.file, store) as file:
                    export_cassette(store, recording, lambda text: file.write(text.encode()))
        return
    with open_store(options.db, create=True) as store:
        old = find_recording(store, options.address) if found.there else None
        if old and old.live:
            raise UserError(f"{options.address!r} is still being recorded.", "Stop its recorder first.")
        called = old.name if old else options.address
        name = unused_name(store, f"{called}-new")
    yield options.db, name
    with open_store(options.db, create=False) as store:
        new = store.recording(name)
        _need_whole(store, new, f"this run is {name!r}, and not {called!r}", strict=found.there)
        if old:
            store.replace(store.recording(str(old.id)), new)
        else:
            rename_recording(store, new, called)


@contextlib.contextmanager
def _folder() -> Generator[str, None, None]:
    with tempfile.TemporaryDirectory(prefix="imaptap-") as folder:
        yield str(Path(folder) / "new.db")


def _need_whole(store: Store, recording: Recording, otherwise: str, *, strict: bool) -> None:
    """Raise UserError where no session said anything; `strict`: or one failed, since something else would be lost."""
    sessions = list(store.sessions(recording))
    failed = next((each for each in sessions if strict and each.ending is Ending.FAILED), None)
    if failed is not None:
        raise UserError(f"Session {failed.number} failed, so {otherwise}: {failed.reason}", "Run it again.", NO)
    if not any(each.server_bytes for each in sessions):
        raise UserError(f"No server has said anything, so {otherwise}.", "Run it again.", NO)


# --- sessions that are added ----------------------------------------------------------------------------------------


def add(store: Store, recording: Recording, run: Recording, numbers: Sequence[int], file: Path | None) -> list[int]:
    """Add these sessions of a run to the recording that was served, and remove what is left of the run.

    Returns their new numbers. A cassette `file` gets them behind what is there. Raises UserError, StorageError.
    """
    recording, run = (store.recording(str(each.id)) for each in (recording, run))  # as they are now
    new = store.adopt(recording, [store.session(run, number) for number in numbers]) if numbers else []
    if file is not None and new:
        _append(store, file, [store.session(recording, number) for number in new])
    store.remove(run)
    return new


def _append(store: Store, file: Path, sessions: Sequence[Session]) -> None:
    with written_path(file, store) as path, path.open("w+b") as new:
        with file.open("rb") as old:
            last = b"\n"
            while part := old.read(1 << 20):
                new.write(part)
                last = part[-1:]
        new.write(b"" if last == b"\n" else b"\n")
        export_more(store, sessions, lambda text: new.write(text.encode()))
        new.seek(0)
        check_cassette(new)
