"""Between which places all words of a recording stand, in PostgreSQL: so exchanges are counted without a look at rows.

The index is made anew, since what it has of places is not known by recording. SQLite has nothing of this.
"""

from __future__ import annotations

from alembic import op

revision = "0008"
down_revision = "0007"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE filter_stretch (
    recording_id BIGINT NOT NULL PRIMARY KEY,
    low BIGINT NOT NULL,  -- filter_row.place: the smallest, and the largest
    high BIGINT NOT NULL
)"""


def upgrade() -> None:
    """Make the table."""
    if op.get_bind().dialect.name == "postgresql":
        op.get_bind().exec_driver_sql(TABLE)
        op.get_bind().exec_driver_sql("UPDATE filter_state SET version = 0")
