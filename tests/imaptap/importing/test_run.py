"""Logs put into a store: heard like live traffic, with where they come from, and nothing half."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from imaptap.importing.formats import FORMATS, named
from imaptap.importing.run import NothingError, Taken, origin_of, take_in
from imaptap.importing.values import UNTOLD, Begun, BrokenError, Over, Remark, Said
from proxy.imap.transcript import Direction, Ending, EventKind, Outcome
from storage import StorageError, Store, open_store
from tests.need import need

if TYPE_CHECKING:
    from collections.abc import Iterator

    from imaptap.importing.formats import Format
    from imaptap.importing.values import Statement

C, S = Direction.CLIENT, Direction.SERVER
AT = 1_700_000_000_000_000
BEGUN = Begun("k", AT, ("times are a guess",), "here", "there")
SESSION = [
    BEGUN,
    Said("k", S, b"* OK hi\r\n", AT),
    Said("k", C, b"a LOGIN bob open-sesame\r\n", AT + 5000),
    Said("k", S, b"a OK in\r\n", AT + 9000),
    Over("k", Ending.CLIENT, "end of stream", AT + 10_000),
]


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with open_store(tmp_path / "x.db", create=True) as opened:
        yield opened


def _take(store: Store, *statements: Statement, error: BaseException | None = None) -> Taken:
    def read(_: object) -> Iterator[Statement]:
        yield from statements
        if error is not None:
            raise error

    return take_in(store, named("cyrus")._replace(read=read), [Path("/logs/x\x1b[2J")], None)


def test_a_session_is_heard(store: Store) -> None:
    taken = _take(store, *SESSION)
    (session,) = store.sessions(taken.recording)
    (login,) = [each.exchange for each in store.exchanges(session)]
    assert (login.command, login.arguments, login.outcome) == ("LOGIN", "bob xxxxxxxxxxx", Outcome.COMPLETED)
    assert (login.started, login.ended) == (5000, 9000)
    assert (session.wall, session.client, session.upstream, session.at_end) == (AT, "here", "there", 10_000)
    assert (session.ending, session.reason) == (Ending.CLIENT, "end of stream")
    assert (taken.recording.started, taken.recording.ended, taken.stopped) == (AT, AT + 9000, None)


def test_passwords_are_masked(store: Store, tmp_path: Path) -> None:
    _take(store, *SESSION)
    store.close()
    assert all(b"sesame" not in path.read_bytes() for path in tmp_path.iterdir() if path.is_file())


SECRET = b"b3Blbi1zZXNhbWU="
LOGIN = b'1 LOGIN bob "open-sesame"\r\n'
AUTHENTICATE = b"2 AUTHENTICATE PLAIN\r\n"


@pytest.mark.parametrize(
    ("name", "log"),
    [
        ("rawlog", b"1700000000.000000 " + LOGIN),
        ("rawlog", b"1700000000.000000 " + AUTHENTICATE + b"1700000001.000000 " + SECRET + b"\r\n"),
        ("cyrus", b"---------- b Tue Nov 14 22:13:20 2023\n\n<1700000000<" + LOGIN + b"<1700000000<" + LOGIN[:-4]),
        ("mailkit", b"Connected to imaps://x/\r\nC: " + AUTHENTICATE + b"S: +\r\nC: " + SECRET + b"\r\nS: 2 OK\r\n"),
        ("mailkit", b"C: 1 LOGIN bob {11}\r\nS: +\r\nC: open-sesame\r\n"),
        ("transcript", b"* OK\n" + AUTHENTICATE + b"+\n" + SECRET + b"\n2 OK\n. login bob open-sesame\nopen-sesame\n"),
        ("transcript", b"* OK\nopen-sesame\n1 login bob open-sesame\n1 NO\n2 open-sesame\n2 BAD\n"),
        ("thunderbird", b"1[7f]: 7f00:h:NA:SendData: " + LOGIN + b"\n"),
        ("text", b"# imaptap text 1\n# session: x/1\nC: 1 LOGIN bob open-sesame\nS: 1 OK\nC: 2 NOOP open-sesame\n"),
    ],
)  # fmt: skip
def test_no_secret_reaches_the_disk(store: Store, tmp_path: Path, name: str, log: bytes) -> None:
    """Whatever of a login a log has, and whether it has the answers."""
    path = tmp_path / "log"
    path.write_bytes(log)
    take_in(store, named(name), [path], None)
    path.unlink()
    store.close()
    written = b"".join(each.read_bytes() for each in tmp_path.iterdir() if each.is_file())
    assert b"sesame" not in written
    assert SECRET not in written


def test_it_says_where_it_comes_from_and_what_is_not_exact(store: Store) -> None:
    taken = _take(
        store, *SESSION[:2], Remark("k", "one side", "half is missing", C), *SESSION[2:], Remark(None, "a", "b")
    )
    (session,) = store.sessions(taken.recording)
    notices = [(each.name, each.text, each.at) for each in store.events(session, EventKind.NOTICE)]
    origin = "Cyrus telemetry /logs/x\\x1b[2J"
    assert notices == [("imported", f"{origin}; times are a guess", 0), ("one side", "half is missing", 0)]
    assert [(each.name, each.text) for each in store.recording_events(taken.recording)] == [("a", "b")]
    assert origin_of(taken.recording) == origin


def test_a_log_without_times(store: Store) -> None:
    """A millisecond a turn, as in cassettes; it begins when it is imported."""
    taken = _take(
        store, *(each._replace(**{"wall": None} if isinstance(each, Begun) else {"at": None}) for each in SESSION)
    )
    (session,) = store.sessions(taken.recording)
    assert [(each.exchange.started, each.exchange.ended) for each in store.exchanges(session)] == [(2000, 3000)]
    assert session.wall == taken.recording.started


@pytest.mark.parametrize("at", [0, AT, AT - 10**9, -(10**30), 10**30])
def test_times_never_run_backwards_and_turns_take_time(store: Store, at: int) -> None:
    said = [each._replace(at=at) if isinstance(each, Said) else each for each in SESSION[:-1]]
    taken = _take(store, *said, Over("k", Ending.CUT, "x", at))
    (session,) = store.sessions(taken.recording)
    times = [(each.exchange.started, each.exchange.ended) for each in store.exchanges(session)]
    assert all(0 < started < (ended or 0) < 10_000 for started, ended in times)


def test_sessions_at_once(store: Store) -> None:
    other = [each._replace(key="other") for each in SESSION]
    both = [each for pair in zip(SESSION, other, strict=True) for each in pair]
    taken = _take(store, *both)
    assert [session.number for session in store.sessions(taken.recording)] == [1, 2]
    assert store.totals(taken.recording).exchanges == 2


def test_what_stands_before_a_break_is_kept(store: Store, tmp_path: Path) -> None:
    taken = _take(store, *SESSION[:3], error=BrokenError(tmp_path / "log", 1234, "it ends in the midst"))
    (session,) = store.sessions(taken.recording)
    assert taken.stopped == "log at line 1,234: it ends in the midst"
    assert (session.ending, session.reason) == (Ending.CUT, f"the log cannot be read further: {taken.stopped}")
    assert [each.exchange.outcome for each in store.exchanges(session)] == [Outcome.INCOMPLETE]
    assert [(each.name, each.text) for each in store.recording_events(taken.recording)] == [("stopped", taken.stopped)]


def test_nothing_is_left_of_nothing(store: Store, tmp_path: Path) -> None:
    with pytest.raises(NothingError):
        _take(store)
    with pytest.raises(NothingError, match="log: no"):
        _take(store, error=BrokenError(tmp_path / "log", None, "no"))
    assert store.recordings() == []


@pytest.mark.parametrize("error", [KeyboardInterrupt(), OSError("disk"), ValueError()])
def test_nothing_is_left_where_it_ends_badly(store: Store, error: BaseException) -> None:
    with pytest.raises(type(error)):
        _take(store, *SESSION, error=error)
    assert store.recordings() == []


def test_the_server_has_closed_behind_its_bye(store: Store) -> None:
    bye = [Said("k", C, b"b LOGOUT\r\n"), Said("k", S, b"* BYE\r\nb OK\r\n")]
    taken = _take(store, *SESSION[:-1], *bye, Over("k", Ending.CUT, UNTOLD))
    assert [each.ending for each in store.sessions(taken.recording)] == [Ending.SERVER]


def test_a_name_that_is_taken(store: Store) -> None:
    recording = _take(store, *SESSION).recording
    with pytest.raises(StorageError, match="already"):
        take_in(store, named("cyrus"), [], recording.name)


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.name)
@pytest.mark.parametrize(
    "data", [b"", b"\0" * 1000, b"\xff\n" * 1000, b"{99999999999}\r\n" * 50, bytes(range(256)) * 20]
)
def test_nonsense_that_is_forced_upon_a_format(store: Store, tmp_path: Path, form: Format, data: bytes) -> None:
    """Nothing else is raised, and nothing stays that is no session."""
    path = tmp_path / "nonsense"
    path.write_bytes(data)
    if form.name == "pcap":
        need("tshark")
    with pytest.raises(NothingError):
        take_in(store, form, [path], None)
    assert store.recordings() == []
