"""`--format pcapng`: read again, without Wireshark; tests/end_to_end asks tshark."""

from __future__ import annotations

from ipaddress import ip_address
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from imaptap.exporting.tcp import Connection, End, checksum
from proxy.imap.transcript import Direction, Ending, EventKind
from tests.imaptap.exporting.exporter import Exporter, opened
from tests.imaptap.exporting.packets import _segment, _sum, read
from tests.imaptap.telling import LETTER, WALL, S, Tale, typed_session

if TYPE_CHECKING:
    from pathlib import Path

CLIENT, SERVER = ("127.0.0.1", 50001), ("192.0.2.1", 143)


def test_a_session_is_a_connection(tmp_path: Path) -> None:
    """Streams, times, segments, acknowledgements, checksums; SYN at the beginning and FIN at the end."""
    data, missing = Exporter(tmp_path, typed_session())("pcapng")
    capture = read(data)
    assert missing == 0
    assert capture.names == {"192.0.2.1": "mail.example.org"}
    segments = capture.segments
    assert {(each.source, each.target) for each in segments} == {(CLIENT, SERVER), (SERVER, CLIENT)}
    assert [each.flags for each in segments[:3]] == ["S", "SA", "A"]
    assert [each.flags for each in segments[-3:]] == ["FA", "FA", "A"]
    assert segments[-3].source == CLIENT, "the client closed"
    assert all(all(each.sums) for each in segments)
    assert max(len(each.data) for each in segments) == 1460
    client = capture.stream(CLIENT, SERVER)
    server = capture.stream(SERVER, CLIENT)
    assert client == b'. login bob "xxxxxxxxxxx"\r\n. select Drafts\r\n. fetch 4 rfc822\r\n. logout\r\n'
    assert server.startswith(b"* OK ready\r\n. OK done\r\n* 4 EXISTS\r\n")
    assert LETTER in server
    times = [each.at for each in segments]
    assert times == sorted(times)
    assert next(each.at for each in segments if each.data) == WALL + 1000
    assert [each.comments for each in segments if b"login" in each.data] == [("masked: login, 11 bytes at offset 13",)]


def test_what_is_said_is_acknowledged(tmp_path: Path) -> None:
    """Every acknowledgement is what the other side has sent until then, and none is far behind."""
    tale = (
        Tale()
        .say("S: * OK\nC: a FETCH 1 BODY[]")
        .send(S, b"* 1 FETCH (BODY[] {300000}\r\n" + bytes(300000) + b")\r\na OK\r\n")
    )
    capture = read(Exporter(tmp_path, tale.end())("pcapng")[0])
    following: dict[tuple[str, int], int] = {}
    known: dict[tuple[str, int], int] = {}
    for each in capture.segments:
        if "A" in each.flags:
            assert each.acknowledged == following[each.target]
            known[each.target] = each.acknowledged
        following[each.source] = each.number + len(each.data) + ("S" in each.flags) + ("F" in each.flags)
        assert following[each.source] - known.get(each.source, following[each.source]) <= 34_000


@pytest.mark.parametrize(
    ("client", "upstream", "ends", "name"),
    [
        ("10.1.2.3:4000", "imaps://10.9.8.7:993", (("10.1.2.3", 4000), ("10.9.8.7", 143)), None),
        ("[2001:db9::5]:4000", "imap://m.example:143", (("2001:db9::5", 4000), ("2001:db8::1", 143)), "m.example"),
        ("[2001:db9::5]:4000", "imaps://[2001:db9::9]:993", (("2001:db9::5", 4000), ("2001:db9::9", 143)), None),
        ("[2001:db9::5]:4000", "imaps://10.9.8.7:993", (("2001:db9::5", 4000), ("2001:db8::1", 143)), "10.9.8.7"),
        ("somebody", "imaps://mail example:993", (("198.51.100.1", 49153), ("192.0.2.1", 143)), None),
        ("10.1.2.3:0", "nonsense", (("10.1.2.3", 49153), ("192.0.2.1", 143)), None),
        ("10.1.2.3:99999", "imaps://\x1b[31m:993", (("10.1.2.3", 49153), ("192.0.2.1", 143)), None),
    ],
)  # fmt: skip
def test_addresses(
    tmp_path: Path, client: str, upstream: str, ends: tuple[tuple[str, int], tuple[str, int]], name: str | None
) -> None:
    tale = opened(Tale().say("S: * OK hi\nC: a NOOP\nS: a OK").end(), client, upstream)
    capture = read(Exporter(tmp_path, tale)("pcapng")[0])
    assert capture.stream(*ends) == b"a NOOP\r\n"
    assert all(all(each.sums) for each in capture.segments)
    assert capture.names == ({ends[1][0]: name} if name else {})
    assert all(text.isprintable() for each in capture.segments for text in each.comments)


