"""What people have noted goes along, on what it is about, and comes back."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING, Any

import pytest

from imaptap.importing import ndjson
from storage.cassette import import_statements
from tests.imaptap.exporting.exported import export, open_store, plain_session, recorded

if TYPE_CHECKING:
    from pathlib import Path

    from storage import Recording, Store

EVIL = "<b>\n# session: x/9 | `x`\x1b[2J"


@pytest.fixture
def store(tmp_path: Path) -> Any:
    recorded(tmp_path / "x.db", plain_session(), plain_session(2), name="x")
    with open_store(tmp_path / "x.db", create=False) as store:
        recording = store.recording("x")
        second = store.session(recording, 2)
        store.add_note("on all of it", recording, written=1_700_000_000_000_001)
        store.add_note(f"strange {EVIL}", recording, second)
        store.add_note("slow, this one", recording, second, store.exchange(second, 3).id)
        yield store


def _noted(store: Store, recording: Recording) -> list[tuple[Any, ...]]:
    sessions = {each.id: each for each in store.sessions(recording)}
    exchanges = {each.id: each.exchange.number for one in sessions.values() for each in store.exchanges(one)}
    return [
        (note.text, note.written, sessions[note.session_id].number if note.session_id else None,
         exchanges[note.exchange_id] if note.exchange_id else None)
        for note in store.notes(recording)
    ]  # fmt: skip


def test_ndjson_and_a_database_have_them_again(store: Store, tmp_path: Path) -> None:
    before = _noted(store, store.recording("x"))
    data, _ = export(store, "ndjson", "x")
    again = import_statements(store, ndjson.statements(io.BytesIO(data)), "again")
    assert _noted(store, again) == before
    assert [where for *_, where in before] == [None, None, 3]
    export(store, "sqlite", "x", folder=tmp_path)
    with open_store(tmp_path / "sqlite.out", create=False) as written:
        assert _noted(written, written.recording("x")) == before


@pytest.mark.parametrize("form", ["text", "markdown", "html"])
def test_people_read_them(form: str, store: Store) -> None:
    """What they say is no markup, no command of a terminal, and no line of another kind."""
    text = export(store, form, "x")[0].decode().replace("\\:", ":")
    for said in ("note on the recording: on all of it", "note: strange", "note on exchange 3: slow, this one"):
        assert said in text
    assert "\x1b" not in text
    assert "\n# session: x/9" not in text
    if form != "text":
        assert "strange <b>" not in text


@pytest.mark.parametrize("form", ["text", "markdown", "html", "ndjson"])
def test_those_on_something_else_stay_behind(form: str, store: Store) -> None:
    text = export(store, form, "x", session=2)[0].decode()
    assert "slow, this one" in text
    assert "strange" in text
    assert "on all of it" not in text
    text = export(store, form, "x", session=2, exchange=3)[0].decode()
    assert "slow, this one" in text
    assert "strange" not in text
    assert "slow" not in export(store, form, "x", session=1)[0].decode()


def test_a_note_on_what_is_not_there(store: Store) -> None:
    data, _ = export(store, "ndjson", "x", session=1)
    line = b'{"type":"note","session":7,"exchange":3,"written":"2023-11-14T22:13:20.000000Z","text":"lost"}\n'
    again = import_statements(store, ndjson.statements(io.BytesIO(data + line)), "again")
    assert _noted(store, again) == [("lost", 1_700_000_000_000_000, None, None)]
