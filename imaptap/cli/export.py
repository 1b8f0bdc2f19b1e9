"""`imaptap export`: recordings for other programs, and as text."""

from __future__ import annotations

import contextlib
import sys
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from imaptap.cli.address import find
from imaptap.cli.cassettes import opened
from imaptap.cli.choice import need_several
from imaptap.cli.errors import NO, UserError
from imaptap.cli.export_options import Wish, export_options
from imaptap.cli.export_progress import ExportProgress
from imaptap.cli.filtering import search
from imaptap.cli.group import forget_output
from imaptap.cli.written import written_file, written_folder, written_path
from imaptap.exporting.formats import FORMATS, Kind, Level
from imaptap.exporting.selection import Matching, Selection
from imaptap.exporting.settings import OPTIONS
from imaptap.memory import kept_small

if TYPE_CHECKING:
    from collections.abc import Generator
    from pathlib import Path

    from imaptap.cli.address import Place
    from imaptap.exporting.formats import Format
    from storage import Store


@click.command(short_help="Write recordings for other programs and people.")
@click.argument("address", metavar="RECORDING[/SESSION[/EXCHANGE]]")
@export_options
def export(wish: Wish) -> None:
    """Write a recording, a session or an exchange in one of many formats (docs/export.md); secrets are masked with as
    many x.

    With --filter, only what belongs to the exchanges that match. Exits 1 where the recording has a hole, or a literal
    that was not kept, and the format needs those bytes.
    """
    form = FORMATS[wish.form]
    _heeds(form, wish)
    with opened(wish.db, wish.address) as (store, there):
        place = find(store, there)
        _suits(form, place, wish)
        write = form.writer()
        selection = _selection(store, place, wish)
        with kept_small(), _target(form, wish, store) as target, _progress(selection, wish) as progress:
            missing = write(replace(selection, progress=progress), target, wish.settings)
            if wish.output is None:
                sys.stdout.buffer.flush()
    if missing:
        raise UserError(
            f"{missing:,} bytes are missing in the export: the recording has not got them.",
            "They were never recorded, or not kept (--max-literal, --bodies); `imaptap show` tells where.",
            NO,
        )


def _heeds(form: Format, wish: Wish) -> None:
    """Raises UserError where the format does not know what was asked, or needs what was not."""
    given = wish.settings.given()
    for name in given:
        if name not in form.options:
            others = [f"--format {each.name}" for each in FORMATS.values() if name in each.options]
            raise UserError(
                f"{OPTIONS[name].name} is not for --format {form.name}.", f"It is for: {', '.join(others)}."
            )
    for name in form.needs:
        if name not in given:
            hint = f"Give {OPTIONS[name].example}, or another --format."
            raise UserError(f"--format {form.name} needs {OPTIONS[name].name}.", hint)
    if wish.wanted is not None and not form.filters:
        others = [f"--format {each.name}" for each in FORMATS.values() if each.filters]
        raise UserError(
            f"--format {form.name} has all that was said, and takes no --filter.",
            f"Leave it out, or choose another one: {', '.join(others)}.",
        )
    if wish.output is None and form.kind in {Kind.PATH, Kind.FOLDER}:
        what = "FOLDER" if form.kind is Kind.FOLDER else "FILE"
        raise UserError(f"--format {form.name} cannot go to stdout.", f"Give -o {what}.")


def _suits(form: Format, place: Place, wish: Wish) -> None:
    """Raises UserError where the format cannot be made of what the address names."""
    need_several(place, wish.wanted)
    level = _level(place)
    if level in form.levels:
        return
    made = " or ".join(each.value for each in form.levels)
    hint = (
        f"Export its session: {wish.address.rpartition('/')[0]}."
        if level is Level.EXCHANGE
        else f"Write {place.recording.name}/last, or the session's number."
    )
    raise UserError(f"--format {form.name} is made of {made}, and {wish.address!r} names {level.value}.", hint)


def _level(place: Place) -> Level:
    if place.exchange is not None:
        return Level.EXCHANGE
    return Level.RECORDING if place.session is None else Level.SESSION


def _selection(store: Store, place: Place, wish: Wish) -> Selection:
    matching = None
    if wish.wanted is not None:
        found = search(store, wish.wanted, place.recording)
        matching = Matching(found, found.matches())
    return Selection(store, place.recording, place.session, place.exchange, matching)


def _progress(selection: Selection, wish: Wish) -> ExportProgress:
    apart = wish.output is not None or not sys.stdout.isatty()
    return ExportProgress(selection.size(), shown=apart)


@contextlib.contextmanager
def _target(form: Format, wish: Wish, store: Store) -> Generator[Any, None, None]:
    """What the format is written to. Raises UserError where it must not, or cannot."""
    if wish.output is None:
        if form.kind is Kind.BYTES and sys.stdout.isatty():
            raise UserError(
                "The export may hold control characters, which a terminal would obey.",
                "Give -o FILE, or send it into a pipe. `imaptap show` shows it escaped.",
            )
        with _stdout_in_words():
            yield sys.stdout.buffer
    elif form.kind is Kind.FOLDER:
        with written_folder(wish.output) as folder:
            yield folder
    elif form.kind is Kind.PATH:
        _need_quiet(wish.output)
        with written_path(wish.output, store) as path:
            yield path
    else:
        with written_file(wish.output, store) as file:
            yield file


def _need_quiet(output: Path) -> None:
    """Raises UserError beside what a database leaves that is open, or was not closed: it would be read into ours."""
    target = output.resolve()
    for ending in ("-wal", "-journal"):
        if target.with_name(target.name + ending).exists():
            raise UserError(
                f"{output} is a database that is open, or was not closed: {target.name}{ending} is beside it.",
                "Name another file.",
            )


@contextlib.contextmanager
def _stdout_in_words() -> Generator[None, None, None]:
    """Raises UserError where it takes no more, as a file on a full disk."""
    try:
        yield
    except BrokenPipeError:  # whoever read it has enough
        raise
    except OSError as error:
        forget_output()
        reason = (error.strerror or str(error)).lower()
        raise UserError(f"The export cannot be written: {reason}.", "What is there of it is not whole.") from error
