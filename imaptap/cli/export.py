"""`imaptap export`: a session for other programs."""

import contextlib
import os
import sys
from collections.abc import Generator, Iterator
from pathlib import Path
from typing import BinaryIO

import click

from imaptap.cli.address import find_session
from imaptap.cli.errors import UserError
from imaptap.cli.options import db_option
from proxy.imap.transcript import Direction
from storage import Session, Store, open_store

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
@db_option
def export(address: str, form: str, side: str, version: str, output: Path | None, db: str) -> None:  # noqa: ARG001
    """Write the exact stream of one side of a session; secrets are masked with as many x.

    Exits 1 where the recording has a hole, or a literal that was not kept: what came before it is written.
    """
    with open_store(db, create=False) as store:
        session = find_session(store, address)
        with _target(output, store) as file:
            for block in _stream(store, session, _DIRECTIONS[side], version):
                file.write(block)
            file.flush()


def _stream(store: Store, session: Session, direction: Direction, version: str) -> Iterator[bytes]:
    if version == "sent":
        return store.stream_as_sent(session, direction)
    return store.stream(session, direction)


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
    if output.exists() and Path(store.where).exists() and output.samefile(store.where):
        raise UserError(f"{output} is the database itself.", "Name another file.")
    try:
        # Letters: a new file is for its owner's eyes; one that is there keeps its mode.
        with open(output, "wb", opener=lambda path, flags: os.open(path, flags, 0o600)) as file:
            yield file
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UserError(f"The file {output} cannot be written: {reason}.", "Name another one.") from error