def test_a_port_that_is_used_again_is_no_repetition(tmp_path: Path) -> None:
    """Wireshark takes the same SYN, and what follows it, for something that was sent again."""
    tales = [Tale(number).say("S: * OK hi\nC: a NOOP\nS: a OK").end() for number in (1, 2)]
    same = [opened(tale, "10.1.2.3:4000", "imaps://10.9.8.7:993") for tale in tales]
    segments = read(Exporter(tmp_path, *same)("pcapng")[0]).segments
    numbers = [each.number for each in segments if "S" in each.flags]
    assert len(numbers) == len(set(numbers)) == 4


def test_what_goes_on_inside_tls_is_a_connection_of_its_own(tmp_path: Path) -> None:
    """Wireshark would look for TLS behind the OK to STARTTLS; not where that was refused."""
    tale = Tale().say("S: * OK hi\nC: a STARTTLS\nS: a BAD no\nC: b STARTTLS\nS: b OK go\nC: c NOOP\nS: c OK")
    capture = read(Exporter(tmp_path, tale.end())("pcapng")[0])
    streams = [capture.stream(("127.0.0.1", 50001 + number), SERVER) for number in range(2)]
    assert streams == [b"a STARTTLS\r\nb STARTTLS\r\n", b"c NOOP\r\n"]
    assert capture.stream(SERVER, ("127.0.0.1", 50001)) == b"* OK hi\r\na BAD no\r\nb OK go\r\n"
    assert capture.stream(SERVER, ("127.0.0.1", 50002)) == b"c OK\r\n"
    assert sum("S" in each.flags for each in capture.segments) == 4
    assert sum("F" in each.flags for each in capture.segments) == 4


def test_missing_bytes_are_segments_that_nobody_saw(tmp_path: Path) -> None:
    exporter = Exporter(tmp_path, typed_session(), max_literal=5000)
    data, missing = exporter("pcapng")
    capture = read(data)
    assert missing == len(LETTER)
    server = capture.stream(SERVER, CLIENT)
    announced = b"{%d}\r\n" % len(LETTER)
    assert announced + b"?" * len(LETTER) + b" FLAGS" in server
    told = [text for each in capture.segments for text in each.comments if "max-literal" in text]
    assert len(told) == 1
    assert told[0].startswith(f"{len(LETTER)} bytes of the server's stream, from offset {server.index(b'?')}")


def test_only_what_is_wanted(tmp_path: Path) -> None:
    exporter = Exporter(tmp_path, typed_session(), Tale(2).say("S: * OK\nC: a NOOP\nS: a OK").end())
    capture = read(exporter("pcapng", only="cmd:SELECT or cmd:LOGOUT")[0])
    assert capture.stream(CLIENT, SERVER) == b". select Drafts\r\n. logout\r\n"
    assert capture.stream(SERVER, CLIENT).startswith(b"* 4 EXISTS\r\n")
    assert b"masked" not in exporter("pcapng", only="cmd:SELECT")[0].split(b"Secrets are masked", 1)[1]
    capture = read(exporter("pcapng", session=2)[0])
    assert {each.source for each in capture.segments} == {("127.0.0.1", 50002), SERVER}
    capture = read(exporter("pcapng", session=1, exchange=2)[0])
    assert capture.stream(CLIENT, SERVER) == b". select Drafts\r\n"


