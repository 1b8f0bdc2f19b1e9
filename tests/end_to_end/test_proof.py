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
OTHER = SESSION.replace("(1, 1, 1, 1000000", "(2, 1, 2, 9000000"), ("failed", 0, 0)
"""A later session, that no server was dialled for: before it, a number may be missing."""
NO_GREETING = "localhost:993 closed the connection without a greeting."
GAP = "3 records with 9 bytes and 1 whole sessions were not recorded: why. From 500000 to 2000000 (microseconds)."
EVENT = """INSERT INTO event (recording_id, number, session_id, at, kind, name, text, direction, "offset", length)
    VALUES (1, ?, ?, 0, ?, '', ?, ?, ?, ?)"""


def came(at: float, client: bytes = CLIENT, server: bytes = SERVER, *, went: float | None = None) -> Wire:
    """A connection that came at that second, and is over."""
    return Wire(bytearray(client), bytearray(server), open=False, came=at, went=went)


def prove(
    folder: Path, rows: list[tuple[str, tuple[Any, ...]]], *wires: Wire, excused: bool = False, killed: bool = False
) -> Tally:
    """What comes of connections (default: one with CLIENT and SERVER), and a database with a recording and `rows`."""
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
    tee: Any = SimpleNamespace(wires=list(wires) or [came(1.0)], forget=lambda _: None)
    proof = Proof(str(file), "1", tee, lambda _: excused, lambda _: False)
    try:
        return proof.finish(killed=killed)
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


def test_so_it_may_where_the_end_did_not_arrive(tmp_path: Path) -> None:
    rows = session(b"b STARTTLS\r\n" + MASKED + b"c NOOP\r\n", ending="closed by server")
    rows[1] = (PIECE, (0, 12, len(MASKED) + 8, MASKED + b"c NOOP\r\n"))
    rows[3] = (EVENT, (1, 1, "secret", "", 0, 27, 6))
    rows.append((EVENT, (2, 1, "gap", "", 0, 0, 12)))
    torn = came(1.0)
    torn.torn = True
    tally = prove(tmp_path, rows, torn)
    assert (tally.cut_short, tally.unsent, tally.problems) == (1, 20, [])


def gap(text: str) -> tuple[str, tuple[Any, ...]]:
    """The row of a gap of the whole recording."""
    return (EVENT, (9, None, "gap", text, None, None, None))


def test_a_session_may_be_missing_if_a_gap_counts_it(tmp_path: Path) -> None:
    tally = prove(tmp_path, [gap(GAP), OTHER])
    assert (tally.wholly_lost, tally.missing, tally.unseen, tally.problems) == (1, 1, 1, [])


@pytest.mark.parametrize(
    ("rows", "wires"),
    [
        pytest.param([gap(GAP.replace("1 whole", "2 whole")), OTHER], [], id="more are counted than are missing"),
        pytest.param([gap(GAP.replace("1 whole", "0 whole")), OTHER], [], id="fewer are counted than are missing"),
        pytest.param([gap(GAP), *session(), OTHER], [], id="what is counted is there"),
        pytest.param([gap(GAP), OTHER], [came(1.0), came(1.0)], id="one connection more than there were sessions"),
        pytest.param([gap(GAP), OTHER], [came(5.0)], id="it came when nothing was missing"),
    ],
)
def test_sessions_are_counted(tmp_path: Path, rows: list[Any], wires: list[Wire]) -> None:
    assert prove(tmp_path, rows, *wires).problems


def test_a_killed_worker_counts_nothing(tmp_path: Path) -> None:
    assert prove(tmp_path, [OTHER], came(9.0, b"", b""), killed=True).problems == []


LATER = [(statement.replace("(1, 1, 1, 1000000", "(1, 1, 2, 9000000"), values) for statement, values in session()]
"""The second session, in the ninth second."""


def test_a_session_is_that_of_the_connection_that_came_with_it(tmp_path: Path) -> None:
    """Another one has said the same but for its password, and is missing."""
    tally = prove(tmp_path, [gap(GAP), *LATER], came(1.0), came(9.0, CLIENT.replace(b"secret", b"Secret")))
    assert (tally.equal, tally.wholly_lost, tally.problems) == (1, 1, [])


def test_of_two_that_said_the_same_either_may_have_the_others(tmp_path: Path) -> None:
    """They are told apart by nothing, and one may have been paired before the other one was known to have ended."""
    tally = prove(tmp_path, session(), came(0.5))
    assert (tally.equal, tally.problems) == (1, [])


def test_a_session_that_was_torn_off_is_not_taken_for_a_longer_one(tmp_path: Path) -> None:
    torn = came(9.0, server=SERVER[:9])
    rows = [(SESSION.replace("(1, 1, 1, 1000000", "(1, 1, 2, 9000000"), ("closed by server", 23, 4)),
            (PIECE, (0, 0, 23, MASKED)), (PIECE, (1, 0, 4, SERVER[:4])),
            (EVENT, (1, 1, "secret", "", 0, 15, 6))]  # fmt: skip
    tally = prove(tmp_path, [gap(GAP), *rows], came(1.0), torn, excused=True)
    assert (tally.cut_short, tally.unread, tally.wholly_lost, tally.problems) == (1, 5, 1, [])


def test_a_client_may_hang_up_before_the_greeting_is_read(tmp_path: Path) -> None:
    rows = [(SESSION, ("closed by client", 0, 0)), (EVENT, (1, 1, "tls", "", 1, None, None))]
    tally = prove(tmp_path, rows, came(1.0, b"", SERVER[:9]), excused=True)
    assert (tally.cut_short, tally.unread, tally.problems) == (1, 9, [])
    other = tmp_path / "other"
    other.mkdir()
    assert prove(other, rows[:1], came(1.0, b"", SERVER[:9]), excused=True).problems, "no server was dialled for it"


