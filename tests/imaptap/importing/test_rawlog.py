"""Dovecot's rawlogs: two files, one file, both sides in one."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaptap.importing.formats import named
from proxy.imap.transcript import Direction
from tests.imaptap.importing.scripts import found, told

if TYPE_CHECKING:
    from pathlib import Path

RAWLOG = named("rawlog")
IN = b"1700000001.000100 a NOOP\r\n1700000003.000000 b APPEND x {5}\r\n1700000003.500000 12\n1700000003.600000 45\r\n"
OUT = (
    b"1700000000.000000 z OK [CAPABILITY IMAP4rev1] in\r\n1700000002.000000 a OK done\r\n"
    b"1700000003.200000 + OK\r\n1700000004.000000 b OK\r\n"
)
SCRIPT = [
    "S: z OK [CAPABILITY IMAP4rev1] in|",
    "C: a NOOP|",
    "S: a OK done|",
    "C: b APPEND x {5}|",
    "S: + OK|",
    "C: 12\n45|",
]


def _pair(folder: Path, first: bytes = IN, second: bytes = OUT, name: str = "20231114-221320.7.1") -> list[Path]:
    paths = [folder / f"{name}.in", folder / f"{name}.out"]
    for path, data in zip(paths, (first, second), strict=True):
        path.write_bytes(data)
    return paths


def test_a_pair_is_one_session_in_the_order_of_time(tmp_path: Path) -> None:
    paths = _pair(tmp_path)
    assert {found(path) for path in paths} == {"rawlog"}
    done = told(RAWLOG, *paths)
    assert done.script() == [*SCRIPT, "S: b OK|"]
    assert done.begun[0].wall == 1_700_000_000_000_000
    assert [each.at for each in done.said][:2] == [1_700_000_000_000_000, 1_700_000_001_000_100]
    assert any("before the login" in caveat for caveat in done.begun[0].caveats)
    assert (len(done.over), done.broken, done.remarks) == (1, None, [])


@pytest.mark.parametrize(("index", "missing"), [(0, "server"), (1, "client")])
def test_one_side_alone(tmp_path: Path, index: int, missing: str) -> None:
    path = _pair(tmp_path)[index]
    done = told(RAWLOG, path)
    assert done.stream(Direction(index)) == b"".join(line[18:] for line in path.read_bytes().splitlines(keepends=True))
    assert done.remarks == [f"one side: the {missing}'s side is not in it"]


def test_a_client_of_dovecots_own_has_the_server_in_its_in(tmp_path: Path) -> None:
    greeting = b"1700000000.000000 * OK hello\r\n1700000002.000000 1 OK\r\n"
    done = told(RAWLOG, *_pair(tmp_path, greeting, b"1700000001.000000 1 NOOP\r\n"))
    assert done.script() == ["S: * OK hello|", "C: 1 NOOP|", "S: 1 OK|"]
    assert not done.begun[0].logged_in


def test_several_connections_are_sessions_by_time(tmp_path: Path) -> None:
    late = _pair(tmp_path)
    early = _pair(tmp_path, b"1600000000.000000 x NOOP\r\n", b"1600000001.000000 x OK\r\n", "other")
    assert told(RAWLOG, *late, *early).script() == ["C: x NOOP|", "S: x OK|", "--", *SCRIPT, "S: b OK|"]


def test_a_file_without_an_ending_beside_a_pair_is_another_connection(tmp_path: Path) -> None:
    paths = _pair(tmp_path)
    other = tmp_path / "20231114-221320.7.1"
    other.write_bytes(b"1600000000.000000 x NOOP\r\n")
    assert told(RAWLOG, *paths, other).script() == ["C: x NOOP|", "--", *SCRIPT, "S: b OK|"]


def test_both_sides_in_one_file(tmp_path: Path) -> None:
    """`>` marks what is not the end of a line: what follows stands behind it at once."""
    path = tmp_path / "both"
    path.write_bytes(
        b"1700000000.000000 O: * OK hi\r\n1700000001.000000 I: a FETCH 1 BODY[]\r\n"
        b"1700000002.000000 O: * 1 FETCH (BODY[] {12}\r\n1700000002.000000 O> abc1700000002.100000 O: \r\n"
        b"1700000002.200000 O: I: 45\r\n1700000002.300000 O: )\r\n"
    )
    done = told(RAWLOG, path)
    assert done.script() == ["S: * OK hi|", "C: a FETCH 1 BODY[]|", "S: * 1 FETCH (BODY[] {12}|abc|I: 45|)|"]
    assert done.broken is None


def test_it_stops_where_no_time_stands(tmp_path: Path) -> None:
    done = told(RAWLOG, *_pair(tmp_path, IN + b"nonsense\r\n1700000009.000000 c NOOP\r\n"))
    assert done.script()[:2] == SCRIPT[:2]
    assert done.broken == "20231114-221320.7.1.in at line 5: the line does not begin with a time"


@pytest.mark.parametrize("end", [b"17", b"1700000005.00", b"1700000005.000000"])
def test_a_time_that_is_cut_off(tmp_path: Path, end: bytes) -> None:
    done = told(RAWLOG, _pair(tmp_path, IN + end)[0])
    assert done.stream(Direction.CLIENT).endswith(b"45\r\n")
    assert done.broken is not None
    assert "at line 5" in done.broken


def test_an_endless_line_takes_no_memory(tmp_path: Path) -> None:
    data = b"\0" * 300_000
    done = told(RAWLOG, _pair(tmp_path, b"1700000001.000000 " + data)[0])
    assert done.stream(Direction.CLIENT) == data
    assert max(len(each.data) for each in done.said) <= 64 * 1024


@given(
    chunks=st.lists(
        st.tuples(st.sampled_from(Direction), st.binary(min_size=1, max_size=40), st.integers(0, 3)), max_size=12
    )
)
def test_what_is_logged_comes_back(
    tmp_path_factory: pytest.TempPathFactory, chunks: list[tuple[Direction, bytes, int]]
) -> None:
    """Written as Dovecot does: a time at the beginning of each line, and none where one goes on."""
    streams = dict.fromkeys(Direction, b"")
    logs = dict.fromkeys(Direction, b"")
    at = 1_700_000_000
    for direction, data, later in chunks:
        at += later
        for part in _lines(data):
            if not streams[direction] or streams[direction].endswith(b"\n"):
                logs[direction] += b"%d.000000 " % at
            streams[direction] += part
            logs[direction] += part
    folder = tmp_path_factory.mktemp("logs")
    names = {Direction.CLIENT: "x.in", Direction.SERVER: "x.out"}
    for direction, name in names.items():
        (folder / name).write_bytes(logs[direction])
    done = told(RAWLOG, *(folder / name for name in names.values()))
    got = {done.stream(Direction.CLIENT), done.stream(Direction.SERVER)}
    assert done.broken is None
    assert got == set(streams.values())


def _lines(data: bytes) -> list[bytes]:
    parts = data.split(b"\n")
    return [part + b"\n" for part in parts[:-1]] + [parts[-1]] * bool(parts[-1])
