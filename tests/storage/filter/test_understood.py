"""What the grammar notices in an exchange, and what keeps it from being asked too often."""

from __future__ import annotations

from pathlib import Path

import pytest

from proxy.imap.grammar import cut, joined, parse_command, parse_response
from proxy.imap.transcript import BODY_MIN, Direction, EventKind, Exchange, Outcome
from proxy.imap.units import Boundary, UnitReader
from storage.filter import understood as module
from storage.filter.gather import Told
from storage.filter.understood import READ_WHOLE_MOST, understood, units
from tests.proxy.imap.playing import Said, sent
from tests.proxy.imap.scripts import everything, load
from tests.storage.scenes import exchange

CLIENT, SERVER = Direction.CLIENT, Direction.SERVER
NOVEMBER = 1_793_527_506_000_000
"""2026-11-01T10:05:06Z"""


def told(
    client: bytes = b"a NOOP\r\n", server: bytes = b"", command: str = "NOOP", *,
    events: frozenset[str] = frozenset(), outcome: Outcome = Outcome.COMPLETED,
) -> Told:  # fmt: skip
    made: Exchange = exchange(1)._replace(command=command, outcome=outcome)
    return Told(1, 1, made, client, server, frozenset(), events)


@pytest.mark.parametrize(
    ("server", "quirks"),
    [
        (b"* 3  EXISTS\r\na OK done\r\n", {"DOUBLED_SPACE"}),
        (b"* 3 EXISTS\n* SEARCH \r\na OK\r\n", {"BARE_LF", "TRAILING_SPACE", "NO_TEXT"}),
        (b"* 3 EXISTS\r\n* OK see {40}\r\n+ go {4}\r\na OK done\r\n", set()),
        (b"* OK half", {"CUT"}),
        (b"* 1 FETCH (BODY[] {4}\r\n* 3 )\r\n* FLAGS ( \\Seen)\r\n", {"EXTRA_SPACE"}),
        # A body's content is not there; what is behind it is.
        (b"* 1 FETCH (BODY[] {5000}\r\n UID 7 )\r\n* 2 EXISTS\r\n", {"EXTRA_SPACE"}),
        (b"* 1 FETCH (BODY[] {5000}\r\n UID 7)\r\n* 2 EXISTS\r\n", set()),
        (b"* NO [BADCHARSET ({5}\r\nUTF-8)] x\r\n* 1 EXISTS\r\n", set()),
        # What cannot be read has those that were noticed before that.
        (b"* 3 FETCH (\r\n", set()),
        (b"a  WHAT ((\r\n", {"DOUBLED_SPACE", "UNKNOWN_STATUS"}),
        # Numbers of which one is alike and the other is not.
        (b"a OK [APPENDUID 4294967295 1] x\r\n", set()),
        (b"a OK [APPENDUID 4294967296 1] x\r\n", {"BIG_NUMBER"}),
        (b"* 1 FETCH (MODSEQ (-0))\r\n", set()),
        (b"* 1 FETCH (MODSEQ (-1))\r\n", {"NEGATIVE"}),
        (b'* 1 FETCH (INTERNALDATE "11-Nov-2026 10:05:06 +0000")\r\n', set()),
        (b'* 1 FETCH (INTERNALDATE "41-Nov-2026 10:05:06 +0000")\r\n', {"ODD_DATE"}),
    ],
)
def test_servers(server: bytes, quirks: set[str]) -> None:
    for _ in range(2):  # the second time from memory
        assert understood(told(server=server)).quirks == quirks


@pytest.mark.parametrize(
    ("command", "client", "quirks"),
    [
        ("NOOP", b"a  noop \r\n", {"DOUBLED_SPACE", "TRAILING_SPACE"}),
        ("LOGIN", b'a LOGIN bob "xxxx"\r\n', set()),
        ("LOGIN", b"a LOGIN {3}\r\nbob {4}\r\nxxxx\r\n", set()),
        ("AUTHENTICATE", b"a AUTHENTICATE PLAIN\r\nxxxx  xx\n", set()),
        ("IDLE", b"a IDLE\r\nDONE \r\n", {"TRAILING_SPACE"}),
        ("APPEND", b'a APPEND x "today" {2}\r\nhi\r\n', {"ODD_DATE"}),
        ("SEARCH", b"a SEARCH SINCE 41-Nov-2026\r\n", set()),
    ],
)
def test_clients(command: str, client: bytes, quirks: set[str]) -> None:
    assert understood(told(client, command=command)).quirks == quirks


