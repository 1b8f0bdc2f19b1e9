"""The index for filters: tables that are derived from the others, and empty until somebody filters."""

from __future__ import annotations

from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

SQLITE = {"id": "INTEGER NOT NULL PRIMARY KEY", "key": "INTEGER NOT NULL PRIMARY KEY", "keyed": "WITHOUT ROWID"}
POSTGRESQL = {"id": "BIGSERIAL PRIMARY KEY", "key": "BIGINT NOT NULL PRIMARY KEY", "keyed": ""}

TABLES = """
CREATE TABLE filter_state (
    recording_id BIGINT NOT NULL PRIMARY KEY REFERENCES recording (id) ON DELETE CASCADE,
    version INTEGER NOT NULL,  -- of the program that made it: any other makes it anew
    upto BIGINT NOT NULL,  -- exchange.id: all up to here are in the index, but for those that are pending
    complete SMALLINT NOT NULL  -- 1: the recording has ended, and all of it is in the index
) {keyed};
CREATE TABLE filter_pending (
    exchange_id BIGINT NOT NULL PRIMARY KEY,  -- not in the index: it may still change
    recording_id BIGINT NOT NULL
) {keyed};
CREATE TABLE filter_kind (
    id {id},
    about TEXT NOT NULL,  -- exchange, mailbox, flags or session
    facts TEXT NOT NULL,  -- JSON: [fact, word] pairs, in lower case
    UNIQUE (about, facts)
);
CREATE TABLE filter_session (
    session_id {key},
    kind_id BIGINT NOT NULL,
    address TEXT NOT NULL,  -- of the client, in lower case
    host TEXT NOT NULL  -- the same without the port
);
CREATE TABLE filter_row (
    exchange_id {key},
    recording_id BIGINT NOT NULL,
    session_id BIGINT NOT NULL,
    kind_id BIGINT NOT NULL,
    mailbox_id BIGINT NOT NULL,  -- filter_kind.id; 0: none
    flags_id BIGINT NOT NULL,  -- filter_kind.id; 0: none
    at BIGINT NOT NULL,  -- microseconds since 1970 UTC
    took BIGINT NOT NULL,  -- microseconds; -1: it has not ended
    client_bytes BIGINT NOT NULL,
    server_bytes BIGINT NOT NULL,
    tag TEXT NOT NULL  -- in lower case
);
CREATE TABLE filter_uid (
    low BIGINT NOT NULL,
    high BIGINT NOT NULL,
    exchange_id BIGINT NOT NULL,
    PRIMARY KEY (low, high, exchange_id)
) {keyed}
"""


def upgrade() -> None:
    """Make all tables. Without FTS5 in SQLite, words are searched without an index."""
    run = op.get_bind().exec_driver_sql
    postgresql = op.get_bind().dialect.name == "postgresql"
    for statement in TABLES.format(**(POSTGRESQL if postgresql else SQLITE)).split(";\n"):
        run(statement.strip())
    if postgresql:
        run("CREATE TABLE filter_text (exchange_id BIGINT NOT NULL PRIMARY KEY, words TSVECTOR NOT NULL)")
        run("CREATE INDEX filter_text_words ON filter_text USING GIN (words)")
    elif run("SELECT 1 FROM pragma_module_list WHERE name = 'fts5'").first():
        # rowid = exchange.id. Without the words themselves, which can be read in the stream. They come cut and folded
        # already (storage/filter/words.py): "ascii" cuts them at the blanks again, and at nothing else.
        run("CREATE VIRTUAL TABLE filter_text USING fts5(words, content='', columnsize=0, tokenize='ascii')")
