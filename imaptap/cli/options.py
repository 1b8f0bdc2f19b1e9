"""Options that several commands have, so that they are spelled, explained and defaulted alike."""

import enum
import functools
from collections.abc import Callable, Sequence
from typing import Any, TypeVar

import click
from click.core import ParameterSource

from certs.files import home, make_private_folder
from imaptap.cli.errors import UserError
from proxy.imap.letters.policy import Bodies
from storage import names_password

DB_FILE = "imaptap.db"

Option = Callable[[Callable[..., None]], Callable[..., None]]
T = TypeVar("T")


def as_one(value: Callable[..., T], options: Sequence[Option]) -> Callable[[Callable[[T], None]], Callable[..., None]]:
    """Gives a command all these options, in the order of its --help, as one `value` with their names."""

    def decorate(command: Callable[[T], None]) -> Callable[..., None]:
        @functools.wraps(command)
        def run(**typed: Any) -> None:
            command(value(**typed))

        decorated: Callable[..., None] = run
        for option in reversed(options):
            decorated = option(decorated)
        return decorated

    return decorate


def default_db() -> str:
    """The user's own database: in $IMAPTAP_HOME, or in the data folder of this system."""
    return str(home() / DB_FILE)


def with_folder(db: str) -> str:
    """The database `db`; where it is the user's own one, its folder is made if need be, for the owner's eyes only."""
    if db == default_db():
        make_private_folder(home())
    return db


def no_password(context: click.Context, option: click.Parameter, where: str | None) -> str | None:
    """Pass on what a --db option was given. Raises UserError for a password on the command line, which all can read."""
    typed = context.get_parameter_source(option.name or "") is ParameterSource.COMMANDLINE
    if typed and where is not None and names_password(where):
        raise UserError(
            "The URL of --db has a password in it, which other users and the shell's history can see.",
            "Put the URL into $IMAPTAP_DB, or the password into ~/.pgpass or $PGPASSWORD. Change the one typed here.",
        )
    return where


db_option = click.option(
    "--db",
    metavar="PATH|URL",
    callback=no_password,
    envvar="IMAPTAP_DB",
    show_envvar=True,
    default=default_db,
    show_default=f"{DB_FILE} in the data folder",
    help="The database: a SQLite file, or a postgresql:// URL.",
)
"""Gives the command a `db: str`."""


def choice_option(name: str, default: enum.StrEnum, explained: str) -> Option:
    """An option with the values of the default's enumeration, of which it gives a member."""
    kind = type(default)

    def member(_context: click.Context, _parameter: click.Parameter, value: str) -> enum.StrEnum:
        return kind(value)

    return click.option(
        name,
        # By value: click would show the names of the members, which are in capitals.
        type=click.Choice([each.value for each in kind], case_sensitive=False),
        callback=member,
        default=default.value,
        show_default=True,
        help=explained,
    )


bodies_option = choice_option(
    "--bodies",
    Bodies.FULL,
    "What to keep of letters: all (full), their headers, nothing (none), or nothing but a hash.",
)
"""Gives the command `bodies: Bodies`."""

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
"""Gives the command an `as_json: bool`."""
