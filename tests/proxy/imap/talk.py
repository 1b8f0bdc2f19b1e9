"""What hypothesis has two peers say: IMAP in pieces, in a wild order, with noise."""

from __future__ import annotations

from hypothesis import strategies as st

from tests.proxy.imap.playing import CLIENT, SERVER, Said

CLIENT_WORDS = [
    *b"a b . LOGIN AUTHENTICATE PLAIN IDLE DONE APPEND box {3} {3+} ~{2} {0} {5000+} bob secret * = BYE ID GET".split(),
    *(b" ", b" ", b" ", b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r", b'"', b"\\", b"(", b"\x00", b"\xff", b"{", b"}\r\n"),
    b"a LOGIN bob secret\r\n",
    b"b AUTHENTICATE LOGIN\r\n",
    b"c IDLE\r\nDONE\r\n",
    b"d APPEND box {4}\r\n",
    b"a UID FETCH 1 BODY[]\r\n",
    b"c SETMETADATA x (/private/vendor/y ",
    b"a STARTTLS\r\n",
    b"a SELECT secret\r\n",
    b"e SEARCH {2}\r\n",
]
SERVER_WORDS = [
    *b"a b . OK NO BAD BYE + * [CODE ] {3} {2} EXISTS FETCH FLAGS secret [CAPABILITY STATUS LIST ~{4} {7000}".split(),
    *(b" ", b" ", b" ", b"\r\n", b"\r\n", b"\r\n", b"\n", b"\r", b'"', b"\\", b"(", b"\x00", b"\xff", b"}\r\n"),
    b"a OK done\r\n",
    b"b NO [X] no\r\n",
    b"c BAD what\r\n",
    b"d NO no\r\n",
    b"+ \r\n",
    b"+ YWJj\r\n",
    b"* BAD no\r\n",
    b"* 1 FETCH (BODY[] {3}\r\n",
    b"* OK [ALERT] see imap://bob@host {3}\r\n",
    b'* ID ("name" "x" "y" "z")\r\n',
    b"* METADATA x (/private/vendor/y {3}\r\n",
]


def _said(words: list[bytes]) -> st.SearchStrategy[bytes]:
    part = st.one_of(st.sampled_from(words), st.sampled_from(words), st.binary(max_size=6))
    return st.lists(part, min_size=1, max_size=8).map(b"".join)


TALK = st.lists(
    st.one_of(
        _said(CLIENT_WORDS).map(lambda data: Said(CLIENT, data)),
        _said(SERVER_WORDS).map(lambda data: Said(SERVER, data)),
    ),
    max_size=12,
)
"""A session: either side says this and that, in any order, sense or not."""
