"""Where a message's header block ends, in rows: `|` stands behind what is kept; and that cuts make no difference."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.imap.letters.header import HeaderBlock

ROWS = [
    b"Subject: x\r\n\r\n|text",
    b"Subject: x\n\n|text",
    b"A: 1\r\nB: 2\r\n 3\r\n\t4\r\n\r\n|C: no header\r\n",
    b"A : obsolete\r\n\r\n|x",
    b"\r\n|A: no header any more\r\n",
    b"A: 1\r\n|no field\r\n\r\nB: 2\r\n",
    b"|no field\r\nA: 1\r\n\r\n",
    b"|From somebody Thu Nov 26 2026\r\nA: 1\r\n\r\n",
    b"| folded: but first\r\n",
    b"|: no name\r\n",
    b"|\xc3\xa4: no name\r\n",
    b"A: 1\r\n|\rB",
    b"A:" + b"x" * 5000 + b"\r\n\r\n|x",
    b"|" + b"A" * 999 + b":\r\n",
    b"A" * 998 + b":\r\n\r\n|",
]


def kept(parts: list[bytes]) -> bytes:
    block = HeaderBlock()
    for part in parts:
        block.feed(part)
    return b"".join(parts)[: block.kept]


@pytest.mark.parametrize("row", ROWS)
def test_where_it_ends(row: bytes) -> None:
    header, _, text = row.partition(b"|")
    assert kept([header + text]) == header
    assert kept([bytes([each]) for each in header + text]) == header


def test_what_has_only_begun_is_not_known_yet() -> None:
    assert kept([b"A: 1\r\nSubj"]) == b"A: 1\r\n"
    assert kept([b"A: 1\r\nSubj", b"ect:"]) == b"A: 1\r\nSubject:"
    assert kept([b"A: 1\r\n\r"]) == b"A: 1\r\n"
    assert kept([b"A: 1\r"]) == b"A: 1\r"


@given(
    st.lists(st.sampled_from([b"A: 1\r\n", b"B:\n", b" more\r\n", b"\r\n", b"\n", b"\r", b"text", b":", b" "])),
    st.data(),
)
def test_cuts_make_no_difference(lines: list[bytes], data: st.DataObject) -> None:
    message = b"".join(lines)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(message)))))
    parts = [message[a:b] for a, b in zip([0, *cuts], [*cuts, len(message)], strict=True)]
    assert kept(parts) == kept([message])
