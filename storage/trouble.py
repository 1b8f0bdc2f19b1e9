"""What a database says when it fails, in words for a person."""

from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Final

from sqlalchemy.exc import DataError, DBAPIError, IntegrityError, ProgrammingError

from storage.errors import StorageError
from storage.watch import GoneError

# (what the driver's text contains, the sentence, the hint); the first that fits is used.
_KNOWN: Final = (
    (
        "database is locked",
        "{where} is locked by another program.",
        "Close the program that holds it open for writing.",
    ),
    (
        "disk is full",
        "There is no room left on the disk of {where}.",
        "Free some space, or `imaptap prune` old recordings.",
    ),
    ("No space left", "There is no room left on the disk of {where}.", "Free some space on the database server."),
    (
        "readonly database",
        "{where} cannot be written to: it is read-only.",
        "Check the permissions of the file and its folder.",
    ),
    (
        "read-only transaction",
        "{where} cannot be written to: the server is read-only.",
        "See whether it has become a standby, or default_transaction_read_only is on.",
    ),
    ("malformed", "{where} is damaged.", "Recover what can be read: sqlite3 FILE .recover | sqlite3 NEW."),
    ("not a database", "{where} is damaged.", "Its beginning is not that of a SQLite file any more."),
    ("unable to open", "{where} cannot be opened.", "Check that the file and its folder exist and may be read."),
    ("disk I/O error", "Reading or writing {where} failed.", "Check the disk; the system log may say more."),
    ("authentication failed", "{where} does not accept the user or password.", "Check both in the URL."),
    ("Connection refused", "No database server answers at {where}.", "Check host and port, and that the server runs."),
    ("could not translate host", "The host of {where} is unknown.", "Check the spelling of the host name."),
    ("failed to resolve host", "The host of {where} is unknown.", "Check the spelling of the host name."),
    ("does not exist", "{where}: {first}.", "Create the database first: createdb NAME."),
)


_FOR_GOOD: Final = ("readonly database", "malformed", "not a database")
_IO_ERROR: Final = "disk I/O error"


def explain(error: Exception, where: str) -> StorageError:
    """The StorageError that says what `error`, raised by a driver or the system, means for the database `where`."""
    if isinstance(error, StorageError):
        return error
    # What SQLite quotes of a damaged schema is no text any more.
    text = "malformed" if isinstance(error, UnicodeDecodeError) else _text(error)
    if _IO_ERROR in text and _is_read_only(where):
        return StorageError(
            f"{where} cannot be written to: it has become read-only.",
            "The system log may say why. Repair the disk, and mount it for writing again.",
        )
    first = text.strip().split("\n", 1)[0].rstrip(".")
    for words, sentence, hint in _KNOWN:
        if words in text:
            return StorageError(sentence.format(where=where, first=first), hint)
    if isinstance(error, OSError):
        return _system(error, where)
    return StorageError(f"{where} failed: {first} ({type(error).__name__}).", "If this stays, please report it.")


def passing(error: Exception) -> bool:
    """Whether the same write may succeed later: the surroundings failed (disk, lock, network), not the data."""
    if isinstance(error, IntegrityError | DataError | ProgrammingError):
        return False
    return isinstance(error, DBAPIError | OSError | StorageError)


def lasting(error: Exception, where: str) -> bool:
    """Whether nobody should wait for it to pass by itself: the file `where` is gone, damaged or read-only."""
    text = _text(error)
    if isinstance(error, GoneError) or any(words in text for words in _FOR_GOOD):
        return True
    return _IO_ERROR in text and _is_read_only(where)


def _text(error: Exception) -> str:
    return str(error.orig) if isinstance(error, DBAPIError) and error.orig is not None else str(error)


def _is_read_only(where: str) -> bool:
    """Whether nobody may write to this file any more; SQLite just says that writing to it failed."""
    # To open the file itself would not do: closing it releases SQLite's locks on it (fcntl). There are none on its log.
    file = Path(where).resolve()
    try:
        os.close(os.open(file.with_name(f"{file.name}-wal"), os.O_WRONLY))
    except OSError as error:
        return error.errno in {errno.EROFS, errno.EPERM, errno.EACCES}
    return False


def _system(error: OSError, where: str) -> StorageError:
    reason = (error.strerror or str(error)).lower()
    if error.errno in {errno.ENOSPC, errno.EDQUOT}:
        return StorageError(f"There is no room left on the disk of {where}.", "Free some space and try again.")
    if error.errno in {errno.EACCES, errno.EPERM, errno.EROFS}:
        return StorageError(f"{where} may not be used: {reason}.", "Check the permissions of the file and its folder.")
    return StorageError(f"{where} failed: {reason}.", "Check the path and the disk.")
