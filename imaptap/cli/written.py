"""Files and folders that commands write with -o: they may quote letters, so new ones are for their owner's eyes.

They are written beside their place, in a folder that only their owner can enter, and put there when they are whole:
what fails or is interrupted leaves nothing, and what was there before stays. But what ends at a hole of the recording
is as whole as it can be, and stays.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import stat
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, BinaryIO

from imaptap.cli.errors import UserError
from storage.errors import GapError

if TYPE_CHECKING:
    from collections.abc import Generator

    from storage import Store


@contextlib.contextmanager
def written_file(output: Path, store: Store) -> Generator[BinaryIO, None, None]:
    """The file `output`, opened anew. Raises UserError where it cannot be, or is the database itself."""
    if output.exists() and not output.is_file() and not output.is_dir():  # a pipe or a device: nothing to replace
        with _in_words(f"The file {output}"), output.open("wb") as file:
            yield file
        return
    with written_path(output, store) as path, _opened(path) as file:
        yield file


@contextlib.contextmanager
def written_path(output: Path, store: Store) -> Generator[Path, None, None]:
    """Where to write what shall be the file `output`. Raises UserError as `written_file` does."""
    if output.is_dir():
        raise UserError(f"{output} is a folder.", "Name a file in it, or another one.")
    if output.exists() and Path(store.where).exists() and output.samefile(store.where):
        raise UserError(f"{output} is the database itself.", "Name another file.")
    with _in_words(f"The file {output}"), _beside(output) as path:
        yield path


@contextlib.contextmanager
def written_folder(output: Path) -> Generator[Path, None, None]:
    """Where to write what shall be in the folder `output`. Raises UserError where there is something in it already."""
    if output.exists() and not output.is_dir():
        raise UserError(f"{output} is a file.", "Name a folder that is empty, or not there yet.")
    with _in_words(f"The folder {output}"):
        if output.is_dir() and next(output.iterdir(), None) is not None:
            raise UserError(f"The folder {output} is not empty.", "Name one that is empty, or not there yet.")
        with _beside(output) as path:
            path.mkdir(mode=0o700)
            yield path


def need_place(file: Path) -> None:
    """Raise UserError for a file that could not be replaced: said before the work begins that ends with that."""
    folder = file.absolute().parent
    if not folder.is_dir():
        raise _unwritable(f"The file {file}", f"there is no folder {folder}")
    if file.is_dir() or not os.access(folder, os.W_OK | os.X_OK):
        raise _unwritable(f"The file {file}", "is a folder" if file.is_dir() else f"nothing may be put into {folder}")


@contextlib.contextmanager
def _beside(output: Path) -> Generator[Path, None, None]:
    """A path near this one, which takes its place in the end, and its mode, if it was there."""
    target = output.resolve()  # a link to it stays one
    folder = Path(tempfile.mkdtemp(prefix=".imaptap-", suffix=".part", dir=target.parent))
    path = folder / "new"
    try:
        try:
            yield path
        except GapError:
            _put(path, target)
            raise
        _put(path, target)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def _put(path: Path, target: Path) -> None:
    if target.exists():
        path.chmod(stat.S_IMODE(target.stat().st_mode))
    path.replace(target)


@contextlib.contextmanager
def _opened(path: Path) -> Generator[BinaryIO, None, None]:
    with open(path, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
        yield file


@contextlib.contextmanager
def _in_words(what: str) -> Generator[None, None, None]:
    try:
        yield
    except OSError as error:
        raise _unwritable(what, (error.strerror or str(error)).lower()) from error


def _unwritable(what: str, reason: str) -> UserError:
    return UserError(f"{what} cannot be written: {reason}.", "Name another one.")
