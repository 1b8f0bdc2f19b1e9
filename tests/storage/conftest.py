"""Stores to test with: a SQLite file, and a database on a PostgreSQL server."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from storage import Store, open_store

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from tests.servers.postgresql import PostgreSQL


@pytest.fixture(params=["sqlite", "postgresql"])
def where(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """Where a new store may be made."""
    if request.param == "sqlite":
        return str(tmp_path / "recordings.db")
    postgresql: PostgreSQL = request.getfixturevalue("postgresql")
    return postgresql.new_database()


@pytest.fixture
def store(where: str) -> Iterator[Store]:
    with open_store(where, create=True) as opened:
        yield opened


@pytest.fixture
def sqlite(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "recordings.db", create=True) as opened:
        yield opened


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Retry soon: for tests that wait for retries."""
    monkeypatch.setattr("storage.writer._RETRY_SECONDS", 0.02)
    monkeypatch.setattr("storage.outage._RETRY_BUSY_SECONDS", 0.02)
    monkeypatch.setattr("storage.outage._RETRY_SECONDS", 0.05)