@pytest.mark.parametrize(
    ("command", "client", "dates"),
    [
        ("APPEND", b'a APPEND x (\\Seen) "01-Nov-2026 10:05:06 +0000" {2}\r\nhi\r\n', (NOVEMBER,)),
        ("APPEND", b'a APPEND x " 1-Nov-2026 12:05:06 +0200" {5000}\r\n\r\n', (NOVEMBER,)),
        ("APPEND", b'a APPEND "01-Nov-2026 10:05:06 +0000" {2}\r\nhi\r\n', ()),
        ("APPEND", b'a APPEND x "31-Feb-2026 10:05:06 +0000" {2}\r\nhi\r\n', ()),
        (
            "APPEND",
            b'a APPEND x "01-Nov-2026 10:05:06 +0000" {2}\r\nhi "01-Nov-2026 10:05:07 +0000" {2}\r\nho\r\n',
            (NOVEMBER, NOVEMBER + 1_000_000),
        ),
        ("REPLACE", b'a REPLACE 4 x "01-Nov-2026 10:05:06 +0000" {2}\r\nhi\r\n', (NOVEMBER,)),
        ("UID REPLACE", b'a UID REPLACE 4 x "01-Jan-1970 00:00:00 +0001" {2}\r\nhi\r\n', (-60_000_000,)),
    ],
)
def test_dates(command: str, client: bytes, dates: tuple[int, ...]) -> None:
    assert understood(told(client, command=command)).dates == dates


def test_where_bytes_were_lost_nothing_is_noticed() -> None:
    odd = told(server=b"* 3  EXISTS\r\n", events=frozenset({EventKind.GAP}))
    assert understood(odd).quirks == set()


def test_what_may_go_on_is_not_cut() -> None:
    assert understood(told(server=b"* 3 EXISTS\r\n* 4", outcome=Outcome.OPEN)).quirks == set()
    assert understood(told(server=b"* 3 EXISTS\r\n* 4")).quirks == {"CUT"}


def test_only_the_beginning_is_read() -> None:
    """In front of the limit and behind it, and a unit that lies upon it."""
    line = b"* 3 EXISTS\r\n"
    full = line * (READ_WHOLE_MOST // len(line))
    assert understood(told(server=full + line)).quirks == set()
    assert understood(told(server=full + b"* 3  EXISTS\r\n")).quirks == set()
    assert understood(told(server=b"* 3  EXISTS\r\n" + full)).quirks == {"DOUBLED_SPACE"}
    assert understood(told(server=b"* 1 FETCH (X " + b"y " * READ_WHOLE_MOST + b")\r\n")).quirks == set()
    letters = b"* 1 FETCH (BODY[] {4000}\r\n" + b"x" * 4000 + b")\r\n"
    assert understood(told(server=letters * 40)).quirks == set()


def test_alike_is_read_once(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[bytes] = []

    def parsing(unit: object) -> object:
        asked.append(unit.texts[0])
        return parse_response(unit)

    monkeypatch.setattr(module, "parse_response", parsing)
    module._noticed_in.cache_clear()
    for number in range(1000, 2000):
        understood(told(client=b"a NOOP\r\n", server=b"* %d  EXISTS\r\na%d OK done\r\n" % (number, number)))
    assert asked == [b"* 1111  EXISTS\r\n", b"a1111 OK done\r\n"]


@pytest.mark.parametrize("path", everything(), ids=lambda path: path.stem)
def test_units_are_those_of_the_wire_and_memory_changes_nothing(path: Path) -> None:
    """All of the scripts: what is cut here is what the reader of the wire cuts, with the unit's own quirks."""
    turns = [turn for turn in load(path).turns if isinstance(turn, Said)]
    for direction in Direction:
        stream = sent(turns, direction)
        reader, position = UnitReader(direction), 0
        while position < len(stream):
            boundary, position = reader.read(stream, position)
            if boundary is not Boundary.UNIT:
                continue
            unit = reader.take_unit()
            data = stream[unit.start : unit.end]
            if unit.flaws or len(data) > READ_WHOLE_MOST or any(each.size >= BODY_MIN for each in unit.literals):
                continue
            (own,) = units(data, direction)
            assert joined(own) == data
            assert [each.content for each in own.literals] == [each.content for each in unit.literals]
            parse = parse_response if direction is SERVER else parse_command
            expected = {quirk.name for quirk in parse(cut(data, direction)).names}
            assert set(module._noticed(own, direction)) == expected
