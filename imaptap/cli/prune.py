"""`imaptap prune`: the oldest recordings, out of the way."""

import time

import click

from imaptap.cli.amounts import Duration, Size
from imaptap.cli.errors import UserError
from imaptap.cli.options import db_option
from imaptap.cli.terminal import Output, amount, day
from storage import Recording, Store, open_store


@click.command()
@click.option("--older-than", type=Duration(), metavar="AGE", help="Remove what was begun longer ago: 12h, 30d, 8w.")
@click.option("--max-size", type=Size(), metavar="SIZE", help="Then the oldest, until this suffices: 500M, 1G.")
@click.option("--dry-run", is_flag=True, help="Only say what would be removed.")
@db_option
def prune(older_than: float | None, max_size: int | None, dry_run: bool, db: str) -> None:
    """Remove old recordings. Those under way stay."""
    if older_than is None and max_size is None:
        raise UserError("Nothing says what to remove.", "Give --older-than 30d, or --max-size 1G, or both.")
    with open_store(db, create=False) as store:
        if dry_run:
            _foretell(store, older_than, max_size, Output())
            return
        removed = store.prune(older_than=older_than, max_bytes=max_size)
    names = ", ".join(removed.recordings) or "nothing"
    Output().say(f"Removed {names}: {amount(removed.bytes_freed)} given back.")


def _foretell(store: Store, older_than: float | None, max_size: int | None, output: Output) -> None:
    ended = sorted((each for each in store.recordings() if not each.live), key=lambda each: each.started)
    told = False
    since = (time.time() - older_than) * 1_000_000 if older_than is not None else 0
    for recording in ended:
        if recording.started < since:
            output.say(f"would remove  {_named(recording)}")
            told = True
        elif max_size is not None:
            # Recordings share bodies, so how much one gives back is only known when it is gone.
            output.say(f"if more than {amount(max_size)} are left  {_named(recording)}")
            told = True
    if not told:
        output.say("Nothing to remove.")


def _named(recording: Recording) -> str:
    return f"{recording.id}  {recording.name}  {day(recording.started)}"
