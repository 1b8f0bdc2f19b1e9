"""What is kept of letters under each policy, down to the file: no word of one is anywhere in it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from proxy.imap.conversation import Conversation
from proxy.imap.letters.policy import Bodies
from proxy.imap.transcript import Direction, Ending, Layer, SessionOpened
from storage import Check, Store, Writer

if TYPE_CHECKING:
    from pathlib import Path

LONG = b"Subject: topic\r\n\r\n" + b"canary " * 2000
SHORT = b"Subject: topic\r\n\r\ncanary"
SAID = (
    (Direction.SERVER, b"* OK hi\r\n"),
    (Direction.CLIENT, b"a LOGIN joe pass\r\n"),
    (Direction.SERVER, b"a OK in\r\n"),
    (Direction.CLIENT, b"b APPEND box {%d+}\r\n%s\r\nc FETCH 1 BODY[]\r\n" % (len(LONG), LONG)),
    (Direction.SERVER, b"b OK\r\n* 1 FETCH (BODY[] {%d}\r\n%s BODY[TEXT] {%d}\r\n" % (len(SHORT), SHORT, len(LONG))),
    (Direction.SERVER, LONG + b' PREVIEW "canary")\r\n* canary\r\nc OK\r\nd canary\r\n'),
    (Direction.CLIENT, b"e APPEND box {50000+}\r\n" + LONG),
)


def record(store: Store, policy: Bodies) -> None:
    conversation = Conversation(1, bodies=policy)
    writer = Writer(store, "letters")
    writer.put(SessionOpened(1, 1_000_000, "c", "l", "u"))
    for at, (direction, data) in enumerate(SAID):
        for start in range(0, len(data), 1000):
            conversation.receive(direction, data[start : start + 1000], at, Layer.TLS)
            writer.put(*conversation.take())
    conversation.close(99, Ending.CUT, "")
    writer.put(*conversation.take())
    writer.close()
    assert not writer.failed


@pytest.mark.parametrize("policy", [Bodies.HEADERS, Bodies.NONE, Bodies.HASH])
def test_no_word_of_a_letter_is_in_the_file(sqlite: Store, tmp_path: Path, policy: Bodies) -> None:
    record(sqlite, policy)
    files = [path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()]
    assert any(b"FETCH" in content for content in files)
    assert not any(b"canary" in content for content in files)
    assert any(b"topic" in content for content in files) == (policy is Bodies.HEADERS)


@pytest.mark.parametrize("policy", list(Bodies))
def test_streams_are_whole(store: Store, policy: Bodies) -> None:
    record(store, policy)
    look = Check(store)
    assert list(look.findings()) == []
    assert look.left_out == (0 if policy is Bodies.FULL else 3)
    session = next(store.sessions(store.recording("letters")))
    for direction in Direction:
        length = sum(len(data) for side, data in SAID if side is direction)
        pieces = list(store.pieces(session, direction))
        assert sum(piece.length for piece in pieces) == length
        hashed = {len(piece.left_out) for piece in pieces if piece.left_out is not None}
        assert hashed == {Bodies.FULL: set(), Bodies.HASH: {64}}.get(policy, {0})
