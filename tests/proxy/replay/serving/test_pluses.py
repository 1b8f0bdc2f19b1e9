"""What a client hears while a server is told a command with literals that the client has said already."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.replay.serving.pluses import Pluses

SAID = [
    # what the server says, how many literals wait, what the client hears, how many + have come
    (b"+ go on\r\na OK done\r\n", 1, b"a OK done\r\n", 1),
    (b"* 4 EXISTS\r\n+ \r\n* 5 EXISTS\r\n+ more\r\na OK\r\n", 2, b"* 4 EXISTS\r\n* 5 EXISTS\r\na OK\r\n", 2),
    # refused: what follows is another command's, and its + the client's
    (b"a NO too large\r\n+ idling\r\n", 1, b"a NO too large\r\n+ idling\r\n", 0),
    # of another tag
    (b"b OK\r\n+ go\r\n", 1, b"b OK\r\n", 1),
    # a + within a literal is none
    (b"* 1 FETCH (BODY[] {6}\r\n+ no\r\n)\r\n+ yes\r\n", 1, b"* 1 FETCH (BODY[] {6}\r\n+ no\r\n)\r\n", 1),
    (b"+ the client's own\r\n", 0, b"+ the client's own\r\n", 0),
]


@pytest.mark.parametrize(("said", "due", "passed", "heard"), SAID)
@given(data=st.data())
def test_pluses_are_kept_however_the_stream_is_cut(
    said: bytes, due: int, passed: bytes, heard: int, data: st.DataObject
) -> None:
    """All else is passed on as it is."""
    pluses = Pluses(b"a", due)
    cuts = sorted(data.draw(st.sets(st.integers(0, len(said)))))
    parts = [said[start:end] for start, end in zip([0, *cuts], [*cuts, len(said)], strict=True)]
    assert b"".join(map(pluses.feed, parts)) == passed
    assert pluses.heard == heard


def test_a_line_without_end_is_not_kept() -> None:
    """It is too long to be a +, and goes on as it comes."""
    pluses = Pluses(b"a", 1)
    line = b"+" * 200_000
    assert sum(len(pluses.feed(line[:50_000])) for _ in range(4)) > 100_000
