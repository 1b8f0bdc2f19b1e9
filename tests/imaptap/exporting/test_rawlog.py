"""`--format rawlog`: the form in which Dovecot's lib/iostream-rawlog.c writes."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from tests.imaptap.exporting.exporter import Exporter
from tests.imaptap.telling import LETTER, C, S, Tale, typed_session

if TYPE_CHECKING:
    from pathlib import Path

_STAMPED = re.compile(rb"(\d{10})\.(\d{6}) ([^\n]*\n?)")


def unstamped(data: bytes) -> tuple[bytes, list[int]]:
    """The stream, and the times of its lines in microseconds."""
    found = list(_STAMPED.finditer(data))
    assert b"".join(each[0] for each in found) == data
    return b"".join(each[3] for each in found), [int(each[1] + each[2]) for each in found]


def test_two_files_a_session(tmp_path: Path) -> None:
    files, missing = Exporter(tmp_path, typed_session(), Tale(2).say("S: * OK\nC: a NOOP\nS: a OK").end())("rawlog")
    assert missing == 0
    pid = next(iter(files)).split(".")[1]
    assert sorted(files) == [f"20231114-221320.{pid}.{number}.{way}" for number in (1, 2) for way in ("in", "out")]
    assert files[f"20231114-221320.{pid}.2.in"] == b"1700000000.002000 a NOOP\r\n"
    assert files[f"20231114-221320.{pid}.2.out"] == b"1700000000.001000 * OK\r\n1700000000.003000 a OK\r\n"
    stream, times = unstamped(files[f"20231114-221320.{pid}.1.out"])
    assert LETTER in stream
    assert times == sorted(times)


def test_a_line_has_one_time_that_of_its_first_byte(tmp_path: Path) -> None:
    """Wherever the chunks were cut; an empty line has one, too."""
    tale = Tale().send(S, b"* O", b"K\r", b"\n\r\n", b"* 1 FE", b"TCH ()\r\n* BYE")
    files, _ = Exporter(tmp_path, tale.end())("rawlog")
    out = next(data for name, data in files.items() if name.endswith("out"))
    assert out == (
        b"1700000000.001000 * OK\r\n1700000000.003000 \r\n1700000000.004000 * 1 FETCH ()\r\n1700000000.005000 * BYE"
    )


def test_as_the_client_saw_it(tmp_path: Path) -> None:
    """What imaptap said itself stands where it was said, at its time; or all as received, or as sent on."""
    tale = Tale().say("S: * OK [CAPABILITY IMAP4rev1 STARTTLS] hi").rewrite(S, 26, b" STARTTLS", b" X")
    tale.say("C: a FOO").rewrite(C, 0, b"a FOO\r\n", b"").rewrite(S, 41, b"", b"a OK begin\r\n")
    tale.say("C: b NOOP\nS: b OK").rewrite(S, 47, b"", b"* BYE\r\n")
    exporter = Exporter(tmp_path, tale.end())
    for as_sent, client, server in (
        (None, b"a FOO\r\nb NOOP\r\n", b"* OK [CAPABILITY IMAP4rev1 X] hi\r\na OK begin\r\nb OK\r\n* BYE\r\n"),
        (False, b"a FOO\r\nb NOOP\r\n", b"* OK [CAPABILITY IMAP4rev1 STARTTLS] hi\r\nb OK\r\n"),
        (True, b"b NOOP\r\n", b"* OK [CAPABILITY IMAP4rev1 X] hi\r\na OK begin\r\nb OK\r\n* BYE\r\n"),
    ):
        files = exporter("rawlog", as_sent=as_sent)[0].values()
        assert [unstamped(data)[0] for data in files] == [client, server]
    assert b"1700000000.002000 a OK begin\r\n1700000000.004000 b OK" in list(exporter("rawlog")[0].values())[1]


def test_a_file_ends_where_bytes_are_missing(tmp_path: Path) -> None:
    """The other side's is whole."""
    files, missing = Exporter(tmp_path, typed_session(), max_literal=5000)("rawlog")
    assert missing == len(LETTER)
    client, server = files.values()
    assert unstamped(server)[0].endswith(b"{%d}\r\n" % len(LETTER))
    assert unstamped(client)[0].endswith(b". logout\r\n")


def test_only_what_is_wanted(tmp_path: Path) -> None:
    files, _ = Exporter(tmp_path, typed_session())("rawlog", only="cmd:SELECT")
    client, server = files.values()
    assert unstamped(client)[0] == b". select Drafts\r\n"
    assert unstamped(server)[0].startswith(b"* 4 EXISTS\r\n")
