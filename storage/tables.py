"""The tables. Their names and columns are a public interface, described for people in docs/schema.md.

Times called `at`, `started`, `first_at` … inside a session are microseconds since the session opened; `started`,
`ended`, `seen` of a recording, `wall` of a session and `written` of a note are microseconds since 1970 UTC.

SQLite: tables that are looked up by their natural key are WITHOUT ROWID, which saves an index per row. The same
definitions serve PostgreSQL. What changes here changes in a new revision under `migrations/` too; a test compares.
"""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Column,
    ForeignKey,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    Table,
    Text,
    UniqueConstraint,
    text,
)

metadata = MetaData()

# SQLite numbers its rows by itself only where the type is exactly INTEGER.
_Id = BigInteger().with_variant(Integer(), "sqlite")


def _whose(column: str, target: str, *, nullable: bool = False) -> Column[int]:
    """A column naming the row it belongs to, and gone with it."""
    return Column(column, BigInteger, ForeignKey(f"{target}.id", ondelete="CASCADE"), nullable=nullable)


recording = Table(
    "recording",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("name", Text, nullable=False, unique=True),
    Column("started", BigInteger, nullable=False),
    Column("ended", BigInteger),
    Column("seen", BigInteger, nullable=False),
    Column("host", Text, nullable=False),
    Column("pid", Integer, nullable=False),
    Column("version", Text, nullable=False),
    Column("settings", Text, nullable=False),
    sqlite_autoincrement=True,
)

session = Table(
    "session",
    metadata,
    Column("id", _Id, primary_key=True),
    _whose("recording_id", "recording"),
    Column("number", BigInteger, nullable=False),
    Column("wall", BigInteger, nullable=False),
    Column("at_end", BigInteger),
    Column("client", Text, nullable=False),
    Column("listen", Text, nullable=False),
    Column("upstream", Text, nullable=False),
    Column("ending", Text),
    Column("reason", Text),
    Column("client_bytes", BigInteger),
    Column("server_bytes", BigInteger),
    UniqueConstraint("recording_id", "number"),
)

exchange = Table(
    "exchange",
    metadata,
    Column("id", _Id, primary_key=True),
    _whose("session_id", "session"),
    Column("number", BigInteger, nullable=False),
    Column("tag", Text, nullable=False),
    Column("command", Text, nullable=False),
    Column("arguments", Text, nullable=False),
    Column("mailbox", Text),
    Column("origin", Text, nullable=False),
    Column("outcome", Text, nullable=False),
    Column("status", Text),
    Column("code", Text),
    Column("text", Text),
    Column("started", BigInteger, nullable=False),
    Column("ended", BigInteger),
    Column("client_bytes", BigInteger, nullable=False),
    Column("server_bytes", BigInteger, nullable=False),
    Column("responses", Text),
    Column("marks", Text),
    UniqueConstraint("session_id", "number"),
    sqlite_autoincrement=True,
)
Index(
    "exchange_open",
    exchange.c.session_id,
    sqlite_where=exchange.c.outcome == "open",
    postgresql_where=exchange.c.outcome == "open",
)

span = Table(
    "span",
    metadata,
    Column("session_id", BigInteger, ForeignKey("session.id", ondelete="CASCADE"), primary_key=True),
    Column("exchange", BigInteger, primary_key=True),
    Column("direction", SmallInteger, primary_key=True),
    Column("start", BigInteger, primary_key=True),
    Column("end", BigInteger, nullable=False),
    Column("first_at", BigInteger, nullable=False),
    Column("last_at", BigInteger, nullable=False),
    Column("units", BigInteger, nullable=False),
    Column("certainty", Text, nullable=False),
    Column("open", Text),
    sqlite_with_rowid=False,
)

