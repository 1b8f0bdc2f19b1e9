"""`text`: read back by a reader of a few lines, it gives the streams again."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from imaptap.exporting.escapes import escaped
from imaptap.exporting.settings import Settings
from imaptap.importing.formats import named
from proxy.imap.transcript import Direction, EventKind
from tests.imaptap.exporting.exported import C, S, Tale, export, hostile, open_store, plain_session, recorded
from tests.imaptap.importing.scripts import told
from tests.imaptap.telling import LETTER, typed_session

if TYPE_CHECKING:
    from pathlib import Path

    from proxy.imap.transcript import Record

_LINE = re.compile(r"(?: *\d+\.\d{6} )?([CS])([:|*])(?: (.*))?")
_TOKEN = re.compile(r"\\\\|\\x([0-9a-f]{2})|\\\{[^}]* (\d+)\}|\\$")


def unescaped(text: str) -> tuple[bytes, bool]:
    """The bytes, and whether a line end follows: what docs/export.md says."""
    data, position, ends = b"", 0, True
    for token in _TOKEN.finditer(text):
        data += text[position : token.start()].encode()
        position = token.end()
        if token[1]:
            data += bytes.fromhex(token[1])
        elif token[2]:
            data += b"x" * int(token[2])
        elif token[0] == "\\":
            ends = False
        else:
            data += b"\\"
    return data + text[position:].encode(), ends


def streams(text: str) -> dict[str, bytes]:
    """Both streams, one session."""
    found = {"C": b"", "S": b""}
    for line in text.split("\n"):
        match = _LINE.fullmatch(line)
        if match:
            assert match[2] != "*"
            data, ends = unescaped(match[3] or "")
            found[match[1]] += data + (b"\r\n" if ends else b"")
    return found


def test_how_it_looks(tmp_path: Path) -> None:
    recorded(
        tmp_path / "imaptap.db", Tale().say("S: * OK hi\nC: a LOGIN bob secret\nS: a OK \nC: b NOOP").end(), name="x"
    )
    with open_store(tmp_path / "imaptap.db", create=False) as store:
        text = export(store, "text")[0].decode()
    assert text.split("\n") == [
        "# imaptap text 1",
        "",
        "# session: x/1",
        "# opened: 2023-11-14T22:13:20.000000Z",
        "# client: 127.0.0.1:50001",
        "# listen: imaps://localhost:1993",
        "# upstream: imaps://mail.example.org:993",
        "S: * OK hi",
        "C: a LOGIN bob \\{login 6}",
        "S: a OK\\x20",
        "C: b NOOP",
        "# ended: closed by client, end of stream",
        "",
    ]


@pytest.mark.parametrize("tale", [typed_session, hostile, plain_session])
@pytest.mark.parametrize("times", [True, False])
def test_the_streams_can_be_read_back(tmp_path: Path, tale: object, times: bool) -> None:
    recorded(tmp_path / "imaptap.db", tale(), name="x")
    with open_store(tmp_path / "imaptap.db", create=False) as store:
        text, missing = export(store, "text", settings=Settings(times=times))
        session = store.session(store.recording("x"), 1)
        exact = {side.name[0]: b"".join(store.stream(session, side)) for side in Direction}
    assert missing == 0
    assert streams(text.decode()) == exact


@given(st.binary(max_size=60))
def test_bytes_are_exact_and_inert(data: bytes) -> None:
    text = escaped(data)
    assert text.isprintable()
    assert unescaped(text) == (data, True)


def cut_anywhere() -> st.SearchStrategy[list[Record]]:
    """A session of both sides' nonsense and sense, in chunks."""
    said = st.sampled_from(
        [b"a NOOP\r\n", b"b APPEND x {5}\r\n", b"hello\r\n", b"* 1 FETCH (BODY[] {3}\r\n", b"abc)\r\n", b"\n", b"\r",
         b" ", b"\\", b"* OK\r\n", b"a OK\r\n", b"\x00\xff", b"{", "é".encode(), "é".encode()[:1]]
    )  # fmt: skip
    chunks = st.lists(st.tuples(st.sampled_from([C, S]), st.lists(said, min_size=1, max_size=4)), max_size=12)

    def told(chosen: list[tuple[Direction, list[bytes]]]) -> list[Record]:
        tale = Tale()
        for direction, parts in chosen:
            tale.send(direction, b"".join(parts))
        return tale.end()

    return chunks.map(told)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(records=cut_anywhere())
def test_any_session_can_be_read_back(tmp_path: Path, records: list[Record]) -> None:
    db = tmp_path / "imaptap.db"
    db.unlink(missing_ok=True)
    recorded(db, records, name="x")
    with open_store(db, create=False) as store:
        text = export(store, "text")[0].decode()
        session = store.session(store.recording("x"), 1)
        exact = {side.name[0]: b"".join(store.stream(session, side)) for side in Direction}
    assert streams(text) == exact


def test_literals_can_be_left_out(tmp_path: Path) -> None:
    recorded(tmp_path / "imaptap.db", typed_session(), name="x")
    with open_store(tmp_path / "imaptap.db", create=False) as store:
        text, missing = export(store, "text", settings=Settings(bodies=False))
    assert missing == 0
    lines = text.decode().split("\n")
    index = lines.index(f"S: * 4 FETCH (RFC822 {{{len(LETTER)}}}")
    assert lines[index + 1 : index + 3] == [f"S* {len(LETTER)} bytes of a literal, not shown", r"S:  FLAGS (\\Seen))"]


def test_what_people_call_a_secret_ends_no_brace(tmp_path: Path) -> None:
    """In a cassette by hand it may be called anything, and the text is read back all the same."""
    tale = Tale().say("S: * OK hi\nC: a XYZZY\nS: a OK")
    tale.happen(EventKind.SECRET, "a}\\b {7}\n\x1b", "", C, (2, 5))
    recorded(tmp_path / "imaptap.db", tale.end(), name="x")
    with open_store(tmp_path / "imaptap.db", create=False) as store:
        text = export(store, "text")[0]
    assert b"C: a \\{a__b _7___ 5}\n" in text
    (tmp_path / "x.txt").write_bytes(text)
    assert told(named("text"), tmp_path / "x.txt").stream(C) == b"a xxxxx\r\n"
