"""ndjson of our own: everything is told, and taken at its word or refused."""

from __future__ import annotations

import io
import json
from typing import TYPE_CHECKING, Any

import pytest

from imaptap.importing.ndjson import recognise, statements
from proxy.imap.transcript import (
    Certainty,
    Direction,
    Ending,
    EventKind,
    Exchange,
    Layer,
    LiteralPart,
    Origin,
    Outcome,
    Span,
)
from storage import StorageError, open_store
from storage.cassette import import_statements
from storage.cassette.values import Begun, Body, Header, Hole, Over, Said, Told, Unkept

if TYPE_CHECKING:
    from pathlib import Path

    from storage.cassette.values import Statement

WHEN = "2023-11-14T22:13:20.000001Z"
HEADER = {
    "type": "header", "format": "imaptap ndjson", "version": 1, "recording": "x", "started": WHEN, "ended": None,
    "imaptap": "0.1.0", "settings": "s", "whole": True,
}  # fmt: skip
SESSION = {
    "type": "session",
    "session": 1,
    "opened": WHEN,
    "client": "c",
    "listen": "l",
    "upstream": "u",
    "whole": True,
}
BYTES = {
    "type": "bytes",
    "session": 1,
    "side": "server",
    "offset": 0,
    "exchange": None,
    "at": 5,
    "layers": ["tls"],
    "text": "* OK\r\n",
}
EXCHANGE = {
    "type": "exchange", "session": 1, "exchange": 1, "tag": "a", "command": "NOOP", "arguments": "", "mailbox": None,
    "origin": "client", "outcome": "completed", "status": "OK", "code": None, "text": "done", "started": 6, "ended": 9,
    "client_bytes": 8, "server_bytes": 6, "responses": {"EXISTS": 2}, "marks": ["tag reused"],
}  # fmt: skip
SPAN = {
    "type": "span", "session": 1, "exchange": None, "side": "server", "start": 0, "end": 6, "first_at": 5, "last_at": 5,
    "units": 1, "certainty": "unsolicited", "open": [2],
}  # fmt: skip
END = {
    "type": "end",
    "session": 1,
    "at": 9,
    "ending": "closed by client",
    "reason": "r",
    "client_bytes": 8,
    "server_bytes": 6,
}
EVENT = {
    "type": "event", "session": 1, "at": 5, "kind": "rewrite", "name": "n", "text": "", "side": "client", "offset": 0,
    "length": 2, "received_base64": "YWI=", "sent_base64": "",
}  # fmt: skip


def _said(*documents: dict[str, Any] | bytes) -> list[Statement]:
    lines = (each if isinstance(each, bytes) else json.dumps(each).encode() for each in documents)
    return [placed.statement for placed in statements(io.BytesIO(b"".join(line + b"\n" for line in lines)))]


def test_recognised() -> None:
    assert recognise(json.dumps(HEADER).encode() + b"\n")
    assert not recognise(b'{"format":"other"}\n')
    assert not recognise(b"")


def test_everything() -> None:
    body = {"type": "body", "session": 1, "side": "server", "start": 6, "length": 5000}
    hole = {"type": "hole", "session": 1, "side": "client", "offset": 0, "length": 7}
    unkept = {
        "type": "unkept", "session": 1, "side": "server", "offset": 6, "exchange": 1, "at": 5, "layers": [],
        "length": 9, "chunks": [[4, 5], [5, 7]], "literal_start": 6, "literal_length": 9, "sha256": "00" * 32,
    }  # fmt: skip
    said = _said(HEADER, SESSION, BYTES, body, hole, unkept, EVENT, EXCHANGE, SPAN, END)
    wall = 1_700_000_000_000_001
    client, server = Direction.CLIENT, Direction.SERVER
    assert said == [
        Header(wall, None, "0.1.0", "s"),
        Begun(1, wall, "c", "l", "u", Told.EVERYTHING),
        Said(server, 5, Layer.TLS, b"* OK\r\n"),
        Body(server, LiteralPart(6, 5000)),
        Hole(client, 7),
        Unkept(server, 5, Layer.PLAIN, 9, ((4, 5), (5, 7)), LiteralPart(6, 9), bytes(32)),
        (1, 5, EventKind.REWRITE, "n", "", client, 0, 2, b"ab", b""),
        Exchange(
            1, 1, "a", "NOOP", "", None, Origin.CLIENT, Outcome.COMPLETED, "OK", None, "done", 6, 9, 8, 6,
            (("EXISTS", 2),), ("tag reused",),
        ),
        Span(1, None, server, 0, 6, 5, 5, 1, Certainty.UNSOLICITED, (2,)),
        Over(9, Ending.CLIENT, "r", 8, 6),
    ]  # fmt: skip


