"""The command that a client is saying, as it says it: a server may have to hear it again, whatever its size."""

from __future__ import annotations

import contextlib
import io
import tempfile
from typing import IO, TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

_IN_MEMORY = 1 << 20
_MOST = 256 << 20
_PART = 64 * 1024


class Spool:
    """Keeps the bytes of one command. What is long is a letter, and lies in a file that has no name."""

    def __init__(self) -> None:
        self._file: IO[bytes] = io.BytesIO()
        self._size = 0
        self.whole = True
        """Whether all of the command is here: of a very long one it is not."""

    def take(self, data: bytes) -> None:
        """More of the command has come."""
        size = self._size + len(data)
        self.whole = self.whole and size <= _MOST
        if not self.whole:
            return
        try:
            if self._size <= _IN_MEMORY < size:
                began = self._file
                self._file = tempfile.TemporaryFile()  # noqa: SIM115 - it is closed when the next command begins
                self._file.writelines(_parts(began, 0, self._size))
            self._file.write(data)
            self._file.flush()
        except OSError:  # the disk is full: no server can be asked this, but the recording may know it
            self.clear()
            self.whole = False
        else:
            self._size = size

    def skip(self) -> None:
        """More has come that is not to be kept."""
        self.whole = False

    def clear(self) -> None:
        """Forget all of it: another one begins, or none."""
        if self._size:
            with contextlib.suppress(OSError):  # it says again that the disk is full
                self._file.close()
            self._file = io.BytesIO()
        self._size, self.whole = 0, True

    def parts(self, start: int, end: int) -> Iterator[bytes]:
        """The bytes from `start` up to `end`, which all have been taken."""
        return _parts(self._file, start, end)


def _parts(file: IO[bytes], start: int, end: int) -> Iterator[bytes]:
    file.seek(start)
    while start < end and (data := file.read(min(_PART, end - start))):
        start += len(data)
        yield data
