"""import(export(x)) is x, in every format that can be read back; what one cannot hold is named here, and is true."""

from __future__ import annotations

import io
import itertools
from typing import TYPE_CHECKING, Any, Final, NamedTuple

import pytest

from imaptap.exporting.settings import Settings
from imaptap.importing import ndjson
from imaptap.importing.formats import named
from imaptap.importing.run import take_in
from proxy.imap.transcript import Direction, EventKind, Layer
from storage import open_store
from storage.cassette import copy_recording, import_cassette, import_statements
from tests.imaptap.exporting.exported import export
from tests.imaptap.exporting.tales import TALES, numbered
from tests.imaptap.telling import LETTER, recorded
from tests.need import need

_SECRET = {EventKind.SECRET}

if TYPE_CHECKING:
    from collections.abc import Set as AbstractSet
    from pathlib import Path

    from storage import Recording, Session, Store


EVERY: Final = frozenset(TALES)
EXACT: Final = Settings(times=True, as_sent=False)


class Row(NamedTuple):
    """A format, how it is read back, and what it has no room for: facts (see `_facts`) of which tales.

    `lost` are tales of which nothing is left. `absent` is what stands for a literal that was not kept: so many of this
    byte; nothing where the session ends in front of it; None where it is as it was.
    """

    form: str
    read: str
    lacks: dict[str, AbstractSet[str]]
    settings: Settings = Settings()
    lost: AbstractSet[str] = frozenset()
    absent: bytes | None = None


_NO_CHUNKS = {"typed", "literals"}
"""A line of a letter was cut by the reads. Nothing but the lines has a time."""
_MASKED = {"secrets": {"odd lines"}}
"""Masks are found again where a secret stands; here the mask covers the blank that showed that it was one."""
_OWN = {"exchanges": {"imaptap's own"}, "events": EVERY}
"""What imaptap did itself, and happened beside the bytes; an event says where the session comes from instead."""
_ONE_END = dict.fromkeys(("opened", "listener", "upstream", "client's address", "ending"), EVERY)
"""Dovecot's log begins with the first byte, and tells nothing of the connection."""
_UNENDED = {"cut in a line", "cut in a literal"}
"""A line that never ended has an end here."""

ROWS: Final = (
    Row("cassette", "cassette", {}),
    Row("ndjson", "ndjson", {}),
    Row("sqlite", "sqlite", {}),
    Row(
        "text",
        "text",
        _MASKED | _OWN | {"chunks": _NO_CHUNKS, "layers": {"STARTTLS", "COMPRESS"}, "ending": {"hostile"}},
        Settings(times=True),
        absent=b"x",
    ),
    Row(
        "rawlog",
        "rawlog",
        _MASKED | _OWN | _ONE_END | {"chunks": {*_NO_CHUNKS, "hostile"}, "layers": {"STARTTLS", "COMPRESS"}},
        EXACT,
        lost={"silence"},
        absent=b"",
    ),
    Row(
        "mailkit",
        "mailkit",
        _MASKED
        | _OWN
        | dict.fromkeys(("opened", "listener", "client's address", "ending"), EVERY)
        | {"chunks": {*_NO_CHUNKS, *_UNENDED, "hostile"}, "layers": {"COMPRESS"}, "server": _UNENDED, "turns": _UNENDED}
        | {"exchanges": {"imaptap's own", *_UNENDED}},
        EXACT,
        absent=b"x",
    ),
    Row(
        "pcapng",
        "pcap",
        _MASKED
        | _OWN
        | dict.fromkeys(("opened", "listener", "upstream"), EVERY)
        | {"layers": EVERY - {"STARTTLS"}, "ending": {*_UNENDED, "hostile"}},
        EXACT,
        lost={"silence"},
        absent=b"",
    ),
)


def _of(store: Store, session: Session) -> dict[str, Any]:
    chunks = [chunk for side in Direction for chunk in _chunks(store, session, side)]
    said = sorted(chunks, key=lambda chunk: chunk.at)
    runs = itertools.groupby(said, key=lambda chunk: chunk.side)
    events = list(store.events(session))
    return {
        "client": b"".join(chunk.data for chunk in chunks if chunk.side is Direction.CLIENT),
        "server": b"".join(chunk.data for chunk in chunks if chunk.side is Direction.SERVER),
        "turns": [(side, b"".join(chunk.data for chunk in run)) for side, run in runs],
        "times": list(dict.fromkeys(session.wall + chunk.at for chunk in said)),
        "chunks": [(chunk.side, len(chunk.data)) for chunk in chunks],
        "layers": list(dict.fromkeys((chunk.side, chunk.layer) for chunk in chunks)),
        "secrets": [(each.direction, each.offset, each.length, each.name) for each in events if each.kind in _SECRET],
        "events": [(each.kind, each.name, each.text) for each in events if each.kind not in _SECRET],
        "exchanges": [each.exchange._replace(started=0, ended=None, session=0) for each in store.exchanges(session)],
        "opened": session.wall,
        "client's address": session.client,
        "listener": session.listen,
        "upstream": session.upstream,
        "ending": (session.ending, session.reason),
    }


