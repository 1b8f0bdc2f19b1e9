"""What stands in an address's place is nobody's, wherever a line is broken: `scan` finds nothing of it."""

from __future__ import annotations

import base64
import quopri

import pytest

from imaptap.privacy.policy import Level, Thing, of_level
from imaptap.privacy.rules import Rules
from imaptap.privacy.streams import Side
from imaptap.scanning.detectors import Detectors, Kind
from imaptap.scanning.needles import Needles
from imaptap.scanning.search import Search
from proxy.imap.transcript import Direction

ENCODED = {"base64": base64.encodebytes, "quoted-printable": quopri.encodestring, "8bit": bytes}
RULES = Rules(of_level(Level.ALL), b"k" * 32)
SEARCH = Search(Needles([]), Detectors(frozenset((Kind.ADDRESS,))))


@pytest.mark.parametrize("encoding", ENCODED)
@pytest.mark.parametrize("shift", range(20))
def test_addresses_within_lines_that_go_on(encoding: str, shift: int) -> None:
    """In base64 they are broken in the middle of their host, too, and each line is rewritten by itself."""
    text = "." * shift + "".join(f"to{at}@mail{at}.company.org, " for at in range(40))
    body = ENCODED[encoding](text.encode()).replace(b"\n", b"\r\n")
    head = f"Content-Type: text/plain\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n".encode()
    fetched = b"* 1 FETCH (BODY[] {%d}\r\n%s)\r\n" % (len(head + body), head + body)
    side = Side(RULES, Direction.SERVER)
    made = side.feed(fetched) + side.flush()
    assert len(list(SEARCH.through([fetched]))) >= 39
    assert list(SEARCH.through([made])) == []
    assert len(made) == len(fetched)


def test_chance_makes_no_token_of_a_token() -> None:
    """Of thirty thousand lines some nine would have one of GitHub's again: other letters, of which five will do."""
    tokens = Detectors(frozenset((Kind.TOKEN,)))
    lines = [b"%d ghp_%s\r\n" % (number, b"a1B2" * 9) for number in range(30_000)]
    assert len(list(tokens.find(lines[0]))) == 1
    assert len(list(tokens.find(b"".join(RULES.pseudonyms.line(line) for line in lines)))) > 0
    assert list(tokens.find(b"".join(RULES.line(line) for line in lines))) == []


def test_an_address_in_percent_signs_is_nobodys() -> None:
    """In a header its host is known by what stands in front of it; in a text no digits by chance make an "@"."""
    field = b"List-Unsubscribe: <https://lists.example/leave?u=bob%40company.org>"
    lines = [b"to /?q=bob%%40company%d.org\r\n" % number for number in range(500)]
    assert [hit.how for hit in SEARCH.through([field])] == ["decoded"]
    assert list(SEARCH.through([RULES.words(field, Thing.HEADER)])) == []
    assert list(SEARCH.through([b"".join(RULES.pseudonyms.line(line) for line in lines)])) != []
    assert list(SEARCH.through([b"".join(map(RULES.line, lines))])) == []
