"""Letters that stand in for others."""

from __future__ import annotations

from proxy.imap.grammar.envelope import Address, Envelope
from proxy.replay.beginning import OldMessage
from proxy.replay.standins import filler, stand_in

ADA = Address(b'A "q" B', None, b"ada", b"example.org")
BOB = Address(None, None, b"bob", b"example.net")
ENVELOPE = Envelope(b"Tue, 5 Mar 2024", b"Hi\r\n there", (ADA,), None, None, (BOB, ADA), None, None, None, b"<1@x>")


def test_filler_has_every_size_and_ends_its_lines() -> None:
    for size in range(1000):
        text = filler(size)
        assert len(text) == size
        assert text.endswith(b"\r\n") or size < 2
        assert text.replace(b"\r\n", b"").count(b"\r") == text.replace(b"\r\n", b"").count(b"\n") == 0


def test_a_stand_in_has_the_header_and_the_size() -> None:
    header = b"Subject: x\r\n\r\n"
    for size in (14, 15, 16, 500):
        letter = stand_in(OldMessage(1, 5, size=size), header)
        assert letter.startswith(header)
        assert len(letter) == size
    assert stand_in(OldMessage(1, 5, size=3), header) == header, "no header is cut"
    assert stand_in(OldMessage(1, 5), header) == header
    assert stand_in(OldMessage(1, 5, size=30), b"Subject: x\r\n").startswith(header), "the line that ends it is added"


def test_a_header_is_made_of_the_envelope() -> None:
    letter = stand_in(OldMessage(1, 5, size=400, envelope=ENVELOPE), None)
    head, _, _ = letter.partition(b"\r\n\r\n")
    assert head.split(b"\r\n") == [
        b"Date: Tue, 5 Mar 2024",
        b'From: "A \\"q\\" B" <ada@example.org>',
        b'To: bob@example.net, "A \\"q\\" B" <ada@example.org>',
        b"Subject: Hi  there",
        b"Message-ID: <1@x>",
    ]
    assert len(letter) == 400


def test_of_nothing_there_comes_an_empty_letter() -> None:
    assert stand_in(OldMessage(1, None), None) == b"\r\n"
