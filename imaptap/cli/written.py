"""Files that commands write with -o: they may quote letters, so a new one is for its owner's eyes."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from imaptap.cli.errors import UserError

if TYPE_CHECKING:
    from collections.abc import Generator

    from storage import Store


@contextlib.contextmanager
def written_file(output: Path, store: Store) -> Generator[BinaryIO, None, None]:
    """The file `output`, opened anew. Raises UserError where it cannot be, or is the database itself."""
    if output.exists() and Path(store.where).exists() and output.samefile(store.where):
        raise UserError(f"{output} is the database itself.", "Name another file.")
    try:
        # A file that is there keeps its mode.
        with open(output, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            yield file
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UserError(f"The file {output} cannot be written: {reason}.", "Name another one.") from error
