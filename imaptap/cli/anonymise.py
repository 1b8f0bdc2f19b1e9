"""`imaptap anonymise`: a recording that may be shown to others."""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path
from typing import TYPE_CHECKING

import click

from certs.privacy import exposed
from imaptap.cli.address import find
from imaptap.cli.cassettes import cassette, opened, temporary, unused_name
from imaptap.cli.errors import UserError
from imaptap.cli.options import db_option
from imaptap.cli.terminal import Output
from imaptap.cli.written import written_file
from imaptap.meaning.words import counted
from imaptap.privacy.policy import Level, Policy, PolicyError, of_level, read_policy
from imaptap.privacy.pseudonyms import KEY_BYTES
from imaptap.privacy.rules import Rules
from imaptap.privacy.run import anonymised
from storage import open_store
from storage.cassette import export_cassette, record_unsigned

if TYPE_CHECKING:
    from collections.abc import Generator

    from storage import Recording, Store

_FILE = click.Path(dir_okay=False, path_type=Path)
_KEY_MOST = 4096
_NAME = "anonymised"


@click.command(short_help="Make a copy of a recording that is safe to show.")
@click.argument("address", metavar="RECORDING[/SESSION]|CASSETTE")
@click.option(
    "--level",
    type=click.Choice([level.value for level in Level]),
    default=Level.ALL.value,
    show_default=True,
    help="What is replaced; each level has all of those before it.",
)
@click.option("--policy", type=_FILE, help="A TOML file that says otherwise, thing by thing (docs/privacy.md).")
@click.option(
    "--key",
    type=_FILE,
    help="Keep the key of the pseudonyms there, or take it from there: equal names for another recording.",
)
@click.option("--name", metavar="NAME", help=f"What to call the new recording (default: {_NAME}).")
@click.option("-o", "--output", type=_FILE, help="Write a cassette to FILE in place of a recording.")
@db_option
def anonymise(
    address: str, level: str, policy: Path | None, key: Path | None, name: str | None, output: Path | None, db: str
) -> None:
    """Make a new recording in which names, addresses, subjects, mailboxes, hosts, ids, texts and attachments are
    replaced by pseudonyms, and dates are moved.

    Each is as long as what it stands for, and equal ones are replaced alike, so that the new recording is shown,
    served, replayed and compared as the old one, which is not changed. `imaptap scan` looks for what was missed.
    """
    if output is not None and name is not None:
        raise UserError("--name is for a recording, -o writes a cassette.", "Give one of them.")
    _need_another(address, output)
    chosen = _policy(Level(level), policy)
    with opened(db, address) as (store, there), _target(store, db, address, output) as target:
        place = find(store, there)
        if place.exchange is not None:
            raise UserError(f"{address!r} is one exchange.", f"Give its session: {address.rpartition('/')[0]}.")
        rules = Rules(chosen, _key(key))
        statements = anonymised(store, place.recording, rules, place.session)
        made = record_unsigned(target, statements, name or unused_name(target, _NAME))
        if output is not None:
            with written_file(output, store) as file:
                export_cassette(target, made, lambda text: file.write(text.encode()))
        _say(target, made, level, address, output, key)


def _need_another(address: str, output: Path | None) -> None:
    """Raise UserError where the copy would take the place of what it is made of."""
    source = cassette(address)
    if source is not None and output is not None and output.exists() and output.samefile(source[0]):
        raise UserError(f"{output} is what is to be copied.", "Name another file: nothing leads back from pseudonyms.")


def _say(store: Store, made: Recording, level: str, address: str, output: Path | None, key: Path | None) -> None:
    totals = store.totals(made)
    counts = f"{counted(totals.sessions, 'session')}, {counted(totals.exchanges, 'exchange')}"
    where = str(output) if output else f"{made.id}  {made.name}"
    kept = f"the key is in {key}" if key else "the key is thrown away"
    Output().say(f"Anonymised {address} as {where}: {counts}; level {level}, {kept}")


def _policy(level: Level, path: Path | None) -> Policy:
    base = of_level(level)
    if path is None:
        return base
    try:
        return read_policy(path, base)
    except PolicyError as error:
        raise UserError(str(error), error.hint) from error
    except OSError as error:
        raise _unreadable(path, error) from error


def _key(path: Path | None) -> bytes:
    """The key in this file, which is made if it is not there; without a file one that nobody will know."""
    if path is None:
        return secrets.token_bytes(KEY_BYTES)
    try:
        with path.open("rb") as file:
            key = file.read(_KEY_MOST + 1).strip()
        concern = exposed(path, "key")
    except FileNotFoundError:
        return _new_key(path)
    except OSError as error:
        raise _unreadable(path, error) from error
    if not KEY_BYTES <= len(key) <= _KEY_MOST:
        hint = f"Name a file that is not there yet: {KEY_BYTES} to {_KEY_MOST} bytes are written into it."
        raise UserError(f"The file {path} is no key: it has {len(key)} bytes.", hint)
    if concern is not None:
        raise UserError(concern.message, concern.hint)
    return key


def _new_key(path: Path) -> bytes:
    key = secrets.token_hex(KEY_BYTES).encode()
    try:
        with open(path, "xb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
            file.write(key + b"\n")
    except OSError as error:
        reason = (error.strerror or str(error)).lower()
        raise UserError(f"The key cannot be written to {path}: {reason}.", "Name another file.") from error
    return key


def _unreadable(path: Path, error: OSError) -> UserError:
    reason = (error.strerror or str(error)).lower()
    return UserError(f"The file {path} cannot be read: {reason}.", "Check its name and its permissions.")


@contextlib.contextmanager
def _target(store: Store, db: str, address: str, output: Path | None) -> Generator[Store, None, None]:
    """Where the new recording comes to: a store that goes away, if a cassette is made of it."""
    if output is not None:
        with temporary() as made:
            yield made
    elif cassette(address) is None:
        yield store
    else:
        with open_store(db, create=True) as made:
            yield made