def test_a_chunk_in_several_lines_is_one() -> None:
    first = BYTES | {"text": "* OK\r\n", "more": True}
    second = {key: value for key, value in BYTES.items() if key != "text"} | {"base64": "/w==", "offset": 6}
    between = BYTES | {"side": "client"}
    said = [each for each in _said(HEADER, SESSION, first, between, second, END) if isinstance(each, Said)]
    assert said == [
        Said(Direction.CLIENT, 5, Layer.TLS, b"* OK\r\n"),
        Said(Direction.SERVER, 5, Layer.TLS, b"* OK\r\n\xff"),
    ]


def test_a_chunk_does_not_go_on_for_ever() -> None:
    parts = (BYTES | {"text": "x" * 2**20, "more": True, "offset": place << 20} for place in range(65))
    with pytest.raises(StorageError, match="at line 67: the chunk is longer than any"):
        _said(HEADER, SESSION, *parts)


@pytest.mark.parametrize("count", [0, 2, 3])
def test_what_was_cut_short_is_refused(count: int) -> None:
    with pytest.raises(StorageError, match=f"ends behind line {count}"):
        _said(*[HEADER, SESSION, BYTES, END][:count])


def test_a_session_ends_before_the_next_one_begins() -> None:
    with pytest.raises(StorageError, match="at line 3: session 1 has not ended"):
        _said(HEADER, SESSION, SESSION | {"session": 2})


def test_unknown_types_and_keys_are_passed_over() -> None:
    assert len(_said(HEADER | {"new": 1}, {"type": "new"}, SESSION, END)) == 3


@pytest.mark.parametrize(
    "line",
    [
        b"", b"[]", b"{", b"\xff", b"[" * 100_000, {"type": 5}, BYTES | {"session": 2}, BYTES | {"side": "both"},
        BYTES | {"at": -1}, BYTES | {"at": 2**70}, BYTES | {"at": True}, BYTES | {"layers": ["x"]},
        BYTES | {"layers": [[]]},
        BYTES | {"base64": "?"}, SESSION, SPAN | {"certainty": "x"}, END | {"ending": "x"},
        EXCHANGE | {"responses": []}, BYTES | {"offset": 1}, BYTES | {"text": "\ud800"}, EVENT | {"text": "\ud800"},
        EXCHANGE | {"marks": ["\udfff"]}, b'{"type": "new", "x": "\xed\xa0\x80"}',
        EXCHANGE | {"tag": None}, EVENT | {"session": None}, EVENT | {"kind": "x"}, HEADER | {"type": "session"},
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_with_its_line(line: dict[str, Any] | bytes) -> None:
    with pytest.raises(StorageError, match="at line 3: "):
        _said(HEADER, SESSION, line)


@pytest.mark.parametrize("first", [SESSION, HEADER | {"version": 2}, HEADER | {"format": "x"}])
def test_what_does_not_begin_as_one(first: dict[str, Any]) -> None:
    with pytest.raises(StorageError, match="at line 1: "):
        _said(first)


def test_nothing_stays_of_a_wrong_one(tmp_path: Path) -> None:
    good = b"".join(json.dumps(each).encode() + b"\n" for each in (HEADER, SESSION, BYTES, SPAN, END))
    with open_store(tmp_path / "x.db", create=True) as store:
        with pytest.raises(StorageError):
            import_statements(store, statements(io.BytesIO(good + b"{\n")), "x")
        assert store.recordings() == []
        recording = import_statements(store, statements(io.BytesIO(good)), "x")
        assert (recording.started, store.totals(recording).sessions) == (1_700_000_000_000_001, 1)
