"""The first schema, as SQL, so that `sqlite3 FILE .schema` shows people these very lines with their comments.

`{id}`, `{blob}` and so on are where SQLite and PostgreSQL differ.
"""

from __future__ import annotations

from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

SQLITE = {
    "id": "INTEGER NOT NULL PRIMARY KEY",
    "rising": "INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT",
    "blob": "BLOB",
    "keyed": "WITHOUT ROWID",
}
POSTGRESQL = {"id": "BIGSERIAL PRIMARY KEY", "rising": "BIGSERIAL PRIMARY KEY", "blob": "BYTEA", "keyed": ""}

TABLES = """
CREATE TABLE recording (
    id {rising},
    name TEXT NOT NULL UNIQUE,
    started BIGINT NOT NULL,  -- microseconds since 1970 UTC, as are ended and seen
    ended BIGINT,  -- null: still being recorded, or interrupted
    seen BIGINT NOT NULL,  -- last sign of life of the recorder, every 5 s
    host TEXT NOT NULL,
    pid INTEGER NOT NULL,
    version TEXT NOT NULL,
    settings TEXT NOT NULL
);
CREATE TABLE session (
    id {id},
    recording_id BIGINT NOT NULL REFERENCES recording (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    wall BIGINT NOT NULL,  -- microseconds since 1970 UTC; every "at" below counts from here
    at_end BIGINT,
    client TEXT NOT NULL,
    listen TEXT NOT NULL,
    upstream TEXT NOT NULL,
    ending TEXT,  -- null: still open
    reason TEXT,
    client_bytes BIGINT,
    server_bytes BIGINT,
    UNIQUE (recording_id, number)
);
CREATE TABLE exchange (
    id {rising},
    session_id BIGINT NOT NULL REFERENCES session (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    tag TEXT NOT NULL,
    command TEXT NOT NULL,
    arguments TEXT NOT NULL,  -- secrets masked, literals as {{n}}
    mailbox TEXT,
    origin TEXT NOT NULL,
    outcome TEXT NOT NULL,
    status TEXT,
    code TEXT,
    text TEXT,
    started BIGINT NOT NULL,  -- microseconds since session.wall, as is ended
    ended BIGINT,
    client_bytes BIGINT NOT NULL,
    server_bytes BIGINT NOT NULL,
    responses TEXT,  -- JSON object: untagged data by kind
    marks TEXT,  -- JSON array of words
    UNIQUE (session_id, number)
);
CREATE INDEX exchange_open ON exchange (session_id) WHERE outcome = 'open';
CREATE TABLE span (
    session_id BIGINT NOT NULL REFERENCES session (id) ON DELETE CASCADE,
    exchange BIGINT NOT NULL,  -- exchange.number, 0: of no exchange
    direction SMALLINT NOT NULL,  -- 0 client, 1 server
    start BIGINT NOT NULL,  -- offsets in the stream of the direction: start up to "end"
    "end" BIGINT NOT NULL,
    first_at BIGINT NOT NULL,
    last_at BIGINT NOT NULL,
    units BIGINT NOT NULL,
    certainty TEXT NOT NULL,
    open TEXT,  -- JSON array of exchange numbers
    PRIMARY KEY (session_id, exchange, direction, start)
) {keyed};
CREATE TABLE body (
    id {id},
    sha256 {blob} NOT NULL UNIQUE,
    length BIGINT NOT NULL,
    encoding TEXT NOT NULL DEFAULT 'identity',
    data {blob} NOT NULL
);
CREATE TABLE piece (
    session_id BIGINT NOT NULL REFERENCES session (id) ON DELETE CASCADE,
    direction SMALLINT NOT NULL,
    "offset" BIGINT NOT NULL,
    length BIGINT NOT NULL,
    at BIGINT NOT NULL,
    layer SMALLINT NOT NULL,  -- 1 TLS, 2 DEFLATE, added up
    chunks {blob},  -- null: one chunk; else u32 length, u64 microseconds since "at", little-endian, repeated
    literal_start BIGINT,
    literal_length BIGINT,
    body_id BIGINT REFERENCES body (id),
    data {blob},
    PRIMARY KEY (session_id, direction, "offset")
) {keyed};
CREATE INDEX piece_body ON piece (body_id) WHERE body_id IS NOT NULL;
CREATE TABLE event (
    recording_id BIGINT NOT NULL REFERENCES recording (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    session_id BIGINT REFERENCES session (id) ON DELETE CASCADE,
    at BIGINT NOT NULL,  -- since session.wall; without a session since recording.started
    kind TEXT NOT NULL,
    name TEXT NOT NULL,
    text TEXT NOT NULL,
    direction SMALLINT,
    "offset" BIGINT,
    length BIGINT,
    received {blob},
    sent {blob},
    PRIMARY KEY (recording_id, number)
) {keyed};
CREATE INDEX event_session ON event (session_id, number);
CREATE TABLE note (
    id {id},
    recording_id BIGINT NOT NULL REFERENCES recording (id) ON DELETE CASCADE,
    session_id BIGINT REFERENCES session (id) ON DELETE CASCADE,
    exchange_id BIGINT REFERENCES exchange (id) ON DELETE CASCADE,
    written BIGINT NOT NULL,
    text TEXT NOT NULL
);
CREATE INDEX note_recording ON note (recording_id);
CREATE INDEX note_session ON note (session_id);
CREATE INDEX note_exchange ON note (exchange_id)
"""

