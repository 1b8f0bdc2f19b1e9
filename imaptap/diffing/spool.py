"""Entries on their way from those who compare to the report: in files of a folder that is its owner's alone."""

from __future__ import annotations

import pickle
from typing import TYPE_CHECKING, BinaryIO, cast

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from storage.diff.report.values import Entry

BATCH = 200


class Spool:
    """Writes entries of one pair of sessions after another."""

    def __init__(self, path: Path) -> None:
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
        pickle.dump([], self._file, pickle.HIGHEST_PROTOCOL)

    def close(self) -> None:
        """Nothing more comes."""
        self._file.close()

    def _flush(self) -> None:
        if self._batch:
            pickle.dump(self._batch, self._file, pickle.HIGHEST_PROTOCOL)
            self._batch = []


def entries(path: Path, start: int) -> Iterator[Entry]:
    """The entries of one pair of sessions."""
    with path.open("rb") as file:
        file.seek(start)
        # Nobody else can write there.
        while batch := cast("list[Entry]", pickle.load(file)):  # noqa: S301
            yield from batch
