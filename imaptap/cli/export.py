"""`imaptap export`: a session for other programs."""

import contextlib
import sys
from collections.abc import Generator
from pathlib import Path
from typing import BinaryIO

import click

from imaptap.cli.address import find_session
from imaptap.cli.errors import UserError
from imaptap.cli.filtering import filter_option, search
from imaptap.cli.options import db_option
from imaptap.cli.written import written_file
from proxy.imap.transcript import Direction
from storage import Session, Store, open_store
from storage.filter import Node

Range = tuple[int, int | None]
"""From which byte of a stream up to which; None: to its end."""

_DIRECTIONS = {"client": Direction.CLIENT, "server": Direction.SERVER}


@click.command(short_help="Write one side's exact stream.")
@click.argument("address", metavar="RECORDING/SESSION")
@click.option(
    "--format",
    "form",
    type=click.Choice(["raw"]),
    default="raw",
    show_default=True,
    help="raw: the bytes of one direction.",
)
@click.option("--side", type=click.Choice(list(_DIRECTIONS)), required=True, help="Whose bytes.")
@click.option(
    "--as",
    "version",
    type=click.Choice(["received", "sent"]),
    default="received",
    show_default=True,
    help="As they reached imaptap, or as it sent them on: these differ where it rewrote them.",
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
    form: str,  # noqa: ARG001  raw is all there is
    side: str,
    version: str,
    output: Path | None,
    wanted: Node | None,
    db: str,
) -> None:
    """Write the exact stream of one side of a session; secrets are masked with as many x.

    With --filter, only what belongs to the exchanges that match. Exits 1 where the recording has a hole, or a literal
    that was not kept: what came before it is written.
    """
    with open_store(db, create=False) as store:
        session = find_session(store, address)
        direction = _DIRECTIONS[side]
        read = store.stream_as_sent if version == "sent" else store.stream
        ranges: list[Range] = [(0, None)] if wanted is None else _matching(store, session, direction, wanted)
        with _target(output, store) as file:
            for start, end in ranges:
                file.writelines(read(session, direction, start, end))
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