# How each database turns microseconds into ISO text and raw bytes into something one can read.
SQLITE_WORDS = {
    "time": "strftime('%Y-%m-%dT%H:%M:%f', ({}) / 1000000.0, 'unixepoch') || 'Z'",
    "readable": "CAST({} AS TEXT)",
    "hex": "lower(hex({}))",
}
POSTGRESQL_WORDS = {
    "time": "to_char(to_timestamp(({}) / 1000000.0) AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.MS\"Z\"')",
    "readable": "encode({}, 'escape')",
    "hex": "encode({}, 'hex')",
}


def views(words: dict[str, str]) -> tuple[str, ...]:
    """The views of this revision, in the language of one database."""
    time, readable, digest = words["time"], words["readable"], words["hex"]
    who = "CASE {}.direction WHEN 0 THEN 'C' WHEN 1 THEN 'S' END AS side"
    joined = "JOIN session s ON s.id = {0}.session_id JOIN recording r ON r.id = s.recording_id"
    # ruff: noqa: S608  (only words from above go in)
    return (
        f"""CREATE VIEW sessions AS SELECT r.name AS recording, s.number AS session, {time.format("s.wall")} AS time,
    s.client, s.listen, s.upstream, s.ending, s.reason, s.at_end / 1000000.0 AS seconds, s.client_bytes, s.server_bytes,
    (SELECT count(*) FROM exchange e WHERE e.session_id = s.id) AS exchanges, s.id AS session_id
FROM session s JOIN recording r ON r.id = s.recording_id""",
        f"""CREATE VIEW exchanges AS SELECT r.name AS recording, s.number AS session, e.number AS exchange,
    {time.format("s.wall + e.started")} AS time, e.tag, e.command, e.arguments, e.mailbox, e.status, e.code, e.text,
    (e.ended - e.started) / 1000.0 AS ms, e.client_bytes, e.server_bytes, e.responses, e.outcome, e.marks, e.id
FROM exchange e {joined.format("e")}""",
        f"""CREATE VIEW stream AS SELECT r.name AS recording, s.number AS session,
    {time.format("s.wall + p.at")} AS time, {who.format("p")}, p."offset", p.length,
    CASE WHEN p.body_id IS NULL THEN {readable.format("p.data")}
        ELSE '(' || p.length || ' bytes of a literal, sha256 ' || {digest.format("b.sha256")} || ')' END AS text,
    p.session_id, p.at
FROM piece p {joined.format("p")} LEFT JOIN body b ON b.id = p.body_id""",
        f"""CREATE VIEW events AS SELECT r.name AS recording, s.number AS session,
    {time.format("coalesce(s.wall, r.started) + e.at")} AS time, e.kind, e.name, e.text, {who.format("e")},
    e."offset", e.length, {readable.format("e.received")} AS received, {readable.format("e.sent")} AS sent
FROM event e JOIN recording r ON r.id = e.recording_id LEFT JOIN session s ON s.id = e.session_id""",
    )


def upgrade() -> None:
    """Make all tables, indexes and views."""
    postgresql = op.get_bind().dialect.name == "postgresql"
    for statement in TABLES.format(**(POSTGRESQL if postgresql else SQLITE)).split(";\n"):
        op.get_bind().exec_driver_sql(statement.strip())
    for statement in views(POSTGRESQL_WORDS if postgresql else SQLITE_WORDS):
        op.get_bind().exec_driver_sql(statement)
    if postgresql:
        # Mail is long and seldom repeats itself: trying to compress it costs more than it saves.
        op.execute("ALTER TABLE body ALTER COLUMN data SET STORAGE EXTERNAL")
