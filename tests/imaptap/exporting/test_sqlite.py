"""`sqlite`: a database with just the selection, which is whole by the rules of `imaptap check`."""

from __future__ import annotations

from typing import TYPE_CHECKING

from proxy.imap.transcript import Direction
from storage import Check
from tests.imaptap.exporting.exported import export, hostile, open_store, plain_session, recorded
from tests.storage.cassette.tripping import facts

if TYPE_CHECKING:
    from pathlib import Path

    from tests.imaptap.cli.conftest import Program


def test_the_same_recording(tmp_path: Path) -> None:
    recorded(tmp_path / "imaptap.db", hostile(), plain_session(2), name="x")
    with open_store(tmp_path / "imaptap.db", create=False) as store:
        export(store, "sqlite", "x", folder=tmp_path)
        before = facts(store, store.recording("x"))
    assert {path.name for path in tmp_path.glob("sqlite.out*")} == {"sqlite.out"}
    with open_store(tmp_path / "sqlite.out", create=False) as copy:
        assert [recording.name for recording in copy.recordings()] == ["x"]
        assert facts(copy, copy.recording("x")) == before


def test_some_exchanges(program: Program, tmp_path: Path) -> None:
    """Their bytes are there, all others are told to be missing, and nothing else is wrong."""
    recorded(program.db, hostile(), plain_session(2), plain_session(3), name="x")
    done = program("export", "x", "--filter", "cmd:FETCH", "--format", "sqlite", "-o", str(tmp_path / "some.db"))
    assert (done.exit_code, done.stderr) == (0, "")
    with open_store(tmp_path / "some.db", create=False) as copy, open_store(program.db, create=False) as store:
        assert not list(Check(copy).findings())
        sessions = list(copy.sessions(copy.recording("x")))
        assert [session.number for session in sessions] == [1, 2, 3]
        for session in sessions:
            assert [each.exchange.command for each in copy.exchanges(session)] == ["FETCH"]
            source = store.session(store.recording("x"), session.number)
            for direction in Direction:
                for span in copy.stream_spans(session, direction):
                    place = direction, span.start, span.end
                    assert b"".join(copy.stream(session, *place)) == b"".join(store.stream(source, *place))


def test_it_cannot_go_to_stdout(program: Program) -> None:
    recorded(program.db, plain_session(), name="x")
    assert "Give -o FILE." in program.refused("export", "x", "--format", "sqlite")
