"""`imaptap import`: recordings from files."""

import functools
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import NamedTuple

import click

from imaptap.cli.cassettes import name_of, opened_file, read_into
from imaptap.cli.errors import NO, UserError, escaped
from imaptap.cli.options import db_option
from imaptap.cli.terminal import Output
from imaptap.importing import pcap
from imaptap.importing.formats import FORMATS, Format, named, recognised
from imaptap.importing.run import NothingError, take_in
from imaptap.importing.values import MissingError
from imaptap.meaning.words import counted
from storage import Recording, Store, open_store
from storage.cassette import is_cassette

CASSETTE = "cassette"
_NAMES = [CASSETTE, *(form.name for form in FORMATS)]


class _Log(NamedTuple):
    """What becomes one recording: a file, or several that belong together. Without a format it is a cassette."""

    form: Format | None
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
@db_option
def import_(files: tuple[Path, ...], form: str | None, name: str | None, keylog: Path | None, db: str) -> None:
    """Make a recording of each FILE: a cassette, or a log that another program wrote (docs/import.md).

    Dovecot's rawlogs together become one recording, a session for each connection. Passwords are masked. What of a log
    is not exact stands in the recording; of a broken log, what stands before that is kept, and the exit code is 1.
    """
    logs = list(_logs(files, form, keylog))
    if name is not None and len(logs) > 1:
        raise UserError("--name is for one recording.", "Import the others by themselves.")
    stopped = False
    with open_store(db, create=True) as store:
        for log in logs:
            stopped |= _imported(store, log, name)
    if stopped:
        raise click.exceptions.Exit(NO)


def _logs(files: Sequence[Path], wanted: str | None, keylog: Path | None) -> Iterator[_Log]:
    """What the files are, in their order. Raises UserError where one is nothing that is known."""
    together: dict[Format, list[Path]] = {}
    found: list[tuple[Format | None, Path]] = [(_format(path, wanted), path) for path in files]
    if keylog is not None:
        with opened_file(keylog):
            pass
        if not any(form and form.name == "pcap" for form, _ in found):
            raise UserError("--keylog is for packet captures.", "Leave it out, or give the capture, too.")
    for form, path in found:
        if form is not None and form.together:
            together.setdefault(form, []).append(path)
    for form, path in found:
        if form is None or not form.together:
            yield _Log(_with_keys(form, keylog), (path,))
        elif paths := together.pop(form, None):
            yield _Log(form, tuple(paths))


def _with_keys(form: Format | None, keylog: Path | None) -> Format | None:
    if form is None or keylog is None or form.name != "pcap":
        return form
    return form._replace(read=functools.partial(pcap.read, keylog=keylog))


def _format(path: Path, wanted: str | None) -> Format | None:
    """Of which format a file is; None for a cassette. Raises UserError."""
    with opened_file(path) as file:
        if wanted == CASSETTE or (wanted is None and is_cassette(file)):
            return None
    if wanted is not None:
        return named(wanted)
    found = recognised(path)
    if found is None:
        known = ", ".join(_NAMES)
        raise UserError(f"{path} is of no format that is known.", f"Say which with --format: {known}.")
    return found


def _imported(store: Store, log: _Log, name: str | None) -> bool:
    """Whether it could not be read to its end."""
    path = log.paths[0]
    if log.form is None:
        _say(store, read_into(store, path, name), log)
        return False
    try:
        taken = take_in(store, log.form, log.paths, name or name_of(path))
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


def _say(store: Store, recording: Recording, log: _Log) -> None:
    totals = store.totals(recording)
    counts = f"{counted(totals.sessions, 'session')}, {counted(totals.exchanges, 'exchange')}"
    kind = "" if log.form is None else f", {log.form.title}"
    Output().say(f"Imported {_files(log)} as {recording.id}  {recording.name}: {counts}{kind}")


def _files(log: _Log) -> str:
    more = len(log.paths) - 1
    return f"{log.paths[0]}" + (f" and {counted(more, 'more file')}" if more else "")
