"""Files of an older schema that may only be read: they are read as they are, through views over what has changed since.

SQLite looks for a name among temporary tables and views first, so these stand in front of the file's own, for one
connection; nothing is written to the file.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final

from sqlalchemy import event

if TYPE_CHECKING:
    from sqlalchemy import Engine

READABLE: Final = frozenset({"0003", "0004", "0005", "0006"})
"""Older revisions that can be read so: bodies lie in extents, and are known by their SHA-256."""

LIKE_OURS: Final = frozenset({"0007", "0008", "0009"})
"""Older revisions of a file that need no views: what has changed since is in PostgreSQL, makes a filter
faster, or is said by a view that nobody of ours reads."""

_VIEWS: Final = (
    """CREATE TEMP VIEW body AS
        SELECT id, sha256 AS blake3, length, encoding, extent_id, "offset" FROM main.body""",
    # An index of another version counts for nothing, and one of 0003 is not there at all.
    """CREATE TEMP VIEW filter_state AS
        SELECT 0 AS recording_id, 0 AS version, 0 AS upto, 0 AS complete, 0 AS first WHERE 0""",
)


def see_through(engine: Engine) -> None:
    """Have all connections of an engine, from now on, see such a file as one of our own schema."""
    event.listen(engine, "connect", _look)
    engine.dispose()


def _look(connection: Any, _record: object) -> None:
    cursor = connection.cursor()
    for view in _VIEWS:
        cursor.execute(view)
    cursor.close()
