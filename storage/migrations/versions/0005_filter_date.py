"""Dates of messages in the index for filters. What is in the index counts for nothing any more, so it may stay."""

from __future__ import annotations

from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

TABLE = """
CREATE TABLE filter_date (
    at BIGINT NOT NULL,  -- microseconds since 1970 UTC
    exchange_id BIGINT NOT NULL,
    PRIMARY KEY (at, exchange_id)
)"""


def upgrade() -> None:
    """Make the table."""
    bind = op.get_bind()
    bind.exec_driver_sql(TABLE if bind.dialect.name == "postgresql" else f"{TABLE} WITHOUT ROWID")
