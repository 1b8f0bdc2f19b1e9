"""Letters that stand in for others."""

from __future__ import annotations

from proxy.imap.grammar.envelope import Address, Envelope
from proxy.replay.seeding.beginning import OldMessage
from proxy.replay.seeding.standins import filler, stand_in

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


def test_other_senders_replies_and_groups() -> None:
    word = Address(b"=?utf-8?q?=C3=9C?=", None, b"u", b"x")
    group = (Address(None, None, b"team", None), BOB, word, Address(None, None, None, None), BOB)
    none = (Address(None, None, b"undisclosed-recipients", None), Address(None, None, None, None))
    envelope = Envelope(None, None, (ADA,), (ADA,), (BOB,), group, none, (BOB,), b"<0@x>", None)
    assert stand_in(OldMessage(1, 5, envelope=envelope), None).split(b"\r\n") == [
        b'From: "A \\"q\\" B" <ada@example.org>',
        b"Reply-To: bob@example.net",
        b"To: team: bob@example.net, =?utf-8?q?=C3=9C?= <u@x>;, bob@example.net",
        b"Cc: undisclosed-recipients: ;",
        b"Bcc: bob@example.net",
        b"In-Reply-To: <0@x>",
        b"",
        b"",
    ]


def test_of_nothing_there_comes_an_empty_letter() -> None:
    assert stand_in(OldMessage(1, None), None) == b"\r\n"
