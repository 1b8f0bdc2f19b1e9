"""The demonstration's server, without a socket."""

from __future__ import annotations

import email
import re

import pytest

from imaptap.demo.mailbox import drafts
from imaptap.demo.server import Session


def answer(session: Session, line: str) -> bytes:
    return b"".join(session.answer(line))


@pytest.fixture
def selected() -> Session:
    session = Session()
    for line in ("a login bob secret", "b select Drafts"):
        assert b" OK " in answer(session, line).splitlines()[-1]
    return session


@pytest.mark.parametrize(
    ("line", "said"),
    [
        (". frobnicate", b". BAD The demonstration does not know FROBNICATE.\r\n"),
        (".", b". BAD The demonstration does not know this.\r\n"),
        ("", b"* BAD The demonstration does not know this.\r\n"),
        (". login bob", b". BAD This command has 2 arguments.\r\n"),
        ('. list "" "*"', b". NO Log in first; any name and password will do.\r\n"),
        (". fetch 1 flags", b". BAD No mailbox is selected.\r\n"),
        (". noop", b". OK NOOP completed.\r\n"),
    ],
)
def test_what_it_says_to_a_stranger(line: str, said: bytes) -> None:
    assert answer(Session(), line) == said


def test_lists(selected: Session) -> None:
    whole = answer(selected, '. list "" "*"').splitlines()
    assert rb'* LIST (\HasNoChildren) "/" "Conversation History"' in whole
    assert len(whole) == 8
    assert len(answer(selected, '. list "INBOX" "*"').splitlines()) == 4


def test_select(selected: Session) -> None:
    said = answer(selected, '. select "Drafts"')
    assert said.startswith(b"* 4 EXISTS\r\n")
    assert said.endswith(b". OK [READ-WRITE] SELECT completed.\r\n")
    assert answer(selected, ". select Nowhere") == b". NO [NONEXISTENT] There is no mailbox Nowhere.\r\n"


def test_a_letter_comes_whole_and_is_then_seen(selected: Session) -> None:
    said = answer(selected, ". fetch 4 rfc822")
    match = re.match(rb"\* 4 FETCH \(RFC822 \{(\d+)\}\r\n", said)
    assert match
    letter = said[match.end() : match.end() + int(match[1])]
    assert said[match.end() + int(match[1]) :] == b" FLAGS (\\Seen \\Draft))\r\n. OK FETCH completed.\r\n"
    message = email.message_from_bytes(letter)
    assert message.get_content_type() == "multipart/related"
    assert [part.get_content_type() for part in message.walk()][1:] == ["text/html", "image/png"]
    assert 30_000 < len(letter) < 40_000
    assert answer(selected, ". fetch 4 flags").startswith(b"* 4 FETCH (FLAGS (\\Seen \\Draft))\r\n")


def test_full(selected: Session) -> None:
    said = answer(selected, ". fetch 4 full").decode()
    size = len(drafts()[3].content)
    assert said.startswith(
        rf'* 4 FETCH (FLAGS (\Draft) INTERNALDATE "04-Jun-2026 17:50:31 +0200" RFC822.SIZE {size} ENVELOPE ('
    )
    envelope = '"Thu, 04 Jun 2026 17:50:30 +0200" "The garden in June, with a picture" (("Anna Ahlberg" NIL "anna" '
    assert f"ENVELOPE ({envelope}" in said
    assert 'BODY (("text" "html" ("charset" "utf-8") NIL NIL "quoted-printable" ' in said
    assert said.count("(") == said.count(")")


@pytest.mark.parametrize(
    ("words", "numbers"),
    [("1", [1]), ("1:*", [1, 2, 3, 4]), ("*", [4]), ("4:2", [2, 3, 4]), ("1,3", [1, 3]), ("309", [])],
)
def test_message_numbers(selected: Session, words: str, numbers: list[int]) -> None:
    said = answer(selected, f". fetch {words} (flags rfc822.size)").decode()
    assert [int(number) for number in re.findall(r"^\* (\d+) FETCH", said, re.MULTILINE)] == numbers


@pytest.mark.parametrize("words", ["x flags", "1:2:3 flags", "1", "1 body[]", "1 ()", ""])
def test_what_it_cannot_fetch(selected: Session, words: str) -> None:
    assert answer(selected, f". fetch {words}").startswith(b". BAD ")


def test_logout_is_the_end(selected: Session) -> None:
    assert answer(selected, ". logout") == b"* BYE The imaptap demonstration signs off.\r\n. OK LOGOUT completed.\r\n"
    assert selected.over


def test_letters_are_the_same_every_time() -> None:
    first, second = drafts()[3].content, drafts()[3].content
    boundary = re.compile(rb"={15}\d+==")
    assert boundary.sub(b"", first) == boundary.sub(b"", second)
