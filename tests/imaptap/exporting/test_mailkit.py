"""`--format mailkit`: what MailKit's ProtocolLogger writes."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from imaptap.exporting import mailkit
from tests.imaptap.exporting.exporter import Exporter, opened
from tests.imaptap.telling import LETTER, C, S, Tale, typed_session

if TYPE_CHECKING:
    from pathlib import Path


def test_every_line_has_its_sign(tmp_path: Path) -> None:
    tale = Tale().say("S: * OK hi\nC: a LOGIN bob secret\nS: a OK\nC: b APPEND x {12}\nS: + go")
    tale.send(C, b"hello\r\nworld", b"\r\n").say("S: b OK\nC: c LOGOUT\nS: * BYE\nS: c OK")
    data, missing = Exporter(tmp_path, tale.end())("mailkit")
    assert missing == 0
    assert data == (
        b"Connected to imaps://mail.example.org:993/\r\n"
        b"S: * OK hi\r\nC: a LOGIN bob xxxxxx\r\nS: a OK\r\nC: b APPEND x {12}\r\nS: + go\r\n"
        b"C: hello\r\nC: world\r\nS: b OK\r\nC: c LOGOUT\r\nS: * BYE\r\nS: c OK\r\n"
    )


@pytest.mark.parametrize(
    ("upstream", "said"),
    [
        ("imaps://mail.example.org:993", b"imaps://mail.example.org:993/"),
        ("imap://mail.example.org:143", b"imap://mail.example.org:143/?starttls=always"),
        ("imap+insecure://[::1]:1143", b"imap://[::1]:1143/"),
        ("evil\r\nC: a NOOP", b"evil\\x0d\\x0aC: a NOOP"),
    ],
)
def test_where_to(tmp_path: Path, upstream: str, said: bytes) -> None:
    data, _ = Exporter(tmp_path, opened(Tale().say("S: * OK").end(), "10.0.0.1:1", upstream))("mailkit")
    assert data == b"Connected to " + said + b"\r\nS: * OK\r\n"


def test_lines_are_not_cut_by_the_other_side(tmp_path: Path) -> None:
    """One begins while the other has not ended: each is written when it ends. What never ends is ended."""
    tale = (
        Tale().send(S, b"* OK h").send(C, b"a NO").send(S, b"i\r\n* 1 EX").send(C, b"OP\r\nb NO").send(S, b"ISTS\r\n")
    )
    data, _ = Exporter(tmp_path, tale.end())("mailkit")
    assert data.split(b"\r\n", 1)[1] == b"S: * OK hi\r\nC: a NOOP\r\nS: * 1 EXISTS\r\nC: b NO\r\n"


def test_an_endless_line_is_not_held(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mailkit, "_HELD_MOST", 10)
    tale = (
        Tale()
        .send(S, b"* OK 12345", b"6789", b"0\r\n")
        .send(S, b"* OK 123456")
        .send(C, b"a NOOP\r\n")
        .send(S, b"7\r\n")
    )
    data, _ = Exporter(tmp_path, tale.end())("mailkit")
    assert data.split(b"\r\n", 1)[1] == b"S: * OK 1234567890\r\nS: * OK 123456\r\nC: a NOOP\r\nS: 7\r\n"


def test_times(tmp_path: Path) -> None:
    data, _ = Exporter(tmp_path, Tale().say("S: * OK\nC: a NOOP").end())("mailkit", times=True)
    assert data.split(b"\r\n", 1)[1] == (
        b"2023-11-14T22:13:20.001000Z S: * OK\r\n2023-11-14T22:13:20.002000Z C: a NOOP\r\n"
    )


def test_missing_bytes_are_told(tmp_path: Path) -> None:
    data, missing = Exporter(tmp_path, typed_session(), max_literal=5000)("mailkit")
    assert missing == len(LETTER)
    what = b"imaptap: %d bytes of the server were not kept (--max-literal, --bodies).\r\n" % len(LETTER)
    assert b"{%d}\r\n%sS:  FLAGS" % (len(LETTER), what) in data


def test_sessions_follow_each_other(tmp_path: Path) -> None:
    tales = [Tale(number).say("S: * OK\nC: a NOOP\nS: a OK").end() for number in (1, 2)]
    data, _ = Exporter(tmp_path, *tales)("mailkit", only="cmd:NOOP")
    one = b"Connected to imaps://mail.example.org:993/\r\nC: a NOOP\r\nS: a OK\r\n"
    assert data == one + b"\r\n" + one
