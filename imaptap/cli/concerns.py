"""What other users of this machine could do with the files of a recording: looked at when it begins, and said."""

from __future__ import annotations

import contextlib
import shlex
import stat
from collections.abc import Iterable, Iterator
from pathlib import Path

from certs.files import home
from certs.privacy import Concern, exposed, foreign_owner, open_to_all, writable_by_others
from imaptap.cli.errors import UserError
from imaptap.recording import Job
from storage import database_file

_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_BESIDE = ("", "-wal", "-shm", "-journal")
"""What SQLite keeps beside a database; what it makes there itself has the database's mode."""


def refuse_planted(where: str) -> None:
    """Raise UserError for a database that another user has put into a folder that is open to all, as /tmp is.

    Or only a link, or a file beside it that SQLite would read: what is recorded would be theirs.
    """
    path = database_file(where)
    with contextlib.suppress(OSError):
        if path is None or not open_to_all(path.parent):
            return
        for each in (path.with_name(path.name + suffix) for suffix in _BESIDE):
            if (owner := _owner(each)) is not None:
                raise UserError(
                    f"{each} belongs to another user ({owner}), in a folder where anybody may have put it.",
                    "It was not touched. Give another file name with --db.",
                )


def concerns(job: Job) -> list[Concern]:
    """All that there is about the files of `job`, once its database is open."""
    trust = job.settings.trust
    keys = [leaf.key_file for leaf in job.own_leaves.values()]
    keys += [key for key in (trust.client_key or trust.client_cert,) if key is not None]
    found = list[Concern]()
    for look in (_database_concerns(job.db), _home_concerns(), _key_concerns(keys)):
        # What cannot even be looked at cannot be used: whoever opens it has better words.
        with contextlib.suppress(OSError):
            found += look
    return found


def _database_concerns(where: str) -> Iterator[Concern]:
    """Who else can get at the database `where`. Nothing is said of PostgreSQL, which has users of its own."""
    path = database_file(where)
    if path is None:
        return
    file = path.resolve()
    folder = file.parent
    if writable_by_others(folder.stat()):
        yield Concern(
            f"Other users can replace what is in the folder {folder} of the database.",
            f"Use another one, or run: chmod go-w {shlex.quote(str(folder))}",
        )
    there = [each for suffix in _BESIDE if (each := file.with_name(file.name + suffix)).is_file()]
    for each in there:
        if (owner := foreign_owner(each, each.stat())) is not None:
            message = f"The database {each} belongs to another user ({owner}), who can read what is recorded."
            yield Concern(message, "Give another file name with --db, if that is not meant.")
    if wide := [each for each in there if each.stat().st_mode & _OTHERS]:
        mode = stat.S_IMODE(wide[0].stat().st_mode)
        yield Concern(
            f"The database {wide[0]} is open to other users (mode {mode:04o}), and so is what is recorded.",
            f"If that is not meant, run: chmod 600 {shlex.join(map(str, wide))}",
        )


def _home_concerns() -> Iterator[Concern]:
    """Whether others can see what is in the data folder, or get at it."""
    folder = home()
    if folder.is_dir() and (mode := stat.S_IMODE(folder.stat().st_mode)) & _OTHERS:
        yield Concern(
            f"The data folder {folder} is open to other users (mode {mode:04o}).",
            f"Run: chmod 700 {shlex.quote(str(folder))}",
        )


def _key_concerns(keys: Iterable[Path]) -> Iterator[Concern]:
    """Which of the user's own keys others can read. Keys that sign for any host are refused instead (`certs`)."""
    for key in keys:
        if key.exists() and (concern := exposed(key, "key file")) is not None:
            yield concern


def _owner(path: Path) -> str | None:
    """The other user whose file, or link, lies there."""
    try:
        return foreign_owner(path, path.lstat())
    except FileNotFoundError:
        return None
