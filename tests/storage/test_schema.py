"""The schema is one thing in four places: tables, migrations, what a new file gets, documentation."""

from __future__ import annotations

import re
import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import create_engine, inspect

from storage import Store, migrate, open_store, tables
from storage.engine import sqlite_engine
from tests.need import ROOT

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from sqlalchemy import Connection

    from tests.servers.postgresql import PostgreSQL

VIEWS = ("sessions", "exchanges", "stream", "bodies", "events")
TABLES = frozenset(tables.metadata.tables)


def columns(connection: Connection) -> Iterator[tuple[str, str]]:
    inspector = inspect(connection)
    for name in (*inspector.get_table_names(), *inspector.get_view_names()):
        # Of an FTS5 table SQLite keeps the parts under names of its own.
        if name != migrate.VERSION_TABLE and not name.startswith(f"{tables.FILTER_TEXT}_"):
            yield from ((name, column["name"]) for column in inspector.get_columns(name))


def shape(connection: sqlite3.Connection) -> dict[str, object]:
    """All that SQLite knows of each table: columns, keys, foreign keys, indexes, and whether rows are numbered."""

    def ask(pragma: str, name: str) -> list[tuple[object, ...]]:
        return sorted(row[1:] for row in connection.execute(f"SELECT 0, * FROM pragma_{pragma}(?)", (name,)))  # noqa: S608

    def indexes(table: str) -> list[object]:
        found = ask("index_list", table)
        named = [(row[1] if row[3] == "c" else "", *row[2:], tuple(ask("index_info", str(row[1])))) for row in found]
        return sorted(named, key=repr)

    def keys(table: str) -> list[tuple[object, ...]]:
        return sorted(row[2:] for row in ask("foreign_key_list", table))

    return {
        name: (ask("table_info", name), keys(name), indexes(name), "AUTOINCREMENT" in sql, "WITHOUT ROWID" in sql)
        for name, sql in connection.execute("SELECT name, sql FROM sqlite_schema WHERE type = 'table'")
        if name in TABLES
    }


def test_migrations_make_the_tables_that_the_program_uses(sqlite: Store, tmp_path: Path) -> None:
    plain = create_engine(f"sqlite:///{tmp_path / 'plain.db'}")
    tables.metadata.create_all(plain)
    plain.dispose()
    with (
        closing(sqlite3.connect(tmp_path / "plain.db")) as declared,
        closing(sqlite3.connect(tmp_path / "recordings.db")) as migrated,
    ):
        assert shape(migrated) == shape(declared)
        assert len(shape(migrated)) == len(tables.metadata.tables) == 16


def defined(connection: sqlite3.Connection) -> dict[str, str]:
    """All that has a name but the tables whose `shape` is compared: views, indexes, the index of words, the version."""
    found = connection.execute("SELECT name, sql FROM sqlite_schema WHERE sql IS NOT NULL")
    return {name: " ".join(re.sub(r"[\s,]+", " ", sql).split()) for name, sql in found if name not in TABLES}


def test_a_new_file_is_what_all_migrations_come_to(sqlite: Store, tmp_path: Path) -> None:
    (tmp_path / "stepwise.db").touch()
    stepwise = sqlite_engine(tmp_path / "stepwise.db", mode="rw")
    migrate.upgrade(stepwise)
    stepwise.dispose()
    with (
        closing(sqlite3.connect(tmp_path / "stepwise.db")) as migrated,
        closing(sqlite3.connect(tmp_path / "recordings.db")) as new,
    ):
        assert shape(new) == shape(migrated)
        assert defined(new) == defined(migrated)
        assert {*VIEWS, migrate.VERSION_TABLE, tables.FILTER_TEXT, "piece_body"} <= defined(new).keys()
        versions = [db.execute(f"SELECT * FROM {migrate.VERSION_TABLE}").fetchall() for db in (new, migrated)]  # noqa: S608
        assert versions == [[(migrate.HEAD,)]] * 2


def test_migrations_make_them_in_postgresql_too(postgresql: PostgreSQL) -> None:
    with open_store(postgresql.new_database(), create=True) as store, store.reading() as connection:
        names = {"include_name": lambda name, kind, _: kind != "table" or name not in tables.FILTER_OWN}
        context = MigrationContext.configure(connection, opts={"version_table": migrate.VERSION_TABLE, **names})
        assert compare_metadata(context, tables.metadata) == []


def test_every_name_is_there(store: Store) -> None:
    with store.reading() as connection:
        found = set(columns(connection))
    own = tables.FILTER_OWN if store.engine.dialect.name == "postgresql" else (tables.FILTER_TEXT,)
    assert {name for name, _ in found} == {*tables.metadata.tables, *VIEWS, *own}
    assert {(t.name, c.name) for t in tables.metadata.tables.values() for c in t.columns} <= found


def test_head_is_the_newest_revision() -> None:
    assert ScriptDirectory(str(migrate._SCRIPTS)).get_current_head() == migrate.HEAD


def test_every_table_view_and_column_is_documented(sqlite: Store) -> None:
    page = (ROOT / "docs" / "schema.md").read_text()
    sections = dict(re.findall(r"^### `(\w+)`\n(.*?)(?=^##|\Z)", page, re.DOTALL | re.MULTILINE))
    with sqlite.reading() as connection:
        for table, column in columns(connection):
            assert table in sections, f"docs/schema.md has no section for {table}"
            assert f"`{column}`" in sections[table], f"docs/schema.md does not say what {table}.{column} is"


def test_the_documented_queries_run(sqlite: Store) -> None:
    page = (ROOT / "docs" / "schema.md").read_text()
    queries = [
        query
        for block in re.findall(r"^```sql\n(.*?)^```", page, re.DOTALL | re.MULTILINE)
        for query in block.split(";\n")
    ]
    assert len(queries) > 4
    with sqlite.reading() as connection:
        for query in queries:
            if query.strip():
                connection.exec_driver_sql(query)
