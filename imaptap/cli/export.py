"""`imaptap export`: recordings for other programs, and as text."""

import contextlib
import sys
from collections.abc import Generator
from pathlib import Path
from typing import BinaryIO

import click

from imaptap.cli.address import find, find_session
from imaptap.cli.cassettes import opened
from imaptap.cli.errors import UserError
from imaptap.cli.filtering import filter_option, search
from imaptap.cli.options import db_option
from imaptap.cli.written import written_file
from proxy.imap.transcript import Direction
from storage import Session, Store
from storage.cassette import export_cassette
from storage.filter import Node

Range = tuple[int, int | None]
"""From which byte of a stream up to which; None: to its end."""

_DIRECTIONS = {"client": Direction.CLIENT, "server": Direction.SERVER}


@click.command(short_help="Write one side's exact stream, or a cassette.")
@click.argument("address", metavar="RECORDING[/SESSION]")
@click.option(
    "--format",
    "form",
    type=click.Choice(["raw", "cassette"]),
    default="raw",
    show_default=True,
    help="raw: the bytes of one side of a session. cassette: all of it as text (docs/cassettes.md).",
)
@click.option("--side", type=click.Choice(list(_DIRECTIONS)), help="Whose bytes (raw, which needs it).")
@click.option(
    "--as",
    "version",
    type=click.Choice(["received", "sent"]),
    show_default="received",
    help="As they reached imaptap, or as it sent them on: these differ where it rewrote them (raw).",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(dir_okay=False, path_type=Path),
    help="Write to FILE (for your eyes only, if it is new), not to stdout.",
)
@filter_option
@db_option
def export(
    address: str,
    form: str,
    side: str | None,
    version: str | None,
    output: Path | None,
    wanted: Node | None,
    db: str,
) -> None:
    """Write the exact stream of one side of a session, or a recording (or a session) as a cassette; secrets are masked
    with as many x.

    With --filter, only what belongs to the exchanges that match. A stream exits 1 where the recording has a hole, or a
    literal that was not kept: what came before it is written.
    """
    if form == "cassette":
        if side is not None or version is not None or wanted is not None:
            raise UserError("--side, --as and --filter are for --format raw.", "A cassette has all that was said.")
        _cassette(db, address, output)
        return
    if side is None:
        raise UserError("--format raw writes one side.", "Give --side client, --side server, or --format cassette.")
    with opened(db, address) as (store, there):
        session = find_session(store, there)
        direction = _DIRECTIONS[side]
        read = store.stream_as_sent if version == "sent" else store.stream
        ranges: list[Range] = [(0, None)] if wanted is None else _matching(store, session, direction, wanted)
        with _target(output, store) as file:
            for start, end in ranges:
                file.writelines(read(session, direction, start, end))
            file.flush()


def _cassette(db: str, address: str, output: Path | None) -> None:
    with opened(db, address) as (store, there):
        place = find(store, there)
        if place.exchange is not None:
            raise UserError(f"{address!r} is one exchange.", f"Export its session: {address.rpartition('/')[0]}.")
        with contextlib.nullcontext(sys.stdout.buffer) if output is None else written_file(output, store) as file:
            export_cassette(store, place.recording, lambda text: file.write(text.encode()), place.session)
            file.flush()


def _matching(store: Store, session: Session, direction: Direction, wanted: Node) -> list[Range]:
    """Where the units of matching exchanges are, in the order of the stream; what adjoins is one range."""
    found = search(store, wanted, session.recording)
    keys = found.matches().get(session.id, ())
    numbers = {stored.exchange.number for stored in found.exchanges(session, keys)}
    spans = (span for span in store.spans(session) if span.direction is direction and span.exchange in numbers)
    ranges: list[Range] = []
    for start, end in sorted((span.start, span.end) for span in spans):
        if ranges and ranges[-1][1] == start:
            ranges[-1] = (ranges[-1][0], end)
        else:
            ranges.append((start, end))
    return ranges


@contextlib.contextmanager
def _target(output: Path | None, store: Store) -> Generator[BinaryIO, None, None]:
    if output is None:
        if sys.stdout.isatty():
            raise UserError(
                "The stream may hold control characters, which a terminal would obey.",
                "Give -o FILE, or send it into a pipe. `imaptap show` shows it escaped.",
            )
        yield sys.stdout.buffer
        return
    with written_file(output, store) as file:
        yield file
