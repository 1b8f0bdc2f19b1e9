"""MailKit's ProtocolLogger, as it is documented."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from imaptap.importing.formats import named
from proxy.imap.transcript import Direction, Layer
from tests.imaptap.importing.scripts import found, told

if TYPE_CHECKING:
    from pathlib import Path

    from tests.imaptap.importing.scripts import Told

MAILKIT = named("mailkit")
LOG = b"""\
Connected to imaps://mail.example:993/\r
S: * OK ready\r
C: A00000000 LOGIN bob ********\r
S: A00000000 OK in\r
C: A00000001 FETCH 1 (BODY.PEEK[])\r
S: * 1 FETCH (BODY[] {13}\r
S: C: is\r
S: text\r
S: )\r
S: A00000001 OK done\r
C: A00000002 LOGOUT\r
S: * BYE\r
S: A00000002 OK\r
"""
SCRIPT = [
    "S: * OK ready|", "C: A00000000 LOGIN bob ********|", "S: A00000000 OK in|",
    "C: A00000001 FETCH 1 (BODY.PEEK[])|", "S: * 1 FETCH (BODY[] {13}|C: is|text|)|A00000001 OK done|",
    "C: A00000002 LOGOUT|", "S: * BYE|A00000002 OK|",
]  # fmt: skip


def _told(folder: Path, data: bytes) -> Told:
    path = folder / "imap.log"
    path.write_bytes(data)
    return told(MAILKIT, path)


def test_a_session(tmp_path: Path) -> None:
    done = _told(tmp_path, LOG)
    assert found(tmp_path / "imap.log") == "mailkit"
    assert done.script() == SCRIPT
    assert done.begun[0].upstream == "imaps://mail.example:993"
    assert (done.begun[0].wall, done.begun[0].caveats) == (None, ("there are no times",))
    assert done.remarks == ["secrets: the logger has replaced 1 secret by 8 asterisks each"]
    assert {each.layer for each in done.said} == {Layer.TLS}


def test_times_and_sessions(tmp_path: Path) -> None:
    stamped = b"".join(b"2023-11-14T22:13:20Z " + line for line in LOG.splitlines(keepends=True))
    done = _told(tmp_path, stamped * 2)
    assert found(tmp_path / "imap.log") == "mailkit"
    assert done.script() == [*SCRIPT, "--", *SCRIPT]
    assert {each.at for each in done.said} == {1_700_000_000_000_000}


def test_the_line_that_begins_a_session_has_no_time(tmp_path: Path) -> None:
    """As with LogTimestamps: the next one has it."""
    done = _told(
        tmp_path, b"Connected to imaps://h/\r\n2023-11-14T22:13:20.000007Z S: * OK\r\nConnected to imaps://h/\r\n"
    )
    assert [each.wall for each in done.begun] == [1_700_000_000_000_007, None]
    assert [each.caveats[0] for each in done.begun] == ["times are of the client", "there are no times"]


def test_a_time_of_another_form_is_none(tmp_path: Path) -> None:
    done = _told(tmp_path, b"14/11/2023@22:13:20 S: * OK\r\n")
    assert [(each.data, each.at) for each in done.said] == [(b"* OK\r\n", None)]


def test_starttls(tmp_path: Path) -> None:
    done = _told(
        tmp_path,
        b"Connected to imap://h:143/?starttls=when-available\r\nS: * OK\r\nC: A STARTTLS\r\nS: A OK\r\nC: B NOOP\r\n",
    )
    assert [each.layer for each in done.said] == [Layer.PLAIN] * 3 + [Layer.TLS]


def test_a_replaced_literal_is_as_long_as_it_was(tmp_path: Path) -> None:
    """Else the next lines would be read as its rest."""
    log = b"Connected to imaps://h/\r\nS: * OK\r\nC: A LOGIN bob {12}\r\nS: + OK\r\nC: ********\r\nS: A OK\r\n"
    assert _told(tmp_path, log).script()[3:] == ["C: xxxxxxxxxxxx|", "S: A OK|"]


def test_an_absurd_literal_is_left_alone(tmp_path: Path) -> None:
    done = _told(tmp_path, b"Connected to imaps://h/\r\nC: A LOGIN bob {9999999999}\r\nC: ********\r\n")
    assert done.stream(Direction.CLIENT).endswith(b"\r\n********\r\n")


def test_one_side_stops_within_a_line(tmp_path: Path) -> None:
    """The prefix of the other one stands behind it at once."""
    done = _told(tmp_path, b"Connected to imaps://h/\r\nC: A APPEND x {3}\r\nS: +\r\nC: abcS: * 1 EXISTS\r\nC: \r\n")
    assert done.script() == ["C: A APPEND x {3}|", "S: +|", "C: abc", "S: * 1 EXISTS|", "C: |"]


def test_other_lines_are_passed_over_and_told(tmp_path: Path) -> None:
    done = _told(tmp_path, LOG.replace(b"C: A00000001", b"\r\n(here I waited)\r\n\x1b[31mred\r\nC: A00000001"))
    assert done.script() == SCRIPT
    assert done.remarks[-1] == ("passed over: 2 lines are not the logger's, the first in line 6")


@pytest.mark.parametrize("cut", range(0, len(LOG), 7))
def test_cut_anywhere(tmp_path: Path, cut: int) -> None:
    """What was whole stays as it is."""
    done = _told(tmp_path, LOG[:cut])
    whole = _told(tmp_path, LOG)
    for direction in Direction:
        assert whole.stream(direction).startswith(done.stream(direction))
    assert done.broken is None


def test_our_own_without_a_url(tmp_path: Path) -> None:
    """Of a recording that was imported from a rawlog, say."""
    done = _told(tmp_path, LOG.replace(b"imaps://mail.example:993/", b"unknown"))
    assert found(tmp_path / "imap.log") == "mailkit"
    assert done.begun[0].upstream == "unknown"