def test_clients_that_said_nothing_choose_together(tmp_path: Path) -> None:
    """Each for itself, the one that was greeted would take the connection that alone can be the later one's."""

    def silent(number: int, wall: float, heard: bytes) -> list[Any]:
        opened = SESSION.replace("(1, 1, 1, 1000000", f"({number}, 1, {number}, {wall * 1e6:.0f}")
        opened = opened.replace("ending,", "at_end, ending,").replace("'', ?", "'', 300000, ?")
        event = EVENT.replace("(1, ?", f"({number}, ?")
        tls = (event, (number, number, "tls", "", 1, None, None))
        piece = (PIECE.replace("(1, ?", f"({number}, ?"), (1, 0, len(heard), heard))
        return [(opened, ("closed by client", 0, len(heard))), tls, *([piece] if heard else [])]

    rows = [*silent(1, 1.0, HI), *silent(2, 1.3, b"")]
    wires = [came(1.05, b"", HI, went=3.0), came(1.35, b"", HI, went=1.4)]
    tally = prove(tmp_path, rows, *wires, excused=True)
    assert (tally.equal, tally.cut_short, tally.unseen, tally.problems) == (1, 1, 0, [])


def test_a_session_that_is_masked_all_over_chooses_last(tmp_path: Path) -> None:
    """An endless tag may be a password: what is masked is like anything."""
    torn, endless = came(1.0, CLIENT[:15], SERVER[:9]), came(1.1, b"t" * 40, SERVER[:9])
    rows = [
        (SESSION.replace("(1, 1, 1, 1000000", "(1, 1, 1, 900000"), ("closed by server", 90, 9)),
        (PIECE, (0, 0, 90, b"x" * 90)), (PIECE, (1, 0, 9, SERVER[:9])),
        (EVENT, (1, 1, "secret", "", 0, 0, 90)),
        (SESSION.replace("(1, 1, 1, 1000000", "(2, 1, 2, 950000"), ("closed by server", 23, 9)),
        (PIECE.replace("VALUES (1,", "VALUES (2,"), (0, 0, 23, MASKED)),
        (PIECE.replace("VALUES (1,", "VALUES (2,"), (1, 0, 9, SERVER[:9])),
        (EVENT, (2, 2, "secret", "", 0, 15, 6)),
    ]  # fmt: skip
    tally = prove(tmp_path, rows, torn, endless, excused=True)
    assert (tally.equal + tally.cut_short, tally.unseen, tally.problems) == (2, 0, [])


def endless(number: int, wall: float, lasted: float, said: int = 90, server: bytes = SERVER[:9]) -> list[Any]:
    """Rows of a session whose client said nothing but an endless tag, all of it masked."""
    opened = SESSION.replace("(1, 1, 1, 1000000", f"({number}, 1, {number}, {wall * 1e6:.0f}")
    opened = opened.replace("ending,", "at_end, ending,").replace("'', ?", f"'', {lasted * 1e6:.0f}, ?")
    piece, event = (each.replace("(1, ?", f"({number}, ?") for each in (PIECE, EVENT))
    return [
        (opened, ("closed by client", said, len(server))),
        (piece, (0, 0, said, b"x" * said)),
        (piece, (1, 0, len(server), server)),
        (event, (number, number, "secret", "", 0, 0, said)),
    ]


TAG, HI = b"t" * 40, SERVER[:9]


@pytest.mark.parametrize(
    ("rows", "lost", "own"),
    [
        pytest.param(endless(2, 4.5, 2), came(3.9, TAG, HI), [came(5.2, TAG, HI)], id="the lost one came before it"),
        pytest.param(
            endless(2, 3.8, 2),
            came(3.85, TAG, HI, went=3.9),
            [came(4.1, TAG, HI, went=5.8)],
            id="the lost one had ended",
        ),
        pytest.param(
            endless(2, 3.8, 2, server=SERVER), came(3.85, TAG, HI), [came(4.1, TAG)], id="the lost one had heard less"
        ),
        pytest.param(
            [*endless(2, 3.8, 2), *endless(3, 3.98, 2, said=20)],
            came(2.0, CLIENT),
            [came(4.2, TAG, HI), came(4.05, TAG[:10], HI)],
            id="another has no choice",
        ),
    ],
)
def test_a_session_that_is_masked_all_over_has_its_own_connection(
    tmp_path: Path, rows: list[Any], lost: Wire, own: list[Wire]
) -> None:
    """And that without a session is the one which came while nothing was recorded, though it was nearer."""
    tally = prove(tmp_path, [gap(GAP), *rows], lost, *own, excused=True)
    assert (tally.cut_short, tally.wholly_lost, tally.unseen, tally.problems) == (len(own), 1, 0, [])


def test_a_client_that_said_nothing_is_not_one_that_logged_in(tmp_path: Path) -> None:
    """It hung up in the midst of an outage, and others have no session."""
    rows = [(SESSION, ("closed by client", 0, 0)), (EVENT, (1, 1, "tls", "", 1, None, None))]
    tally = prove(tmp_path, rows, came(1.0), excused=True)
    assert (tally.cut_short, tally.unseen) == (0, 1)


def test_a_server_that_has_not_greeted_is_not_one_that_said_something(tmp_path: Path) -> None:
    rows = [
        (SESSION.replace("ending,", "reason, ending,").replace("'', ?", "'', ?, ?"), (NO_GREETING, "failed", 0, 0)),
        (EVENT, (1, 1, "tls", "", 1, None, None)),
    ]
    assert prove(tmp_path, rows, came(1.0, b"", b""), excused=True).equal == 1
    other = tmp_path / "other"
    other.mkdir()
    assert prove(other, rows, came(1.0), excused=True).cut_short == 0


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
