"""`parquet`: a row for each exchange, with the columns that the page promises."""

from __future__ import annotations

import importlib
import io
import json
import re
from typing import TYPE_CHECKING, Any

import pytest

from tests.imaptap.exporting.exported import export, hostile, open_store, plain_session, recorded
from tests.need import ROOT

if TYPE_CHECKING:
    from pathlib import Path

    from tests.imaptap.cli.conftest import Program

parquet: Any = importlib.import_module("pyarrow.parquet")


def test_rows(tmp_path: Path) -> None:
    recorded(tmp_path / "imaptap.db", hostile(), plain_session(2), name="x")
    with open_store(tmp_path / "imaptap.db", create=False) as store:
        table = parquet.read_table(io.BytesIO(export(store, "parquet")[0]))
        sessions = store.sessions(store.recording("x"))
        stored = [each.exchange for session in sessions for each in store.exchanges(session)]
    rows = table.to_pylist()
    assert [(row["session"], row["exchange"]) for row in rows] == [(each.session, each.number) for each in stored]
    for row, exchange in zip(rows, stored, strict=True):
        for name in ("tag", "command", "arguments", "mailbox", "status", "code", "text", "client_bytes"):
            assert row[name] == getattr(exchange, name)
        assert json.loads(row["responses"]) == dict(exchange.responses)
        assert row["ms"] == (exchange.ended - exchange.started) / 1000
        assert (row["ended"] - row["started"]).total_seconds() * 1000 == pytest.approx(row["ms"])


def test_the_page_names_all_columns() -> None:
    columns = importlib.import_module("imaptap.exporting.parquet").COLUMNS
    page = (ROOT / "docs" / "export.md").read_text().partition("\n## parquet\n")[2]
    assert set(columns) <= set(re.findall(r"`(\w+)`", page))


def test_without_the_extra(program: Program, monkeypatch: pytest.MonkeyPatch) -> None:
    """Said in a sentence, with what to type."""
    recorded(program.db, plain_session(), name="x")
    monkeypatch.setitem(__import__("sys").modules, "imaptap.exporting.parquet", None)
    said = program.refused("export", "x", "--format", "parquet")
    assert "pip install 'imaptap[analytics]'" in said
