"""Options that several commands have, so that they are spelled, explained and defaulted alike."""

import click

from certs.files import home

DB_FILE = "imaptap.db"


def default_db() -> str:
    """The user's own database: in $IMAPTAP_HOME, or in the data folder of this system."""
    return str(home() / DB_FILE)


db_option = click.option(
    "--db",
    metavar="PATH|URL",
    envvar="IMAPTAP_DB",
    show_envvar=True,
    default=default_db,
    show_default=f"{DB_FILE} in the data folder",
    help="The database: a SQLite file, or a postgresql:// URL.",
)
"""Gives the command a `db: str`."""

json_option = click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
"""Gives the command an `as_json: bool`."""
