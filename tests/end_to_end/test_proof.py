"""The proof that a soak ends with finds what is wrong with a recording: each row is one thing that is."""

from __future__ import annotations

import sqlite3
from contextlib import closing
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from storage import open_store
from tests.end_to_end.proof import Proof, Tally, account
from tests.servers.tee import Wire

if TYPE_CHECKING:
    from pathlib import Path

CLIENT, SERVER = b"a LOGIN soak01 secret\r\n", b"* OK hi\r\na OK done\r\n"
MASKED = b"a LOGIN soak01 xxxxxx\r\n"

SESSION = """INSERT INTO session
    (id, recording_id, number, wall, client, listen, upstream, ending, client_bytes, server_bytes) VALUES
    (1, 1, 1, 1000000, '', '', '', ?, ?, ?)"""
PIECE = 'INSERT INTO piece (session_id, direction, "offset", length, at, layer, data) VALUES (1, ?, ?, ?, 0, 0, ?)'
EVENT = """INSERT INTO event (recording_id, number, session_id, at, kind, name, text, direction, "offset", length)
    VALUES (1, ?, ?, 0, ?, '', ?, ?, ?, ?)"""


def connection(came: float = 1.0, client: bytes = CLIENT) -> Wire:
    return Wire(bytearray(client), bytearray(SERVER), open=False, came=came)


def prove(folder: Path, rows: list[tuple[str, tuple[Any, ...]]], *more: Wire, excused: bool = False) -> Tally:
    """What comes of a connection with CLIENT and SERVER, and a database with a recording and `rows`."""
    file = folder / "record.db"
    open_store(file, create=True).close()
    with closing(sqlite3.connect(file)) as database:
        database.execute(
            "INSERT INTO recording (id, name, started, seen, host, pid, version, settings)"
            " VALUES (1, 'a', 0, 0, '', 1, '', '')"
        )
        for statement, values in rows:
            database.execute(statement, values)
        database.commit()
    tee: Any = SimpleNamespace(wires=[connection(), *more], forget=lambda _: None)
    proof = Proof(str(file), "1", tee, lambda _: excused, lambda _: False)
    try:
        return proof.finish()
    finally:
        proof.close()


def session(client: bytes = MASKED, server: bytes = SERVER, ending: str = "closed by client") -> list[Any]:
    """Rows of a session with these streams, the password masked."""
    return [
        (SESSION, (ending, len(client), len(server))),
        *((PIECE, (side, 0, len(data), data)) for side, data in enumerate((client, server)) if data),
        (EVENT, (1, 1, "secret", "", 0, 15, 6)),
    ]


def test_what_is_equal_is_no_problem(tmp_path: Path) -> None:
    tally = prove(tmp_path, session())
    assert (tally.equal, tally.problems) == (1, [])


def test_a_gap_stands_for_what_is_missing(tmp_path: Path) -> None:
    rows = session()
    rows[2:3] = [
        (PIECE, (1, 0, 9, SERVER[:9])),
        (PIECE, (1, 14, 5, SERVER[14:])),
        (EVENT, (2, 1, "gap", "", 1, 9, 5)),
    ]
    tally = prove(tmp_path, rows)
    assert (tally.equal, tally.with_gap, tally.gap_bytes, tally.problems) == (1, 1, 5, [])


def test_a_gap_may_hold_a_starttls_that_did_not_go_on(tmp_path: Path) -> None:
    longer = b"b STARTTLS\r\n" + MASKED
    rows = session(longer)
    rows[1] = (PIECE, (0, 12, len(MASKED), MASKED))
    rows[3] = (EVENT, (1, 1, "secret", "", 0, 27, 6))
    tally = prove(tmp_path, [*rows, (EVENT, (2, 1, "gap", "", 0, 0, 12))])
    assert (tally.equal, tally.with_gap, tally.problems) == (1, 1, [])


GAP = "3 records with 9 bytes and 1 whole sessions were not recorded: why. From 500000 to 2000000 (microseconds)."
SECOND = SESSION.replace("(1, 1, 1,", "(1, 1, 2,")


def gap(text: str = GAP) -> tuple[str, tuple[Any, ...]]:
    return EVENT, (9, None, "gap", text, None, None, None)


def test_a_session_may_be_missing_if_a_gap_counts_it(tmp_path: Path) -> None:
    """Here the first one: the second one, alike but for the password, came when all was recorded again."""
    second = [(SECOND, session()[0][1]), *session()[1:]]
    later = connection(9.0, CLIENT.replace(b"secret", b"sesame"))
    tally = prove(tmp_path, [*second, gap()], later)
    assert (tally.equal, tally.wholly_lost, tally.problems) == (1, 1, [])


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (GAP.replace("1 whole", "0 whole"), "1 sessions are missing, and gaps tell of 0"),
        (GAP.replace("1 whole", "2 whole"), "1 numbers of sessions are missing, and gaps tell of 2"),
        (GAP.replace("From 500000 to 2000000", "From 3000000 to 4000000"), "no session has the connection"),
    ],
)
def test_a_gap_must_count_them_all_and_no_others(tmp_path: Path, text: str, words: str) -> None:
    second = [(SECOND, session()[0][1]), *session()[1:]]
    problems = prove(tmp_path, [*second, gap(text)], connection(9.0)).problems
    assert any(words in problem for problem in problems), problems


@pytest.mark.parametrize(
    "rows",
    [
        pytest.param([], id="no session"),
        pytest.param(session(server=SERVER.replace(b"hi", b"ho")), id="another byte of the server"),
        pytest.param(session(MASKED.replace(b"soak01", b"soak02")), id="another byte of the client"),
        pytest.param(session(server=SERVER[:-2]), id="the end is missing"),
        pytest.param(session(server=SERVER + b"* BYE\r\n"), id="more than was said"),
        pytest.param([*session(), (SESSION.replace("(1, 1, 1,", "(2, 1, 2,"), ("cut", 0, 5))], id="a session too many"),
    ],
)
def test_what_is_wrong_is_a_problem(tmp_path: Path, rows: list[Any]) -> None:
    assert prove(tmp_path, rows).problems


def test_a_stream_that_was_torn_off_may_end_early_but_not_differ(tmp_path: Path) -> None:
    tally = prove(tmp_path, session(server=SERVER[:-2]), excused=True)
    assert (tally.cut_short, tally.unread, tally.problems) == (1, 2, [])
    other = tmp_path / "other"
    other.mkdir()
    assert prove(other, session(server=SERVER[:-2].replace(b"hi", b"ho")), excused=True).problems


@pytest.mark.parametrize("pieces", [[(0, 8), (9, 19)], [(0, 10), (9, 19)]], ids=["a hole", "an overlap"])
def test_pieces_must_meet(tmp_path: Path, pieces: list[tuple[int, int]]) -> None:
    rows = session()
    rows[2:3] = [(PIECE, (1, start, end - start, SERVER[start:end])) for start, end in pieces]
    with pytest.raises(AssertionError, match="do not meet"):
        prove(tmp_path, rows)


@pytest.mark.parametrize(
    ("said", "who"),
    [
        (b"a LOGIN soak07 secret\r\n", "soak07"),
        (b"a AUTHENTICATE PLAIN AHNvYWswNwBzZWNyZXQ=\r\n", "soak07"),
        (b"a AUTHENTICATE CRAM-MD5\r\nc29hazA3IDAxMjM0NTY3ODk=\r\n", "soak07"),
        (b"a CAPABILITY\r\n", ""),
    ],
)
def test_whose_connection_it_is(said: bytes, who: str) -> None:
    assert account(said) == who
