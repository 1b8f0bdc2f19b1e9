"""SQLite files, before and around SQLite: whether a file is ours, making one, copying one.

Nothing here opens a file for writing, or lets SQLite near it, before its first bytes have said that it is ours.
"""

from __future__ import annotations

import contextlib
import enum
import os
import sqlite3
import stat
from typing import TYPE_CHECKING, Final

from storage import newest
from storage.engine import APPLICATION_ID, PAGE_SIZE, UNMANAGED, sqlite_engine
from storage.errors import NotOursError, StorageError

if TYPE_CHECKING:
    from pathlib import Path

_MAGIC: Final = b"SQLite format 3\x00"
_HEADER_BYTES: Final = 100
_APPLICATION_ID_AT: Final = 68


class Found(enum.Enum):
    """What lies at a path."""

    NOTHING = enum.auto()
    EMPTY = enum.auto()
    OURS = enum.auto()


def look(path: Path) -> Found:
    """What lies at `path`; only reads. Raises StorageError where something lies that is not ours, OSError as usual."""
    try:
        mode = path.stat().st_mode
    except FileNotFoundError:
        return Found.NOTHING
    if not stat.S_ISREG(mode):
        what = "a folder" if stat.S_ISDIR(mode) else "not a regular file"
        raise StorageError(f"{path} is {what}, not a database.", "Give the name of a file.")
    with path.open("rb") as file:
        header = file.read(_HEADER_BYTES)
    if not header:
        return Found.EMPTY
    _need_ours(path, header)
    return Found.OURS


def need_folder(path: Path) -> None:
    """Raise StorageError unless the folder that is to hold `path` is there."""
    if not path.parent.is_dir():
        raise StorageError(f"The folder {path.parent} does not exist.", f"Make it first: mkdir -p {path.parent}")


def _need_ours(path: Path, header: bytes) -> None:
    hint = "It was not touched. Give another file name with --db."
    if not header.startswith(_MAGIC):
        raise NotOursError(f"{path} is not an imaptap database: it is no SQLite file at all.", hint)
    application = int.from_bytes(header[_APPLICATION_ID_AT : _APPLICATION_ID_AT + 4], "big")
    if application != APPLICATION_ID:
        raise NotOursError(f"{path} is a SQLite file of another program, not an imaptap database.", hint)


def access_mode(path: Path) -> str:
    """How we may open our file: "rw", "ro", or "immutable" (nobody can be writing it). Raises StorageError."""
    folder_writable = os.access(path.parent, os.W_OK)
    if not os.access(path, os.R_OK):
        raise StorageError(f"{path} may not be read by this user.", "Become its owner, or ask for a copy.")
    if folder_writable:
        return "rw" if os.access(path, os.W_OK) else "ro"
    wal = path.with_name(path.name + "-wal")
    if not wal.exists() or wal.stat().st_size == 0:
        return "immutable"
    if path.with_name(path.name + "-shm").exists():
        return "ro"
    raise StorageError(
        f"{path} lies in a read-only folder and has changes waiting in {wal.name}.",
        f"Copy {path.name} and {wal.name} to a folder of your own and open the copy.",
    )


def create(path: Path, *, replace: bool) -> None:
    """Make a new database at `path`, readable by its owner only, in one step: nobody ever sees half of it.

    Where another program makes one at the same moment, theirs stays. `replace` puts it in place of an empty file.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.new")
    os.close(os.open(temporary, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    try:
        _fill(temporary)
        if replace:
            temporary.replace(path)
        else:
            _put(temporary, path)
    finally:
        for leftover in ("", "-journal", "-wal", "-shm"):
            temporary.with_name(temporary.name + leftover).unlink(missing_ok=True)


def _fill(path: Path) -> None:
    engine = sqlite_engine(path, mode="rw")
    try:
        with engine.connect().execution_options(**UNMANAGED) as connection:
            connection.exec_driver_sql(f"PRAGMA page_size = {PAGE_SIZE}")
            connection.exec_driver_sql("PRAGMA auto_vacuum = INCREMENTAL")
            connection.exec_driver_sql(f"PRAGMA application_id = {APPLICATION_ID}")
        newest.make(engine)
        with engine.connect().execution_options(**UNMANAGED) as connection:
            connection.exec_driver_sql("PRAGMA journal_mode = WAL")
    finally:
        engine.dispose()


def _put(temporary: Path, path: Path) -> None:
    try:
        path.hardlink_to(temporary)
    except FileExistsError:
        return
    except OSError:  # a file system without hard links
        temporary.rename(path)


def back_up(path: Path, before: str) -> Path:
    """Copy the database beside itself, before its schema becomes revision `before`. The copy's path."""
    stem = f"{path.name}.before-{before}"
    names = (f"{stem}.backup", *(f"{stem}-{count}.backup" for count in range(2, 1000)))
    target = next(p for p in map(path.with_name, names) if not p.exists())
    os.close(os.open(target, os.O_CREAT | os.O_EXCL | os.O_RDWR, 0o600))
    try:
        with contextlib.closing(sqlite3.connect(path)) as old, contextlib.closing(sqlite3.connect(target)) as new:
            old.backup(new)
    except BaseException:
        target.unlink()
        raise
    return target
