"""Beginnings of one and of two letters are words of their own to SQLite's FTS5: `1*` need not be put together.

FTS5 tables cannot be altered, so the index is made anew. PostgreSQL has nothing of this.
"""

from __future__ import annotations

from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Make the table anew, where there is one."""
    run = op.get_bind().exec_driver_sql
    if op.get_bind().dialect.name == "postgresql":
        return
    if not run("SELECT 1 FROM sqlite_schema WHERE name = 'filter_text'").first():
        return
    run("PRAGMA secure_delete = ON")  # no word of what is removed later shall stay in pages that are free now
    run("DROP TABLE filter_text")
    run("CREATE VIRTUAL TABLE filter_text USING fts5(words, content='', columnsize=0, tokenize='ascii', prefix='1 2')")
    run("UPDATE filter_state SET version = 0")