@pytest.mark.parametrize(
    ("ending", "flags"),
    [(Ending.CLIENT, ["FA", "FA", "A"]), (Ending.SERVER, ["FA", "FA", "A"]), (Ending.FAILED, ["RA"]), (Ending.CUT, [])],
)
def test_endings(tmp_path: Path, ending: Ending, flags: list[str]) -> None:
    tale = Tale().say("S: * OK hi\nC: a NOOP\nS: a OK").end(ending, "what \x1b[31m was it")
    segments = read(Exporter(tmp_path, tale)("pcapng")[0]).segments
    last = [each for each in segments if set(each.flags) & {"F", "R"}]
    assert [each.flags for each in segments[len(segments) - len(flags) :]] == flags
    if last:
        assert last[0].source == (CLIENT if ending is Ending.CLIENT else SERVER)
        assert last[0].comments == (f"{ending}: what \\x1b[31m was it",)


def test_comments_are_told_where_they_belong_and_are_harmless(tmp_path: Path) -> None:
    tale = Tale().say("S: * OK [CAPABILITY IMAP4rev1 STARTTLS] hello").rewrite(S, 26, b" STARTTLS", b"")
    tale.happen(EventKind.NOTICE, "odd\x1b[2J", "thing\r\n")
    tale.say("C: a NOOP\nS: a OK")
    segments = read(Exporter(tmp_path, tale.end())("pcapng")[0]).segments
    by_data = {each.data: each.comments for each in segments if each.data}
    assert by_data[b"] hello\r\n"] == ("rewrite: capability: ' STARTTLS' was sent on as ''",), (
        "behind what was taken out"
    )
    assert by_data[b"a NOOP\r\n"] == ("notice: odd\\x1b[2J: thing\\x0d\\x0a",)


def test_no_packet_has_comments_without_end(tmp_path: Path) -> None:
    tale = Tale().say("S: * OK hi there")
    for number in range(300):
        tale.happen(EventKind.NOTICE, f"event {number}")
    segments = read(Exporter(tmp_path, tale.say("C: a NOOP\nS: a OK done").end())("pcapng")[0]).segments
    told = [text for each in segments for text in each.comments]
    assert max(len(each.comments) for each in segments) == 50
    more = next(number for number, text in enumerate(told) if "more happened" in text)
    assert more > 100
    assert told[1:more] == [f"notice: event {number}" for number in range(more - 1)]


@given(st.binary(max_size=3000))
def test_checksums(data: bytes) -> None:
    """One division gives what adding word by word gives."""
    padded = data + bytes(len(data) % 2)
    found = checksum(data)
    assert _sum(padded + found.to_bytes(2, "big")) in {0xFFFF, 0 if not any(data) else 0xFFFF}


@given(
    st.lists(st.tuples(st.sampled_from(Direction), st.binary(min_size=1, max_size=5000)), max_size=20), st.booleans()
)
def test_segments_carry_it_all(said: list[tuple[Direction, bytes]], four: bool) -> None:
    host = "10.0.0.1" if four else "2001:db8::1"
    connection = Connection(End(ip_address(host), 5), End(ip_address(host), 143))
    carried = dict.fromkeys(Direction, b"")
    packets = list(connection.open())
    for direction, data in said:
        for start, packet in connection.say(direction, data):
            segment = _segment(0, packet, ())
            assert all(segment.sums)
            assert len(packet) <= 1500
            if segment.data:
                assert data[start : start + len(segment.data)] == segment.data
                carried[direction] += segment.data
    assert len(packets) == 3
    for direction in Direction:
        assert carried[direction] == b"".join(data for each, data in said if each is direction)
