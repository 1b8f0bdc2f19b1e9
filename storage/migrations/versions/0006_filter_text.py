"""Words in the index for filters as blocks of postings, in PostgreSQL; and the ends of what is compared, in each row.

What is in the index counts for nothing any more, so it may stay.
"""

from __future__ import annotations

from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None

ROW = {
    "place": 0,  # PostgreSQL: of its end, in bitmaps of all blocks
    "uid_low": -1,  # -1: none
    "uid_high": -1,
    "date_first": -1,  # microseconds since 1970 UTC; -1: none
    "date_last": -1,
}

BLOCK = """
CREATE TABLE filter_block (
    first BIGINT NOT NULL PRIMARY KEY,  -- its first byte in bitmaps of all blocks
    ends BYTEA NOT NULL,  -- bitmap: behind the last word of each exchange
    exchanges BIGINT[] NOT NULL,  -- exchange.id
    words TEXT  -- an exchange's on each line, where more are to come into the block: then it has nothing in filter_text
)"""
TEXT = """
CREATE TABLE filter_text (
    key TEXT COLLATE "C" NOT NULL,  -- a word, or the first two letters of several and a star
    block BIGINT NOT NULL,  -- filter_block.first
    places BYTEA NOT NULL,  -- bitmap; or each word with a blank before, a colon and its places behind it
    PRIMARY KEY (key, block)
)"""


def upgrade() -> None:
    """Make the tables."""
    run = op.get_bind().exec_driver_sql
    # exchange.id: the first one of the recording in the index
    run("ALTER TABLE filter_state ADD COLUMN first BIGINT NOT NULL DEFAULT 0")
    for name, default in ROW.items():
        run(f"ALTER TABLE filter_row ADD COLUMN {name} BIGINT NOT NULL DEFAULT {default}")
    if op.get_bind().dialect.name == "postgresql":
        run("DROP TABLE filter_text")
        run(BLOCK)
        run(TEXT)
