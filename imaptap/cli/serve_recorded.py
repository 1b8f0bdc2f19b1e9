"""What `imaptap serve` has recorded, put in its place: a new recording or cassette, or sessions that are added to one.

Nothing of it is lost where that cannot be done: then it is said where it is.
"""

from __future__ import annotations

import contextlib
import itertools
import shlex
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from imaptap.cli.address import find_recording
from imaptap.cli.cassettes import unused_name
from imaptap.cli.errors import INTERRUPTED, NO, UNUSABLE, UserError
from imaptap.cli.written import written_file, written_path
from proxy.imap.transcript import Ending
from storage import StorageError, open_store, rename_recording
from storage.cassette import check_cassette, export_cassette, export_more

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from imaptap.cli.serve_modes import Course
    from imaptap.cli.serve_options import ServeOptions
    from storage import Recording, Session, Store


@dataclass
class Anew:
    """Where to record, and under which name (None: any). `whole` is to be told when all that was said is there."""

    db: str
    name: str | None = None
    whole: bool = False


@contextlib.contextmanager
def recorded_anew(options: ServeOptions, found: Course) -> Generator[Anew, None, None]:
    """Where to record; what is there afterwards takes the place of what was.

    Raises UserError where what was recorded is not whole: then what was there stays, and the new has another name.
    """
    if found.file is not None:
        with _cassette_anew(found.file, strict=found.there) as anew:
            yield anew
        return
    with open_store(options.db, create=True) as store:
        old = find_recording(store, options.address) if found.there else None
        if old and old.live:
            raise UserError(f"{options.address!r} is still being recorded.", "Stop its recorder first.")
        called = old.name if old else options.address
        anew = Anew(options.db, unused_name(store, f"{called}-new"))
    yield anew
    with open_store(options.db, create=False) as store:
        new = store.recording(anew.name or "last")
        if why := _half(store, new, anew, strict=found.there):
            raise UserError(f"{why}, so this run is {new.name!r}, and not {called!r}.", "Run it again.", NO)
        if old:
            store.replace(store.recording(str(old.id)), new)
        else:
            rename_recording(store, new, called)


@contextlib.contextmanager
def _cassette_anew(file: Path, *, strict: bool) -> Generator[Anew, None, None]:
    folder = Path(tempfile.mkdtemp(prefix="imaptap-"))
    anew = Anew(str(folder / "new.db"))
    kept = False
    try:
        try:
            yield anew
        except BaseException as error:
            kept = _worth_keeping(anew.db)
            if kept and isinstance(error, (UserError, StorageError, KeyboardInterrupt)):
                raise _left_behind(file, anew.db, error) from error
            raise
        try:
            half = _written(anew, file, strict=strict)
        except BaseException as error:
            kept = True
            if isinstance(error, (UserError, StorageError, KeyboardInterrupt)):
                raise _left_behind(file, anew.db, error) from error
            raise
        if half:
            raise half
    finally:
        if not kept:
            shutil.rmtree(folder, ignore_errors=True)


def _worth_keeping(db: str) -> bool:
    """Whether a run that was cut short has recorded anything: it may be all there will ever be."""
    # Not by bytes: a session that has not ended has none counted.
    with contextlib.suppress(StorageError), open_store(db, create=False) as store:
        return any(True for _ in store.sessions(store.recording("last")))
    return False


def _written(anew: Anew, file: Path, *, strict: bool) -> UserError | None:
    """Write the cassette; where it is not whole, beside its place, or not at all. Returns what is to be said then."""
    with open_store(anew.db, create=False) as store:
        recording = store.recording("last")
        half = _half(store, recording, anew, strict=strict)
        if half and not _said(store, recording):
            return UserError(f"{half}, so {file} was not written.", "Run it again.", NO)
        place = unused_file(file) if half else file
        with written_file(place, store) as new:
            export_cassette(store, recording, lambda text: new.write(text.encode()))
    return UserError(f"{half}, so this run is {place}, and not {file}.", "Run it again.", NO) if half else None


def _left_behind(file: Path, db: str, error: BaseException) -> UserError:
    stopped = isinstance(error, KeyboardInterrupt)
    why = f"{file} was not written: this was interrupted." if stopped else str(error)
    return UserError(
        f"{why} What was recorded is in {db}.",
        f"To have it written: imaptap export last --db {shlex.quote(db)} --format cassette -o FILE",
        INTERRUPTED if stopped else getattr(error, "exit_code", UNUSABLE),
    )


def _half(store: Store, recording: Recording, anew: Anew, *, strict: bool) -> str:
    """Why a recording is not whole, if so. `strict`: also if a session failed, since something else would be lost."""
    if not _said(store, recording):
        return "No server has said anything"
    if not anew.whole:
        return "Not everything could be recorded"
    failed = (each for each in store.sessions(recording) if strict and each.ending is Ending.FAILED)
    return next((f"Session {each.number} failed ({(each.reason or '').rstrip('.')})" for each in failed), "")


def _said(store: Store, recording: Recording) -> bool:
    # A session that has not ended, since its end could not be recorded, has no bytes counted.
    return any(each.server_bytes or each.ending is None for each in store.sessions(recording))


def unused_file(file: Path) -> Path:
    """A name like this one, for what may not take its place."""
    names = (f"{file.stem}-new{f'-{count}' if count > 1 else ''}{file.suffix}" for count in itertools.count(1))
    return next(each for name in names if not (each := file.with_name(name)).exists())


def add(store: Store, recording: Recording, run: Recording, numbers: Sequence[int], file: Path | None) -> list[int]:
    """Add these sessions of a run to the recording that was served, and remove what is left of the run.

    Returns their new numbers. A cassette `file` gets them behind what is there. Raises UserError, StorageError.
    """
    recording, run = (store.recording(str(each.id)) for each in (recording, run))  # as they are now
    new = store.adopt(recording, [store.session(run, number) for number in numbers]) if numbers else []
    if file is not None and new:
        try:
            _append(store, file, [store.session(recording, number) for number in new])
        except (UserError, StorageError) as error:
            raise _saved(store, recording, file, error) from error
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


def _saved(store: Store, recording: Recording, file: Path, error: UserError | StorageError) -> UserError:
    """Where all of it has been written instead, before the store goes away; and why not where it belongs."""
    code = getattr(error, "exit_code", UNUSABLE)
    for folder in (file.parent, Path(tempfile.gettempdir())):
        with contextlib.suppress(UserError, OSError):
            place = unused_file(folder / file.name)
            with written_file(place, store) as new:
                export_cassette(store, recording, lambda text: new.write(text.encode()))
            return UserError(f"{error} What it should be now is in {place}.", error.hint, code)
    return UserError(f"{error} What was asked is lost.", error.hint, code)
