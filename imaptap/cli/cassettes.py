"""Cassettes in place of recordings: a file that a command is given is read into a store that goes away afterwards."""

from __future__ import annotations

import contextlib
import itertools
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from imaptap.cli.address import find_recording, is_file
from imaptap.cli.errors import UserError
from storage import StorageError, open_store
from storage.cassette import copy_recording, import_cassette, is_cassette

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence

    from storage import Recording, Store

_LEVELS = 2
"""An address may go on behind the file: /SESSION/EXCHANGE."""


@contextlib.contextmanager
def opened(db: str, address: str) -> Generator[tuple[Store, str], None, None]:
    """The store that has what `address` names, and its address there.

    That is the store at `db`, unless `address` (up to /SESSION/EXCHANGE) is the path of a cassette. Raises UserError,
    also where the cassette is wrong; StorageError.
    """
    found = cassette(address)
    if found is None:
        with open_store(db, create=False) as store:
            yield store, address
        return
    with temporary() as store:
        yield store, _imported(store, *found)


@contextlib.contextmanager
def opened_together(db: str, addresses: Sequence[str]) -> Generator[tuple[Store, str, list[str]], None, None]:
    """One store that has what all of these addresses name, where it is, and their addresses there.

    Where one of them is a cassette, recordings of the store at `db` are copied beside it. Raises as `opened`.
    """
    found = [cassette(address) for address in addresses]
    if not any(found):
        with open_store(db, create=False) as store:
            yield store, db, list(addresses)
        return
    with temporary() as store:
        there = [
            _copied(db, address, store) if place is None else _imported(store, *place)
            for address, place in zip(addresses, found, strict=True)
        ]
        yield store, store.where, there


def _imported(store: Store, path: Path, rest: str) -> str:
    with named_in_errors(path):
        return f"{read_into(store, path, unused_name(store, name_of(path) or 'cassette')).id}{rest}"


def _copied(db: str, address: str, store: Store) -> str:
    """The address in `store` of a copy of the recording that `address` is about."""
    head, slash, rest = address.partition("/")
    with open_store(db, create=False) as source:
        recording = find_recording(source, head)
        return f"{copy_recording(source, recording, store, unused_name(store, recording.name)).id}{slash}{rest}"


def unused_name(store: Store, name: str) -> str:
    """This name, or one like it that no recording has."""
    taken = {recording.name for recording in store.recordings()}
    return next(
        each for count in itertools.count(1) if (each := name if count == 1 else f"{name}-{count}") not in taken
    )


def cassette(address: str) -> tuple[Path, str] | None:
    """The cassette that an address names, and what stands behind it; None where it names none."""
    head, rest = address, ""
    for _ in range(_LEVELS + 1):
        if is_file(head):
            with opened_file(Path(head)) as file:
                return (Path(head), rest) if is_cassette(file) else None
        head, slash, level = head.rpartition("/")
        rest = f"{slash}{level}{rest}"
    return None


def read_into(store: Store, path: Path, name: str | None = None) -> Recording:
    """Read a cassette into a store, by default with the name of its file, where that can be one."""
    with opened_file(path) as file:
        return import_cassette(store, file, name or name_of(path))


def name_of(path: Path) -> str | None:
    """The file's name without its ending, where a recording can be called so."""
    stem = path.stem
    possible = bool(stem.strip()) and stem.isprintable() and not stem.isdecimal() and stem != "last"
    return stem if possible else None


@contextlib.contextmanager
def opened_file(path: Path) -> Generator[BinaryIO, None, None]:
    """The file, to be read as often as needed. Raises UserError where it cannot be: a pipe gives its bytes once."""
    try:
        with path.open("rb") as file:
            if not file.seekable():
                raise UserError(f"{path} is a pipe, which can be read only once.", "Write it to a file, and name that.")
            yield file
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UserError(f"The file {path} cannot be read: {reason}.", "Check its name and its permissions.") from error


@contextlib.contextmanager
def named_in_errors(path: Path) -> Generator[None, None, None]:
    """Say of which file it is when reading it fails: there may be several on the command line."""
    try:
        yield
    except StorageError as error:
        raise UserError(f"{path}: {error}", error.hint) from error


@contextlib.contextmanager
def temporary() -> Generator[Store, None, None]:
    """A store for as long as somebody looks; its folder is its owner's only."""
    with (
        tempfile.TemporaryDirectory(prefix="imaptap-") as folder,
        open_store(Path(folder) / "cassette.db", create=True) as store,
    ):
        yield store
