"""`imaptap scan`: whether a file is clean."""

from __future__ import annotations

import contextlib
import functools
import json
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import click

from imaptap.cli.cassettes import opened_file, read_into, temporary
from imaptap.cli.errors import NO, UNUSABLE, UserError, escaped
from imaptap.cli.options import json_option
from imaptap.cli.terminal import Output
from imaptap.meaning.words import counted
from imaptap.scanning.detectors import Detectors, Kind
from imaptap.scanning.needles import LEAST, Needles
from imaptap.scanning.search import Hit, Search
from imaptap.scanning.sources import (
    PACKED_ERRORS,
    Passwords,
    Source,
    Whereabouts,
    is_database,
    of_file,
    of_store,
    spoken_in,
    spoken_in_cassette,
)
from storage import NotOursError, StorageError, names_password, open_store
from storage.cassette import is_cassette

if TYPE_CHECKING:
    from collections.abc import Iterator

    from storage import Store

_FOUND = [kind.value for kind in Kind if kind is not Kind.ENTROPY]
_CANARIES_MOST = 16 * 1024 * 1024


class Place(NamedTuple):
    """A hit, where it is: in which source, and in which exchange of a recording."""

    hit: Hit
    source: Source
    offset: int
    exchange: int | None


@click.command(short_help="Look for secrets, addresses and canaries in files and databases.")
@click.argument("files", metavar="FILE|URL...", nargs=-1, required=True)
@click.option(
    "--canary",
    "canaries",
    metavar="TEXT",
    multiple=True,
    help="A text that must not be there, in any encoding. May be given several times.",
)
@click.option(
    "--canaries", "listed", type=click.Path(dir_okay=False, path_type=Path), help="A file with such texts, one a line."
)
@click.option(
    "--find",
    "kinds",
    type=click.Choice([kind.value for kind in Kind]),
    multiple=True,
    default=_FOUND,
    show_default=True,
    help="What to look for. May be given several times.",
)
@click.option(
    "--most",
    type=click.IntRange(min=1),
    default=100,
    show_default=True,
    help="How many findings to show of a file, and of what was recorded in it.",
)
@json_option
def scan(
    files: tuple[str, ...],
    canaries: tuple[str, ...],
    listed: Path | None,
    kinds: tuple[str, ...],
    most: int,
    *,
    as_json: bool,
) -> None:
    """Look into files of any kind for what should not be in them: keys, tokens, passwords, mail addresses, public IP
    addresses, and the texts of --canary, each also where it was encoded.

    Databases and cassettes are searched as the files that they are, and then as what was recorded: streams, bodies, and
    all that is said about them; what is in both is told of each. What was found is not shown, only where it is. Exits
    1 if there is anything, 2 if there is nothing in a file that could not be read as what it is.
    """
    wanted = frozenset(map(Kind, kinds))
    search = Search(Needles(_canaries(canaries, listed)), Detectors(wanted))
    told = [_File(name, search, most, passwords=Kind.PASSWORD in wanted) for name in files]
    output = Output()
    for file in told:
        file.scan()
        if not as_json:
            for line in file.lines():
                output.say(line)
    if as_json:
        click.echo(json.dumps({"files": [file.document() for file in told]}))
    if any(file.count for file in told):
        raise click.exceptions.Exit(NO)
    if any(file.in_part for file in told):
        raise click.exceptions.Exit(UNUSABLE)


