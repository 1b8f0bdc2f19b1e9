"""Whole units of one direction, and where bytes of them are missing."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from typing import TYPE_CHECKING

from imaptap.reading.units import Lost, session_units, units
from storage import open_store
from tests.imaptap.telling import LETTER, S, Tale, recorded, typed_session

if TYPE_CHECKING:
    from pathlib import Path


def read(db: Path) -> list[str]:
    with open_store(db, create=False) as store:
        session = next(store.sessions(store.recording("last")))
        found = units(store, session, S, store.stream_spans(session, S))
        return ["lost" if isinstance(each, Lost) else each.cut.unit.texts[0].decode().strip() for each in found]


def test_a_body_whose_announcement_is_lost_is_no_unit_and_nor_is_what_follows_it(tmp_path: Path) -> None:
    db = tmp_path / "imaptap.db"
    recorded(db, typed_session())
    whole = read(db)
    fetch = whole.index(f"* 4 FETCH (RFC822 {{{len(LETTER)}}}")
    with closing(sqlite3.connect(db)) as connection, connection:
        (body,) = connection.execute("SELECT min(literal_start) FROM piece WHERE direction = 1").fetchone()
        gone = connection.execute("DELETE FROM piece WHERE direction = 1 AND offset + length = ?", (body,))
        assert gone.rowcount == 1
    assert read(db)[-len(whole[fetch + 1 :]) :] == whole[fetch + 1 :]
    assert whole[fetch] not in read(db)
    assert set(read(db)) - set(whole) == {"lost"}


def test_units_stand_in_the_order_in_which_they_were_said_however_late_they_were_understood(tmp_path: Path) -> None:
    """A recorder that is behind hears thousands of small commands at once, long after they came."""
    script = ["S: * OK ready"]
    for number in range(2500):
        script += [f"C: a{number} NOOP", f"S: a{number} OK done"]
    recorded(tmp_path / "imaptap.db", Tale().say("\n".join(script)).end())
    with open_store(tmp_path / "imaptap.db", create=False) as store:
        session = next(store.sessions(store.recording("last")))
        said = [whole.cut.unit.texts[0].split()[0].decode() for whole in session_units(store, session)]
    assert said == ["*", *(f"a{number // 2}" for number in range(5000))]
