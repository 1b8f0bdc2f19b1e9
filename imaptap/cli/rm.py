"""`imaptap rm`: recordings that are not wanted any more."""

import click

from imaptap.cli.address import find_recording
from imaptap.cli.errors import NO, UserError
from imaptap.cli.options import db_option
from imaptap.cli.terminal import Output, amount, day
from storage import Recording, Store, open_store


@click.command(short_help="Remove recordings.")
@click.argument("recordings", metavar="RECORDING...", nargs=-1, required=True)
@click.option("-y", "--yes", is_flag=True, help="Do not ask.")
@db_option
def rm(recordings: tuple[str, ...], yes: bool, db: str) -> None:
    """Remove recordings, each named by its number, its name, or last. Asks first."""
    with open_store(db, create=False) as store:
        # All are looked up before the first is removed: a slip of the pen must not leave half of it done.
        found = list({each.id: each for each in (find_recording(store, word) for word in recordings)}.values())
        if not yes:
            _ask(store, found)
        for recording in found:
            removed = store.remove(recording)
            Output().say(f"Removed {recording.name}: {amount(removed.bytes_freed)} given back.")


def _ask(store: Store, recordings: list[Recording]) -> None:
    for recording in recordings:
        totals = store.totals(recording)
        click.echo(
            f"{recording.id}  {recording.name}  {day(recording.started)}"
            f"  {totals.sessions} sessions, {totals.exchanges} exchanges",
            err=True,
        )
    try:
        sure = click.confirm("Remove for good?", err=True)
    except click.Abort:
        sure = False
    if not sure:
        raise UserError("Nothing was removed.", "Answer y, or give --yes.", NO)
