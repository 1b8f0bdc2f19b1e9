"""The newest schema of a SQLite file in one go: what all migrations together come to, without loading alembic.

It is SQL, so that `sqlite3 FILE .schema` shows people these very lines with their comments. What changes in a new
revision under `migrations/` changes here too; a test compares. PostgreSQL takes the way of the migrations.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final

from storage.engine import WRITING
from storage.migrate import HEAD, VERSION_TABLE

if TYPE_CHECKING:
    from sqlalchemy import Engine

_RECORDED: Final = """
CREATE TABLE recording (
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
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
    id INTEGER NOT NULL PRIMARY KEY,
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
    id INTEGER NOT NULL PRIMARY KEY AUTOINCREMENT,
    session_id BIGINT NOT NULL REFERENCES session (id) ON DELETE CASCADE,
    number BIGINT NOT NULL,
    tag TEXT NOT NULL,
    command TEXT NOT NULL,
    arguments TEXT NOT NULL,  -- secrets masked, literals as {n}
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
) WITHOUT ROWID;
CREATE TABLE extent (
    id INTEGER NOT NULL PRIMARY KEY,
    data BLOB NOT NULL  -- bodies, one behind the other
);
CREATE TABLE body (
    id INTEGER NOT NULL PRIMARY KEY,
    blake3 BLOB NOT NULL UNIQUE,
    length BIGINT NOT NULL,
    encoding TEXT NOT NULL DEFAULT 'identity',
    extent_id BIGINT REFERENCES extent (id),
    "offset" INTEGER NOT NULL DEFAULT 0  -- of its first byte in extent.data
);
CREATE INDEX body_extent ON body (extent_id);
CREATE TABLE piece (
    session_id BIGINT NOT NULL REFERENCES session (id) ON DELETE CASCADE,
    direction SMALLINT NOT NULL,
    "offset" BIGINT NOT NULL,
    length BIGINT NOT NULL,
    at BIGINT NOT NULL,
    layer SMALLINT NOT NULL,  -- 1 TLS, 2 DEFLATE, added up
    chunks BLOB,  -- null: one chunk; else u32 length, u64 microseconds since "at", little-endian, repeated
    literal_start BIGINT,
    literal_length BIGINT,
    body_id BIGINT REFERENCES body (id),
    data BLOB,
    left_out BLOB,  -- SHA-256 of the bytes, or nothing, where they were not kept
    PRIMARY KEY (session_id, direction, "offset")
) WITHOUT ROWID;
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
    received BLOB,
    sent BLOB,
    PRIMARY KEY (recording_id, number)
) WITHOUT ROWID;
CREATE INDEX event_session ON event (session_id, number);
CREATE TABLE note (
    id INTEGER NOT NULL PRIMARY KEY,
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

_FILTER: Final = """
CREATE TABLE filter_state (
    recording_id BIGINT NOT NULL PRIMARY KEY REFERENCES recording (id) ON DELETE CASCADE,
    version INTEGER NOT NULL,  -- of the program that made it: any other makes it anew
    upto BIGINT NOT NULL,  -- exchange.id: all up to here are in the index, but for those that are pending
    complete SMALLINT NOT NULL,  -- 1: the recording has ended, and all of it is in the index
    first BIGINT NOT NULL DEFAULT 0  -- exchange.id: the first one of the recording in the index
) WITHOUT ROWID;
CREATE TABLE filter_pending (
    exchange_id BIGINT NOT NULL PRIMARY KEY,  -- not in the index: it may still change
    recording_id BIGINT NOT NULL
) WITHOUT ROWID;
CREATE TABLE filter_kind (
    id INTEGER NOT NULL PRIMARY KEY,
    about TEXT NOT NULL,  -- exchange, mailbox, flags or session
    facts TEXT NOT NULL,  -- JSON: [fact, word] pairs, in lower case
    UNIQUE (about, facts)
);
CREATE TABLE filter_session (
    session_id INTEGER NOT NULL PRIMARY KEY,
    kind_id BIGINT NOT NULL,
    address TEXT NOT NULL,  -- of the client, in lower case
    host TEXT NOT NULL  -- the same without the port
);
CREATE TABLE filter_row (
    exchange_id INTEGER NOT NULL PRIMARY KEY,
    recording_id BIGINT NOT NULL,
    session_id BIGINT NOT NULL,
    kind_id BIGINT NOT NULL,
    mailbox_id BIGINT NOT NULL,  -- filter_kind.id; 0: none
    flags_id BIGINT NOT NULL,  -- filter_kind.id; 0: none
    at BIGINT NOT NULL,  -- microseconds since 1970 UTC
    took BIGINT NOT NULL,  -- microseconds; -1: it has not ended
    client_bytes BIGINT NOT NULL,
    server_bytes BIGINT NOT NULL,
    tag TEXT NOT NULL,  -- in lower case
    place BIGINT NOT NULL DEFAULT 0,  -- of PostgreSQL only
    uid_low BIGINT NOT NULL DEFAULT -1,  -- -1: none
    uid_high BIGINT NOT NULL DEFAULT -1,
    date_first BIGINT NOT NULL DEFAULT -1,  -- microseconds since 1970 UTC; -1: none
    date_last BIGINT NOT NULL DEFAULT -1
);
CREATE TABLE filter_uid (
    low BIGINT NOT NULL,
    high BIGINT NOT NULL,
    exchange_id BIGINT NOT NULL,
    PRIMARY KEY (low, high, exchange_id)
) WITHOUT ROWID;
CREATE TABLE filter_date (
    at BIGINT NOT NULL,  -- microseconds since 1970 UTC
    exchange_id BIGINT NOT NULL,
    PRIMARY KEY (at, exchange_id)
) WITHOUT ROWID
"""

_HAS_FTS5: Final = "SELECT 1 FROM pragma_module_list WHERE name = 'fts5'"
_WORDS: Final = """
CREATE VIRTUAL TABLE filter_text USING fts5(words, content='', columnsize=0, tokenize='ascii', prefix='1 2')
"""

_VIEWS: Final = """
CREATE VIEW sessions AS SELECT r.name AS recording, s.number AS session,
    strftime('%Y-%m-%dT%H:%M:%f', (s.wall) / 1000000.0, 'unixepoch') || 'Z' AS time,
    s.client, s.listen, s.upstream, s.ending, s.reason, s.at_end / 1000000.0 AS seconds, s.client_bytes, s.server_bytes,
    (SELECT count(*) FROM exchange e WHERE e.session_id = s.id) AS exchanges, s.id AS session_id
FROM session s JOIN recording r ON r.id = s.recording_id;
CREATE VIEW exchanges AS SELECT r.name AS recording, s.number AS session, e.number AS exchange,
    strftime('%Y-%m-%dT%H:%M:%f', (s.wall + e.started) / 1000000.0, 'unixepoch') || 'Z' AS time,
    e.tag, e.command, e.arguments, e.mailbox, e.status, e.code, e.text,
    (e.ended - e.started) / 1000.0 AS ms, e.client_bytes, e.server_bytes, e.responses, e.outcome, e.marks, e.id
FROM exchange e JOIN session s ON s.id = e.session_id JOIN recording r ON r.id = s.recording_id;
CREATE VIEW events AS SELECT r.name AS recording, s.number AS session,
    strftime('%Y-%m-%dT%H:%M:%f', (coalesce(s.wall, r.started) + e.at) / 1000000.0, 'unixepoch') || 'Z' AS time,
    e.kind, e.name, e.text, CASE e.direction WHEN 0 THEN 'C' WHEN 1 THEN 'S' END AS side,
    e."offset", e.length, CAST(e.received AS TEXT) AS received, CAST(e.sent AS TEXT) AS sent
FROM event e JOIN recording r ON r.id = e.recording_id LEFT JOIN session s ON s.id = e.session_id;
CREATE VIEW stream AS SELECT r.name AS recording, s.number AS session,
    strftime('%Y-%m-%dT%H:%M:%f', (s.wall + p.at) / 1000000.0, 'unixepoch') || 'Z' AS time,
    CASE p.direction WHEN 0 THEN 'C' WHEN 1 THEN 'S' END AS side, p."offset", p.length,
    CASE WHEN length(p.left_out) = 0 THEN '(' || p.length || ' bytes of a literal, not kept)'
        WHEN p.left_out IS NOT NULL
        THEN '(' || p.length || ' bytes of a literal, not kept, sha256 ' || lower(hex(p.left_out)) || ')'
        WHEN p.body_id IS NULL THEN CAST(p.data AS TEXT)
        ELSE '(' || p.length || ' bytes of a literal, blake3 ' || lower(hex(b.blake3)) || ')' END AS text,
    p.session_id, p.at
FROM piece p JOIN session s ON s.id = p.session_id JOIN recording r ON r.id = s.recording_id
    LEFT JOIN body b ON b.id = p.body_id;
CREATE VIEW bodies AS SELECT b.id, lower(hex(b.blake3)) AS blake3, b.length,
    substr(e.data, b."offset" + 1, CAST(b.length AS INTEGER)) AS data
FROM body b JOIN extent e ON e.id = b.extent_id
"""

_VERSION: Final = f"""
CREATE TABLE {VERSION_TABLE} (
    version_num VARCHAR(32) NOT NULL,
    CONSTRAINT {VERSION_TABLE}_pkc PRIMARY KEY (version_num)
);
INSERT INTO {VERSION_TABLE} VALUES ('{HEAD}')
"""  # noqa: S608 - only words from this program go in


def make(engine: Engine) -> None:
    """Make all tables, indexes and views of revision HEAD in an empty SQLite file, in one transaction.

    Without FTS5 in SQLite, words are searched without an index.
    """
    with engine.connect().execution_options(**WRITING) as connection, connection.begin():
        words = _WORDS if connection.exec_driver_sql(_HAS_FTS5).first() else ""
        for part in filter(None, (_RECORDED, _FILTER, words, _VIEWS, _VERSION)):
            for statement in part.strip().split(";\n"):
                connection.exec_driver_sql(statement)
