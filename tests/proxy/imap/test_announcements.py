"""What the end of a line announces (M 2.1-2.6)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.imap.announcements import LITERAL_MAX, Announcement, LongLine, announcement, closes_code
from proxy.imap.quotes import open_quote


@pytest.mark.parametrize(
    ("line", "due"),
    [
        (b"a LOGIN {3}\r\n", Announcement(3, synchronising=True, binary=False)),
        (b"a APPEND x ~{12+}\r\n", Announcement(12, synchronising=False, binary=True)),
        (b"* 1 FETCH (X {0}\n", Announcement(0, synchronising=True, binary=False)),
        (b"~{%d+}\r\n" % LITERAL_MAX, Announcement(LITERAL_MAX, synchronising=False, binary=True)),
        (b"a X {3} \r\n", None),
        (b"a X {3-}\r\n", None),
        (b"a X {}\r\n", None),
        (b"a X {3}", None),
    ],
)
def test_announcements(line: bytes, due: Announcement | None) -> None:
    assert announcement(line) == due


@given(st.text('a"\\}', max_size=200), st.integers(0, 200))
def test_a_long_line_is_judged_as_a_whole_one(text: str, cut: int) -> None:
    """Wherever it is cut: by its quotes, and by its end."""
    line = text.encode() + b"{7}\r\n"
    long = LongLine(line[:cut])
    long.add(line[cut:])
    assert long.open_quote is open_quote(line)
    assert line.endswith(long.end)
    assert announcement(long.end) == announcement(line) == Announcement(7, synchronising=True, binary=False)
    assert len(long.end) <= 64


@pytest.mark.parametrize(
    ("line", "closes"),
    [(b"] x\r\n", True), (b'"]" x\r\n', False), (b'"\\"]" x\r\n', False), (b'"]', False), (b"x", False)],
)
def test_a_bracket_in_quotes_closes_no_code(line: bytes, closes: bool) -> None:
    assert closes_code(line) is closes
