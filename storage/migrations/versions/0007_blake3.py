"""Bodies are known by their BLAKE3: it takes a fifth to a half of the time that SHA-256 took.

The bytes of older bodies are hashed anew. One that has other bytes than its SHA-256 says keeps that, which is no BLAKE3
of anything: `imaptap check` must go on to find it. `piece.left_out` stays SHA-256, for its bytes are nowhere.
"""

from __future__ import annotations

import hashlib
from typing import TYPE_CHECKING

from alembic import op
from blake3 import blake3
from sqlalchemy import text

if TYPE_CHECKING:
    from sqlalchemy import Connection

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None

SQLITE = {
    "time": "strftime('%Y-%m-%dT%H:%M:%f', (s.wall + p.at) / 1000000.0, 'unixepoch') || 'Z'",
    "readable": "CAST(p.data AS TEXT)",
    "body": "lower(hex(b.blake3))",
    "left_out": "lower(hex(p.left_out))",
}
POSTGRESQL = {
    "time": """to_char(to_timestamp((s.wall + p.at) / 1000000.0) AT TIME ZONE 'UTC',
        'YYYY-MM-DD"T"HH24:MI:SS.MS"Z"')""",
    "readable": "encode(p.data, 'escape')",
    "body": "encode(b.blake3, 'hex')",
    "left_out": "encode(p.left_out, 'hex')",
}

STREAM = """CREATE VIEW stream AS SELECT r.name AS recording, s.number AS session,
    {time} AS time,
    CASE p.direction WHEN 0 THEN 'C' WHEN 1 THEN 'S' END AS side, p."offset", p.length,
    CASE WHEN p.left_out IS NOT NULL
        THEN '(' || p.length || ' bytes of a literal, not kept, sha256 ' || {left_out} || ')'
        WHEN p.body_id IS NULL THEN {readable}
        ELSE '(' || p.length || ' bytes of a literal, blake3 ' || {body} || ')' END AS text,
    p.session_id, p.at
FROM piece p JOIN session s ON s.id = p.session_id JOIN recording r ON r.id = s.recording_id
    LEFT JOIN body b ON b.id = p.body_id"""

BODIES = """CREATE VIEW bodies AS SELECT b.id, {body} AS blake3, b.length,
    substr(e.data, b."offset" + 1, CAST(b.length AS INTEGER)) AS data
FROM body b JOIN extent e ON e.id = b.extent_id"""


def upgrade() -> None:
    """Rename the column, hash all bodies anew, and have the views say what it is."""
    connection = op.get_bind()
    postgresql = connection.dialect.name == "postgresql"
    words = POSTGRESQL if postgresql else SQLITE
    for statement in ("DROP VIEW stream", "DROP VIEW bodies", "ALTER TABLE body RENAME COLUMN sha256 TO blake3"):
        connection.exec_driver_sql(statement)
    if postgresql:
        connection.exec_driver_sql("ALTER TABLE body RENAME CONSTRAINT body_sha256_key TO body_blake3_key")
    for extent in list(connection.execute(text("SELECT id FROM extent ORDER BY id")).scalars()):
        _hash(connection, extent)
    for statement in (STREAM, BODIES):
        connection.exec_driver_sql(statement.format(**words))


def _hash(connection: Connection, extent: int) -> None:
    """Hash the bodies of one extent anew."""
    bodies = text('SELECT id, blake3, "offset", length FROM body WHERE extent_id = :extent')
    data = bytes(connection.execute(text("SELECT data FROM extent WHERE id = :id"), {"id": extent}).scalar_one())
    fresh: list[dict[str, object]] = []
    for row in connection.execute(bodies, {"extent": extent}):
        said = data[row.offset : row.offset + row.length]
        if hashlib.sha256(said).digest() == bytes(row.blake3):
            fresh.append({"id": row.id, "blake3": blake3(said).digest()})
    if fresh:
        connection.execute(text("UPDATE body SET blake3 = :blake3 WHERE id = :id"), fresh)
