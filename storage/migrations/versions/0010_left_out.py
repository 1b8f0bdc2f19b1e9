"""Pieces of which not even the hash was kept, `imaptap record --bodies none`: `left_out` is empty, as the view says."""

from __future__ import annotations

from alembic import op

revision = "0010"
down_revision = "0009"
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
    CASE WHEN length(p.left_out) = 0 THEN '(' || p.length || ' bytes of a literal, not kept)'
        WHEN p.left_out IS NOT NULL
        THEN '(' || p.length || ' bytes of a literal, not kept, sha256 ' || {left_out} || ')'
        WHEN p.body_id IS NULL THEN {readable}
        ELSE '(' || p.length || ' bytes of a literal, blake3 ' || {body} || ')' END AS text,
    p.session_id, p.at
FROM piece p JOIN session s ON s.id = p.session_id JOIN recording r ON r.id = s.recording_id
    LEFT JOIN body b ON b.id = p.body_id"""


def upgrade() -> None:
    """Make the view anew."""
    connection = op.get_bind()
    words = POSTGRESQL if connection.dialect.name == "postgresql" else SQLITE
    for statement in ("DROP VIEW stream", STREAM):
        connection.exec_driver_sql(statement.format(**words))
