"""The schema's revision: which one a database has, and bringing it up to ours with alembic."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Column, MetaData, Table, Text, inspect, select

from storage.engine import WRITING

if TYPE_CHECKING:
    from sqlalchemy import Connection, Engine

HEAD: Final = "0010"
"""The revision this program reads and writes. It stands here so that opening a store need not load alembic."""

VERSION_TABLE: Final = "imaptap_version"
"""Alembic's table under a name of our own: in PostgreSQL another program may have its own beside us."""

_SCRIPTS: Final = Path(__file__).parent / "migrations"
_LOCK: Final = 0x494D4150
_version = Table(VERSION_TABLE, MetaData(), Column("version_num", Text))


def revision(connection: Connection) -> str | None:
    """The revision of the schema in this database; None where there is no schema of ours."""
    if not inspect(connection).has_table(VERSION_TABLE):
        return None
    return connection.execute(select(_version.c.version_num)).scalar()


def known(name: str) -> bool:
    """Whether `name` is a revision that this program can start from."""
    from alembic.script import ScriptDirectory  # noqa: PLC0415  seldom needed, slow to load

    return name in {script.revision for script in ScriptDirectory(str(_SCRIPTS)).walk_revisions()}


def upgrade(engine: Engine, *, to: str = "head") -> None:
    """Bring the schema to revision `to` in one transaction: all of it or nothing."""
    from alembic import command  # noqa: PLC0415  seldom needed, slow to load
    from alembic.config import Config  # noqa: PLC0415

    config = Config()
    config.set_main_option("script_location", str(_SCRIPTS).replace("%", "%%"))
    with engine.connect().execution_options(**WRITING) as connection, connection.begin():
        if connection.dialect.name == "postgresql":  # two recorders starting at once: one migrates, the other waits
            connection.exec_driver_sql(f"SELECT pg_advisory_xact_lock({_LOCK})")
        config.attributes["connection"] = connection
        command.upgrade(config, to)
