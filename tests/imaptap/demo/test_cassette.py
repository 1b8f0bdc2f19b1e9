"""The demonstration's cassette, which is text that people may edit: does it still agree with itself?"""

from __future__ import annotations

import email
import re

import pytest

from imaptap.demo.play import CASSETTE
from proxy.imap.transcript import Direction
from storage.cassette.reader import read_cassette
from storage.cassette.values import Said


@pytest.fixture(scope="module")
def server() -> bytes:
    """All that the server says."""
    with CASSETTE.open("rb") as file:
        said = [each.statement for each in read_cassette(file)]
    return b"".join(each.data for each in said if isinstance(each, Said) and each.direction is Direction.SERVER)


def literal(server: bytes, name: bytes) -> bytes:
    """The one literal that is the value of this FETCH item."""
    (announced,) = re.finditer(rb"\(%b \{(\d+)\}\r\n" % re.escape(name), server)
    return server[announced.end() : announced.end() + int(announced[1])]


def test_the_letter_is_as_large_as_it_is_said_to_be(server: bytes) -> None:
    assert b"RFC822.SIZE %d " % len(literal(server, b"RFC822")) in server


def test_its_header_is_its_beginning(server: bytes) -> None:
    header = literal(server, b"RFC822.HEADER")
    assert header.endswith(b"\r\n\r\n")
    assert literal(server, b"RFC822").startswith(header)


def test_its_structure_is_what_fetch_full_says(server: bytes) -> None:
    letter = email.message_from_bytes(literal(server, b"RFC822"))
    (_, page, picture) = letter.walk()
    assert [part.get_content_type() for part in letter.walk()] == ["multipart/related", "text/html", "image/png"]
    text, data = page.get_payload().encode(), picture.get_payload().encode()
    assert b'"quoted-printable" %d %d)' % (len(text), text.count(b"\n")) in server
    assert b'"<garden@example.org>" NIL "base64" %d)' % len(data) in server
    assert picture.get_payload(decode=True).endswith(b"IEND\xaeB\x60\x82")
