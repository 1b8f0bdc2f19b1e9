"""RECORDING[/SESSION[/EXCHANGE]]: how the things in a store are named on the command line."""

import collections
import difflib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import click

from imaptap.cli.errors import UserError
from storage import Recording, Session, StorageError, Store, StoredExchange

LAST = "last"

_T = TypeVar("_T")

address_argument = click.argument("address", metavar="RECORDING[/SESSION[/EXCHANGE]]", default=LAST)


@dataclass(frozen=True, slots=True)
class Place:
    """What an address names: an exchange, a session, or a recording."""

    recording: Recording
    session: Session | None = None
    exchange: StoredExchange | None = None


def find(store: Store, address: str) -> Place:
    """What `address` names. Raises UserError that says what there is instead."""
    parts = address.split("/")
    if len(parts) > 3 or not all(parts):
        if (path := _file_of(address)) is not None:
            raise _only_a_file(path)
        raise UserError(
            f"{address!r} is not RECORDING[/SESSION[/EXCHANGE]].", "Write last, or 3/1, or 3/1/12, or a name for the 3."
        )
    recording = find_recording(store, parts[0], address)
    session = _session(store, recording, parts[1]) if parts[1:] else None
    exchange = _exchange(store, session, parts[2]) if session and parts[2:] else None
    return Place(recording, session, exchange)


def find_recording(store: Store, address: str, whole: str = "") -> Recording:
    """The recording of this id or name, which begins the `whole` address. Raises UserError that names those like it, or
    says that it is a file that is meant.
    """
    try:
        return store.recording(address)
    except StorageError as error:
        if address.endswith(".cassette"):
            raise UserError(
                f"There is no recording with the name {address!r}, and no such cassette that this command reads.",
                "Check the path. Where the file is there, `imaptap import` makes a recording of it.",
            ) from error
        if (path := _file_of(whole or address)) is not None:
            raise _only_a_file(path) from error
        near = difflib.get_close_matches(address, [each.name for each in store.recordings()], 3, 0.5)
        hint = f"There is: {', '.join(near)}. `imaptap ls` lists all." if near else error.hint
        raise UserError(str(error), hint) from error


def is_file(path: str) -> bool:
    """Whether a file has this path: none does that is longer than any, or in a folder that may not be looked into."""
    try:
        return bool(path) and Path(path).is_file()
    except OSError:
        return False


def _file_of(address: str) -> str | None:
    """The file whose path this is, or begins it."""
    while address and not is_file(address):
        address = address.rpartition("/")[0]
    return address or None


def _only_a_file(path: str) -> UserError:
    return UserError(
        f"There is no recording with the name {path!r}, and the file is no cassette that this command reads.",
        "`imaptap import` makes a recording of a log or a cassette; --db names a database.",
    )


def _session(store: Store, recording: Recording, word: str) -> Session:
    newest = _last(store.sessions(recording))
    if newest is None:
        raise UserError(f"Recording {recording.name!r} has no sessions.", "No client has connected to it.")
    if word == LAST:
        return newest
    number = _number(word, "a session")
    if not 1 <= number <= newest.number:
        raise UserError(
            f"Recording {recording.name!r} has no session {number}.",
            f"Its last one is {newest.number}: `imaptap ls {recording.name}`.",
        )
    return store.session(recording, number)


def _exchange(store: Store, session: Session, word: str) -> StoredExchange:
    place = f"{session.recording.name}/{session.number}"
    number = None if word == LAST else _number(word, "an exchange")
    if number is not None:
        return _numbered(store, session, number, place)
    newest = _last(store.exchanges(session))
    if newest is None:
        raise UserError(f"Session {place} has no exchanges.", "Its client sent no command.")
    return newest


def _numbered(store: Store, session: Session, number: int, place: str) -> StoredExchange:
    found = next(store.exchanges(session, after=number - 1), None) if number > 0 else None
    if found is not None and found.exchange.number == number:
        return found
    newest = _last(store.exchanges(session))
    hint = f"Its last one is {newest.exchange.number}: `imaptap show {place}`." if newest else "It has none."
    raise UserError(f"Session {place} has no exchange {number}.", hint)


def _number(word: str, what: str) -> int:
    if not (word.isascii() and word.isdecimal()) or len(word) > 18:  # more than a database can count
        raise UserError(f"{word!r} cannot be the number of {what}.", f"Write a number, or {LAST}.")
    return int(word)


def _last(values: Iterator[_T]) -> _T | None:
    newest = collections.deque(values, maxlen=1)
    return newest[0] if newest else None
