"""`imaptap import`: recordings from files."""

import functools
import io
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO, NamedTuple

import click

from imaptap.cli.cassettes import name_of, named_in_errors, opened_file
from imaptap.cli.errors import NO, UserError, escaped
from imaptap.cli.export_progress import ExportProgress
from imaptap.cli.options import bodies_option, db_option, with_folder
from imaptap.cli.terminal import Output
from imaptap.importing import ndjson, pcap, rawlog
from imaptap.importing.formats import FORMATS, HEAD, Format, named, recognised
from imaptap.importing.run import NothingError, take_in
from imaptap.importing.values import MissingError
from imaptap.meaning.words import counted
from imaptap.memory import kept_small
from proxy.imap.letters.policy import Bodies
from storage import Recording, Store, open_store
from storage.cassette import import_cassette, import_statements, is_cassette


class _Ours(NamedTuple):
    """A format of imaptap's own that tells all of a recording: what is wrong in it leaves nothing behind."""

    name: str
    read: Callable[[Store, BinaryIO, str | None, Bodies], Recording]


class _Watched(io.RawIOBase):
    """A file that tells how much of it has been read."""

    def __init__(self, file: BinaryIO, progress: Callable[[int], object]) -> None:
        self._file, self._progress = file, progress

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: "bytearray | memoryview", /) -> int:  # type: ignore[override]
        data = self._file.read(len(buffer))
        buffer[: len(data)] = data
        self._progress(len(data))
        return len(data)


def _read_ndjson(store: Store, file: BinaryIO, name: str | None, bodies: Bodies) -> Recording:
    return import_statements(store, ndjson.statements(file), name, bodies)


_CASSETTE, _NDJSON = _Ours("cassette", import_cassette), _Ours("ndjson", _read_ndjson)
_BLOCK = 256 * 1024
_NAMES = [_CASSETTE.name, _NDJSON.name, *(form.name for form in FORMATS)]


class _Log(NamedTuple):
    """What becomes one recording: a file, or several that belong together."""

    form: Format | _Ours
    paths: tuple[Path, ...]


@click.command("import", short_help="Make recordings of cassettes and of other programs' logs.")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--format", "form", type=click.Choice(_NAMES), help="What the files are (default: find out).")
@click.option("--name", metavar="NAME", help="What to call the recording (default: as its file, without its ending).")
@click.option(
    "--keylog",
    metavar="FILE",
    type=click.Path(path_type=Path),
    help="Keys of the TLS sessions in a packet capture, as $SSLKEYLOGFILE has them.",
)
@bodies_option
@db_option
def import_(
    files: tuple[Path, ...], form: str | None, name: str | None, keylog: Path | None, bodies: Bodies, db: str
) -> None:
    """Make a recording of each FILE: a cassette, or a log that another program wrote (docs/import.md).

    Dovecot's rawlogs together become one recording, a session for each connection. Passwords are masked. What of a log
    is not exact stands in the recording; of a broken log, what stands before that is kept, and the exit code is 1.
    """
    logs = list(_logs(files, form, keylog))
    if name is not None and len(logs) > 1:
        raise UserError("--name is for one recording.", "Import the others by themselves.")
    stopped = False
    with open_store(with_folder(db), create=True) as store, kept_small():
        for log in logs:
            stopped |= _imported(store, log, name, bodies)
    if stopped:
        raise click.exceptions.Exit(NO)


def _logs(files: Sequence[Path], wanted: str | None, keylog: Path | None) -> Iterator[_Log]:
    """What the files are, in their order. Raises UserError where one is nothing that is known."""
    together: dict[Format, list[Path]] = {}
    found = [(_format(path, wanted), path) for path in files]
    if keylog is not None:
        with opened_file(keylog):
            pass
        if not any(form.name == "pcap" for form, _ in found):
            raise UserError("--keylog is for packet captures.", "Leave it out, or give the capture, too.")
    for form, path in found:
        if isinstance(form, Format) and form.together:
            together.setdefault(form, []).append(path)
    for form, path in found:
        if isinstance(form, _Ours) or not form.together:
            yield _Log(_with_keys(form, keylog), (path,))
        elif paths := together.pop(form, None):
            yield _Log(form, tuple(paths))


def _with_keys(form: Format | _Ours, keylog: Path | None) -> Format | _Ours:
    if isinstance(form, _Ours) or keylog is None or form.name != "pcap":
        return form
    return form._replace(read=functools.partial(pcap.read, keylog=keylog))


def _format(path: Path, wanted: str | None) -> Format | _Ours:
    """Of which format a file is. Raises UserError."""
    with opened_file(path) as file:
        cassette = is_cassette(file)
        file.seek(0)
        head = file.read(HEAD)
    if wanted is not None:
        return next((ours for ours in (_CASSETTE, _NDJSON) if ours.name == wanted), None) or named(wanted)
    if cassette:
        return _CASSETTE
    if rawlog.silent(path, head):
        return named("rawlog")
    found = _NDJSON if ndjson.recognise(head) else recognised(head)
    if not head:
        raise UserError(f"{path} is empty.", "Nothing was written. Did the log end up in another file?")
    if head.startswith(b"SQLite format 3\0"):
        raise UserError(f"{path} is a database.", f"If it is imaptap's, name it with --db: imaptap ls --db {path}")
    if found is None:
        known = ", ".join(_NAMES)
        raise UserError(
            f"{path} is of no format that is known.",
            f"Say which with --format: {known}. What was pasted needs its line breaks.",
        )
    return found


def _imported(store: Store, log: _Log, name: str | None, bodies: Bodies) -> bool:
    """Whether it could not be read to its end."""
    path = log.paths[0]
    if isinstance(log.form, _Ours):
        with opened_file(path) as file, _progress(log) as progress:
            watched = io.BufferedReader(_Watched(file, progress), _BLOCK)
            with named_in_errors(path):
                recording = log.form.read(store, watched, name or name_of(path), bodies)
        _say(store, recording, log)
        return False
    try:
        with _progress(log) as progress:
            taken = take_in(store, log.form, log.paths, name or name_of(path), progress, bodies)
    except NothingError as error:
        reason = f": {error}" if str(error) else "."
        raise UserError(
            f"There is no IMAP session in {_files(log)} as a {log.form.title}{reason}",
            "Nothing was written. Say with --format what it is, if it is something else.",
        ) from error
    except MissingError as error:
        raise UserError(str(error), error.hint) from error
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UserError(f"{_files(log)} cannot be read: {reason}.", "Nothing was written.") from error
    _say(store, taken.recording, log)
    if taken.stopped is None:
        return False
    click.echo(f"imaptap: {escaped(taken.stopped)}", err=True)
    click.echo("What stands before that was imported.", err=True)
    return True


def _progress(log: _Log) -> ExportProgress:
    """By the size of the files: of other programs' logs, which have marks beside what was said, it tells about."""
    size = sum(path.stat().st_size for path in log.paths if path.is_file())
    return ExportProgress(size or None, shown=True, word="importing")


def _say(store: Store, recording: Recording, log: _Log) -> None:
    totals = store.totals(recording)
    counts = f"{counted(totals.sessions, 'session')}, {counted(totals.exchanges, 'exchange')}"
    kind = f", {log.form.title}" if isinstance(log.form, Format) else ""
    Output().say(f"Imported {_files(log)} as {recording.id}  {recording.name}: {counts}{kind}")


def _files(log: _Log) -> str:
    more = len(log.paths) - 1
    return f"{log.paths[0]}" + (f" and {counted(more, 'more file')}" if more else "")
