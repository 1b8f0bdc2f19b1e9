"""Alembic comes here to learn which connection to use: the one it was handed. No configuration file, no logging."""

from __future__ import annotations

from alembic import context

from storage.migrate import VERSION_TABLE

context.configure(connection=context.config.attributes["connection"], version_table=VERSION_TABLE)
context.run_migrations()