class _File:
    """One file, scanned."""

    def __init__(self, name: str, search: Search, most: int, *, passwords: bool) -> None:
        self._name, self._search, self._most, self._passwords = name, search, most, passwords
        self._shown: list[Place] = []
        self.count = self._raw = 0
        self.in_part = False
        """Whether what is recorded in it could not be read."""

    def scan(self) -> None:
        """Look through all of it. Raises UserError where it cannot be read."""
        if "://" in self._name:
            if names_password(self._name):
                raise UserError(
                    "The URL has a password in it, which other users can see.", "Put it into ~/.pgpass or $PGPASSWORD."
                )
            with open_store(self._name, create=False) as store:
                self._look(of_store(store, store.where, self._of_stored(store)), store)
            return
        path = Path(self._name)
        try:
            with contextlib.ExitStack() as stack:
                found = self._recorded(path, stack)
                if found is not None:
                    passwords = self._of_stored(found) if is_database(path) else self._of_cassette(path)
                    self._look(of_store(found, self._name, passwords), found)
                self._look(of_file(path), found)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise UserError(
                f"The file {path} cannot be read: {reason}.", "Check its name and its permissions."
            ) from error
        except PACKED_ERRORS as error:
            raise UserError(
                f"What is packed in {path} cannot be read: {error}.", "Unpack it, and scan that."
            ) from error

    def lines(self) -> Iterator[str]:
        """What there is to say."""
        for place in self._shown:
            yield _line(place)
        if self.count > len(self._shown):
            yield f"{self._name}: … and {self.count - len(self._shown)} more"
        told = counted(self.count, "finding") if self.count else "nothing found"
        both = f", {self._raw} in the file and {self.count - self._raw} in what was recorded" if self._raw else ""
        yield f"{self._name}: {told}{both}"

    def document(self) -> dict[str, Any]:
        """The same as JSON."""
        found = {"file": self._name, "as_file_only": self.in_part}
        return found | {"count": self.count, "findings": [_document(place) for place in self._shown]}

    def _recorded(self, path: Path, stack: contextlib.ExitStack) -> Store | None:
        """What the file has recorded, if it is of ours."""
        with opened_file(path) as file:
            cassette = is_cassette(file)
        try:
            if is_database(path):
                return stack.enter_context(open_store(path, create=False))
            if not cassette:
                return None
            store = stack.enter_context(temporary())
            read_into(store, path)
        except NotOursError:
            return None
        except StorageError as error:
            click.echo(escaped(f"imaptap: {path} is searched as a file only: {error}"), err=True)
            if error.hint:
                click.echo(escaped(error.hint), err=True)
            self.in_part = True
            return None
        return store

    def _of_stored(self, store: Store) -> Passwords:
        return functools.partial(spoken_in, store) if self._passwords else lambda _: ()

    def _of_cassette(self, path: Path) -> Passwords:
        """The store that it was read into has them masked."""
        if not self._passwords:
            return lambda _: ()
        with path.open("rb") as file:
            return spoken_in_cassette(file)

    def _look(self, sources: Iterator[Source], store: Store | None) -> None:
        """Of a recording and of its file so many are shown each: what is left in free pages is in the file only."""
        where = Whereabouts(store) if store else None
        room = self._most
        for source in sources:
            for hit in source.beside(self._search.through(source.parts)):
                self.count += 1
                self._raw += source.raw and store is not None
                if room:
                    room -= 1
                    self._shown.append(_placed(hit, source, where))


def _placed(hit: Hit, source: Source, where: Whereabouts | None) -> Place:
    stream = source.stream
    if stream is None or where is None:
        return Place(hit, source, hit.offset, None)
    offset = stream.start + hit.offset
    return Place(hit, source, offset, where.of(stream.session, stream.side, offset))


def _line(place: Place) -> str:
    hit = place.hit
    exchange = f", exchange {place.exchange}" if place.exchange else ""
    line = f", line {hit.lines + 1}" if place.source.lines else ""
    how = f" ({hit.how})" if hit.how else ""
    return f"{place.source.name}: byte {place.offset}{line}{exchange}: {_what(hit)}{how}"


def _what(hit: Hit) -> str:
    """Where a password was given, it is said that it is one that was found there."""
    told = hit.kind is not Kind.PASSWORD or Kind.PASSWORD in hit.what
    return hit.what if told else f"password in {hit.what}"


def _document(place: Place) -> dict[str, Any]:
    hit = place.hit
    line = hit.lines + 1 if place.source.lines else None
    about = {"kind": hit.kind.value, "what": hit.what, "how": hit.how or None, "where": place.source.name}
    return about | {"offset": place.offset, "line": line, "exchange": place.exchange}


def _canaries(typed: tuple[str, ...], listed: Path | None) -> list[str]:
    lines = list[str]()
    if listed is not None:
        try:
            with listed.open("rb") as file:
                text = file.read(_CANARIES_MOST + 1)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise UserError(
                f"The file {listed} cannot be read: {reason}.", "Check its name and its permissions."
            ) from error
        if len(text) > _CANARIES_MOST:
            raise UserError(f"The list {listed} is larger than 16 MiB.", "Is it the right file?")
        lines = text.decode("utf-8", "replace").splitlines()
    canaries = [*typed, *(line.strip() for line in lines if line.strip())]
    for number, canary in enumerate(canaries, 1):
        if len(canary.strip()) < LEAST:
            raise UserError(
                f"Canary {number} has less than {LEAST} characters.", "It would be found everywhere: take a longer one."
            )
    return canaries
