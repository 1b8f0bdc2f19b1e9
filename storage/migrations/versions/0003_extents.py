"""Bodies move into extents: the bytes of many stand side by side in one row, where short ones leave no room unused.

Each body of an older file gets an extent of its own. The file's page size stays what it was.
"""

from __future__ import annotations

from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

SQLITE = {"id": "INTEGER NOT NULL PRIMARY KEY", "blob": "BLOB", "hex": "lower(hex(b.sha256))"}
POSTGRESQL = {"id": "BIGSERIAL PRIMARY KEY", "blob": "BYTEA", "hex": "encode(b.sha256, 'hex')"}

EXTENT = """CREATE TABLE extent (
    id {id},
    data {blob} NOT NULL  -- bodies, one behind the other
)"""

STATEMENTS = (
    "ALTER TABLE body ADD COLUMN extent_id BIGINT REFERENCES extent (id)",
    'ALTER TABLE body ADD COLUMN "offset" INTEGER NOT NULL DEFAULT 0',
    "INSERT INTO extent (id, data) SELECT id, data FROM body",
    "UPDATE body SET extent_id = id",
    "ALTER TABLE body DROP COLUMN data",
    "CREATE INDEX body_extent ON body (extent_id)",
    """CREATE VIEW bodies AS SELECT b.id, {hex} AS sha256, b.length,
    substr(e.data, b."offset" + 1, CAST(b.length AS INTEGER)) AS data
FROM body b JOIN extent e ON e.id = b.extent_id""",
)


def upgrade() -> None:
    """Make the table, move all bytes there, and make a view that shows each body with its own."""
    connection = op.get_bind()
    postgresql = connection.dialect.name == "postgresql"
    words = POSTGRESQL if postgresql else SQLITE
    connection.exec_driver_sql(EXTENT.format(**words))
    if postgresql:
        # Mail is long and seldom repeats itself: trying to compress it costs more than it saves. So can parts be read.
        connection.exec_driver_sql("ALTER TABLE extent ALTER COLUMN data SET STORAGE EXTERNAL")
    for statement in STATEMENTS:
        connection.exec_driver_sql(statement.format(**words))
    if postgresql:
        connection.exec_driver_sql(
            "SELECT setval('extent_id_seq', (SELECT coalesce(max(id), 0) + 1 FROM extent), false)"
        )