class Chunk(NamedTuple):
    """Bytes that came together, masked."""

    side: Direction
    at: int
    layer: Layer
    data: bytes


def _chunks(store: Store, session: Session, side: Direction) -> list[Chunk]:
    """Of one side; what came at the same moment is one."""
    found: list[Chunk] = []
    for piece in store.pieces(session, side):
        data = b"?" * piece.length if piece.left_out else piece.data or store.body(piece.blake3 or "")
        start = 0
        for length, at in piece.chunks or ((piece.length, piece.at),):
            chunk = Chunk(side, at, piece.layer, data[start : start + length])
            start += length
            if found and found[-1][:3] == chunk[:3]:
                chunk = chunk._replace(data=found.pop().data + chunk.data)
            found.append(chunk)
    return found


BY_FORM = pytest.mark.parametrize("row", ROWS, ids=lambda row: row.form)


@BY_FORM
def test_what_comes_back(row: Row, tmp_path: Path) -> None:
    """Every fact of every session is equal, but for those that the table names; and these are not."""
    recorded(tmp_path / "x.db", *numbered(), name="x")
    before, after = _there_and_back(row, tmp_path)
    after = dict(zip((name for name in TALES if name not in row.lost), after.values(), strict=True))
    assert set(before) - set(after) == set(row.lost)
    differing: dict[str, set[str]] = {}
    for name, facts in after.items():
        for fact, value in facts.items():
            if value != before[name][fact]:
                differing.setdefault(fact, set()).add(name)
    assert differing == {fact: set(names) - set(row.lost) for fact, names in row.lacks.items()}


@BY_FORM
def test_a_literal_that_was_not_kept(row: Row, tmp_path: Path) -> None:
    recorded(tmp_path / "x.db", TALES["typed"], name="x", max_literal=5000)
    [before], [after] = (facts.values() for facts in _there_and_back(row, tmp_path))
    server, gone = before["server"], b"?" * len(LETTER)
    assert gone in server
    if row.absent is None:
        assert after == before
    elif row.absent:
        assert after["server"] == server.replace(gone, row.absent * len(LETTER))
        assert after["exchanges"] == before["exchanges"]
    else:
        assert after["server"] == server.partition(gone)[0]


@pytest.mark.parametrize("marked", [True, False])
@pytest.mark.parametrize("name", ["typed", "secrets", "STARTTLS", "pipelined", "a greeting"])
def test_what_stands_on_a_terminal(name: str, marked: bool, tmp_path: Path) -> None:
    """Lines of text, as `telnet` and RFCs have them: with nobody's mark, only while one waits for the other."""
    recorded(tmp_path / "x.db", TALES[name], name="x")
    with open_store(tmp_path / "x.db", create=True) as store:
        before = _of(store, store.session(store.recording("x"), 1))
        lines = [(side, line) for side, said in before["turns"] for line in said.split(b"\r\n")[:-1]]
        if name == "pipelined" and not marked:
            lines = [line for line in lines if not line[1].startswith(b".")]
        paste = b"".join((b"CS"[side : side + 1] + b": " if marked else b"") + line + b"\n" for side, line in lines)
        (tmp_path / "paste").write_bytes(paste)
        taken = take_in(store, named("transcript"), [tmp_path / "paste"], "y")
        after = _of(store, store.session(taken.recording, 1))
    for side, stream in ((Direction.CLIENT, "client"), (Direction.SERVER, "server")):
        assert after[stream] == b"".join(line + b"\r\n" for whose, line in lines if whose is side)
    if marked or name != "pipelined":
        assert after["exchanges"] == before["exchanges"]


Facts = dict[str, Any]


def _there_and_back(row: Row, folder: Path) -> tuple[dict[str, Facts], dict[str, Facts]]:
    """The facts of all sessions of the recording `x`, and of what becomes of them."""
    with open_store(folder / "x.db", create=False) as store, open_store(folder / "y.db", create=True) as other:
        recording = store.recording("x")
        before = {name: _of(store, each) for name, each in zip(TALES, store.sessions(recording), strict=False)}
        data, _ = export(store, row.form, "x", folder=folder, settings=row.settings)
        back = _read(row, other, folder, data)
        return before, {str(each.number): _of(other, each) for each in other.sessions(back)}


def _read(row: Row, store: Store, folder: Path, data: bytes) -> Recording:
    if row.read == "cassette":
        return import_cassette(store, io.BytesIO(data), "x")
    if row.read == "ndjson":
        return import_statements(store, ndjson.statements(io.BytesIO(data)), "x")
    path = folder / f"{row.form}.out"
    if row.read == "sqlite":
        with open_store(path, create=False) as written:
            return copy_recording(written, written.recording("x"), store, "x")
    if row.read == "pcap":
        need("tshark")
    if not path.exists():
        path.write_bytes(data)
    taken = take_in(store, named(row.read), sorted(path.iterdir()) if path.is_dir() else [path], "x")
    assert taken.stopped is None
    return taken.recording
