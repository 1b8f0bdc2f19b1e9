"""Exchanges as one table, for DuckDB, Spark or pandas. docs/export.md has the columns."""

from __future__ import annotations

import importlib
import io
import itertools
import json
from typing import TYPE_CHECKING, Any, BinaryIO, Final

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imaptap.exporting.selection import Selection
    from imaptap.exporting.settings import Settings
    from proxy.imap.transcript import Exchange
    from storage import Session

# It has no types; whoever looks a format up by name is told where it is missing.
_arrow: Any = importlib.import_module("pyarrow")
_parquet: Any = importlib.import_module("pyarrow.parquet")

_AT_ONCE: Final = 10_000
_MOMENT = _arrow.timestamp("us", tz="UTC")
COLUMNS: Final = {
    "recording": _arrow.string(),
    "session": _arrow.int64(),
    "exchange": _arrow.int64(),
    "client": _arrow.string(),
    "upstream": _arrow.string(),
    "tag": _arrow.string(),
    "command": _arrow.string(),
    "arguments": _arrow.string(),
    "mailbox": _arrow.string(),
    "status": _arrow.string(),
    "code": _arrow.string(),
    "text": _arrow.string(),
    "started": _MOMENT,
    "ended": _MOMENT,
    "ms": _arrow.float64(),
    "client_bytes": _arrow.int64(),
    "server_bytes": _arrow.int64(),
    "responses": _arrow.string(),
    "outcome": _arrow.string(),
    "origin": _arrow.string(),
    "marks": _arrow.list_(_arrow.string()),
}
"""Names and types."""


def write(selection: Selection, file: BinaryIO, settings: Settings) -> int:  # noqa: ARG001  all formats have them
    """Write it. Raises StorageError."""
    schema = _arrow.schema(list(COLUMNS.items()))
    rows = _rows(selection)
    with _parquet.ParquetWriter(_Forward(file), schema, compression="zstd") as writer:
        while page := list(itertools.islice(rows, _AT_ONCE)):
            columns = zip(*page, strict=True)
            arrays = [_arrow.array(list(column), kind) for column, kind in zip(columns, COLUMNS.values(), strict=True)]
            writer.write_table(_arrow.Table.from_arrays(arrays, schema=schema))
    return 0


def _rows(selection: Selection) -> Iterator[tuple[object, ...]]:
    for session in selection.sessions():
        for stored in selection.exchanges(session):
            yield _row(session, stored.exchange)
            selection.progress(stored.exchange.client_bytes + stored.exchange.server_bytes)


def _row(session: Session, exchange: Exchange) -> tuple[object, ...]:
    ended = exchange.ended
    return (
        session.recording.name,
        session.number,
        exchange.number,
        session.client,
        session.upstream,
        exchange.tag,
        exchange.command,
        exchange.arguments,
        exchange.mailbox,
        exchange.status,
        exchange.code,
        exchange.text,
        session.wall + exchange.started,
        None if ended is None else session.wall + ended,
        None if ended is None else (ended - exchange.started) / 1000,
        exchange.client_bytes,
        exchange.server_bytes,
        json.dumps(dict(exchange.responses)),
        str(exchange.outcome),
        str(exchange.origin),
        list(exchange.marks),
    )


class _Forward(io.RawIOBase):
    """A file that goes forward only, and knows where it is: a pipe does not."""

    def __init__(self, file: BinaryIO) -> None:
        self._file, self._position = file, 0

    def writable(self) -> bool:
        """It is."""
        return True

    def write(self, data: Any) -> int:
        """All of it."""
        view = memoryview(data)
        self._file.write(view)
        self._position += view.nbytes
        return view.nbytes

    def tell(self) -> int:
        """How much was written."""
        return self._position
