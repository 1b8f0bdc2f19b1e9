"""`imaptap import`: recordings from files."""

from pathlib import Path

import click

from imaptap.cli.cassettes import opened_file, read_into
from imaptap.cli.errors import UserError
from imaptap.cli.options import db_option
from imaptap.cli.terminal import Output
from imaptap.meaning.words import counted
from storage import open_store
from storage.cassette import is_cassette


@click.command("import", short_help="Make recordings of cassettes.")
@click.argument("files", metavar="FILE...", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--name", metavar="NAME", help="What to call the recording (default: as its file, without its ending).")
@db_option
def import_(files: tuple[Path, ...], name: str | None, db: str) -> None:
    """Make a recording of each FILE, which has to be a cassette: docs/cassettes.md.

    Passwords in what was written by hand are masked. A cassette that is wrong leaves nothing behind.
    """
    if name is not None and len(files) > 1:
        raise UserError("--name is for one file.", "Import the others by themselves.")
    for path in files:
        with opened_file(path) as file:
            if not is_cassette(file):
                raise UserError(f"{path} is no cassette.", "Its first line would be: imaptap cassette 1")
    with open_store(db, create=True) as store:
        for path in files:
            recording = read_into(store, path, name)
            totals = store.totals(recording)
            counts = f"{counted(totals.sessions, 'session')}, {counted(totals.exchanges, 'exchange')}"
            Output().say(f"Imported {path} as {recording.id}  {recording.name}: {counts}")
