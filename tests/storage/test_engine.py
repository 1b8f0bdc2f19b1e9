"""Connections to a SQLite file: which one is taken, when there are several."""

from __future__ import annotations

from typing import TYPE_CHECKING

from storage import open_store

if TYPE_CHECKING:
    from pathlib import Path


def test_who_writes_again_and_again_has_one_connection(tmp_path: Path) -> None:
    """Though others are idle: what they remember of the file is stale as soon as this one has written."""
    with open_store(tmp_path / "file.db", create=True) as store:
        with store.engine.connect() as one, store.engine.connect() as other:
            two = {id(connection.connection.driver_connection) for connection in (one, other)}
        assert len(two) == 2
        taken: set[int] = set()
        for _ in range(5):
            with store.engine.connect() as connection:
                taken.add(id(connection.connection.driver_connection))
        assert len(taken) == 1
        assert taken < two
