"""The options of `imaptap export`, as one wish."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from imaptap.cli.amounts import Size
from imaptap.cli.filtering import filter_option
from imaptap.cli.options import as_one, db_option
from imaptap.exporting.formats import FORMATS
from imaptap.exporting.settings import Settings
from proxy.imap.transcript import Direction

if TYPE_CHECKING:
    from storage.filter import Node

_SIDES = {"client": Direction.CLIENT, "server": Direction.SERVER}


@dataclass(frozen=True, slots=True)
class Wish:
    """What somebody wants exported, how, and where to."""

    address: str
    form: str
    output: Path | None
    wanted: Node | None
    db: str
    settings: Settings


def _wish(
    *, address: str, form: str, output: Path | None, wanted: Node | None, db: str,
    side: str | None, version: str | None, **others: Any,
) -> Wish:  # fmt: skip
    settings = Settings(
        side=None if side is None else _SIDES[side], as_sent=None if version is None else version == "sent", **others
    )
    return Wish(address, form, output, wanted, db, settings)


OPTIONS = (
    click.option(
        "--format",
        "form",
        type=click.Choice(list(FORMATS)),
        default="raw",
        show_default=True,
        help=f"What to write. {' '.join(f'{each.name}: {each.help}.' for each in FORMATS.values())}",
    ),
    click.option("--side", type=click.Choice(list(_SIDES)), help="Whose bytes (raw, which needs it)."),
    click.option(
        "--as",
        "version",
        type=click.Choice(["received", "sent"]),
        help="As they reached imaptap, or as it sent them on, with what it rewrote (raw, pcapng, rawlog, mailkit).",
    ),
    click.option("--bodies/--no-bodies", default=None, help="With the contents of literals, or just their lengths."),
    click.option("--times/--no-times", default=None, help="With the time of each line, or without."),
    click.option(
        "--limit", metavar="SIZE", type=Size(1), help="Leave out what is beyond so many bytes, and say so (60K, 1M)."
    ),
    click.option(
        "-o",
        "--output",
        type=click.Path(path_type=Path),
        help="Write to this FILE (FOLDER, where a format has several), not to stdout. New ones are for your eyes only.",
    ),
    filter_option,
    db_option,
)


def export_options(command: Any) -> Any:
    """Gives a command a `wish: Wish`."""
    return as_one(_wish, OPTIONS)(command)
