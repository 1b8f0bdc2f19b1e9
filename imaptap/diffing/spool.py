"""Entries on their way from those who compare to the report: in files of a folder that is its owner's alone."""

from __future__ import annotations

import contextlib
import pickle
import tempfile
from typing import TYPE_CHECKING, BinaryIO, cast

from storage import StorageError

if TYPE_CHECKING:
    from collections.abc import Generator, Iterator
    from pathlib import Path

    from storage.diff.report.values import Entry

BATCH = 200


@contextlib.contextmanager
def room() -> Generator[None, None, None]:
    """Raises StorageError where temporary files cannot be made or written: a full disk is nobody's fault."""
    try:
        yield
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise StorageError(
            f"The report cannot be put together in the folder for temporary files: {reason}.",
            "Make room there, or name another folder in TMPDIR.",
        ) from error


def folder() -> tempfile.TemporaryDirectory[str]:
    """A folder for them. Raises StorageError."""
    with room():
        return tempfile.TemporaryDirectory(prefix="imaptap-diff-")


class Spool:
    """Writes entries of one pair of sessions after another. Raises StorageError where there is no room for them."""

    def __init__(self, path: Path) -> None:
        with room():
            self._file: BinaryIO = path.open("wb")
        self._batch: list[Entry] = []

    def begin(self) -> int:
        """Where the next pair of sessions begins."""
        self._flush()
        return self._file.tell()

    def add(self, entry: Entry) -> None:
        """An entry of it."""
        self._batch.append(entry)
        if len(self._batch) >= BATCH:
            self._flush()

    def end(self) -> None:
        """The pair is over."""
        self._flush()
        with room():
            pickle.dump([], self._file, pickle.HIGHEST_PROTOCOL)

    def close(self) -> None:
        """Nothing more comes."""
        with room():
            self._file.close()

    def _flush(self) -> None:
        if self._batch:
            with room():
                pickle.dump(self._batch, self._file, pickle.HIGHEST_PROTOCOL)
            self._batch = []


def entries(path: Path, start: int) -> Iterator[Entry]:
    """The entries of one pair of sessions."""
    with path.open("rb") as file:
        file.seek(start)
        # Nobody else can write there.
        while batch := cast("list[Entry]", pickle.load(file)):  # noqa: S301
            yield from batch