piece = Table(
    "piece",
    metadata,
    Column("session_id", BigInteger, ForeignKey("session.id", ondelete="CASCADE"), primary_key=True),
    Column("direction", SmallInteger, primary_key=True),
    Column("offset", BigInteger, primary_key=True),
    Column("length", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("layer", SmallInteger, nullable=False),
    Column("chunks", LargeBinary),
    Column("literal_start", BigInteger),
    Column("literal_length", BigInteger),
    Column("body_id", BigInteger, ForeignKey("body.id")),
    Column("data", LargeBinary),
    Column("left_out", LargeBinary),
    sqlite_with_rowid=False,
)
Index(
    "piece_body",
    piece.c.body_id,
    sqlite_where=piece.c.body_id.is_not(None),
    postgresql_where=piece.c.body_id.is_not(None),
)

body = Table(
    "body",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("blake3", LargeBinary, nullable=False, unique=True),
    Column("length", BigInteger, nullable=False),
    Column("encoding", Text, nullable=False, server_default="identity"),
    Column("extent_id", BigInteger, ForeignKey("extent.id")),
    Column("offset", Integer, nullable=False, server_default=text("0")),
)
Index("body_extent", body.c.extent_id)

extent = Table(
    "extent",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("data", LargeBinary, nullable=False),
)

event = Table(
    "event",
    metadata,
    Column("recording_id", BigInteger, ForeignKey("recording.id", ondelete="CASCADE"), primary_key=True),
    Column("number", BigInteger, primary_key=True),
    _whose("session_id", "session", nullable=True),
    Column("at", BigInteger, nullable=False),
    Column("kind", Text, nullable=False),
    Column("name", Text, nullable=False),
    Column("text", Text, nullable=False),
    Column("direction", SmallInteger),
    Column("offset", BigInteger),
    Column("length", BigInteger),
    Column("received", LargeBinary),
    Column("sent", LargeBinary),
    sqlite_with_rowid=False,
)
Index("event_session", event.c.session_id, event.c.number)

note = Table(
    "note",
    metadata,
    Column("id", _Id, primary_key=True),
    _whose("recording_id", "recording"),
    _whose("session_id", "session", nullable=True),
    _whose("exchange_id", "exchange", nullable=True),
    Column("written", BigInteger, nullable=False),
    Column("text", Text, nullable=False),
)
Index("note_recording", note.c.recording_id)
Index("note_session", note.c.session_id)
Index("note_exchange", note.c.exchange_id)

# --- the index for filters: made by whoever filters, never by a recorder (storage/filter/index.py) --------------------

filter_state = Table(
    "filter_state",
    metadata,
    Column("recording_id", BigInteger, ForeignKey("recording.id", ondelete="CASCADE"), primary_key=True),
    Column("version", Integer, nullable=False),
    Column("upto", BigInteger, nullable=False),
    Column("complete", SmallInteger, nullable=False),
    Column("first", BigInteger, nullable=False, server_default=text("0")),
    sqlite_with_rowid=False,
)

filter_pending = Table(
    "filter_pending",
    metadata,
    Column("exchange_id", BigInteger, primary_key=True),
    Column("recording_id", BigInteger, nullable=False),
    sqlite_with_rowid=False,
)

filter_kind = Table(
    "filter_kind",
    metadata,
    Column("id", _Id, primary_key=True),
    Column("about", Text, nullable=False),
    Column("facts", Text, nullable=False),
    UniqueConstraint("about", "facts"),
)

filter_session = Table(
    "filter_session",
    metadata,
    Column("session_id", _Id, primary_key=True, autoincrement=False),
    Column("kind_id", BigInteger, nullable=False),
    Column("address", Text, nullable=False),
    Column("host", Text, nullable=False),
)

filter_row = Table(
    "filter_row",
    metadata,
    Column("exchange_id", _Id, primary_key=True, autoincrement=False),
    Column("recording_id", BigInteger, nullable=False),
    Column("session_id", BigInteger, nullable=False),
    Column("kind_id", BigInteger, nullable=False),
    Column("mailbox_id", BigInteger, nullable=False),
    Column("flags_id", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("took", BigInteger, nullable=False),
    Column("client_bytes", BigInteger, nullable=False),
    Column("server_bytes", BigInteger, nullable=False),
    Column("tag", Text, nullable=False),
    Column("place", BigInteger, nullable=False, server_default=text("0")),
    *(
        Column(name, BigInteger, nullable=False, server_default=text("-1"))
        for name in ("uid_low", "uid_high", "date_first", "date_last")
    ),
)

filter_uid = Table(
    "filter_uid",
    metadata,
    Column("low", BigInteger, primary_key=True),
    Column("high", BigInteger, primary_key=True),
    Column("exchange_id", BigInteger, primary_key=True),
    sqlite_with_rowid=False,
)

filter_date = Table(
    "filter_date",
    metadata,
    Column("at", BigInteger, primary_key=True),
    Column("exchange_id", BigInteger, primary_key=True),
    sqlite_with_rowid=False,
)

FILTER_TEXT = "filter_text"
"""What is searched for words. In SQLite an FTS5 table (where SQLite has FTS5), in PostgreSQL an ordinary one of another
form (`storage/filter/blocks.py`), so it is not among the others."""
FILTER_BLOCK = "filter_block"
FILTER_STRETCH = "filter_stretch"
FILTER_OWN = (FILTER_TEXT, FILTER_BLOCK, FILTER_STRETCH)
"""What else PostgreSQL needs for that; and all three."""
