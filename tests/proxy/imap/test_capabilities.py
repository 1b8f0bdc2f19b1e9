"""Rows: a server line, what is done to capability words, and the line that the client sees (M 6.1, 6.2, 6.10, 6.11)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from proxy.imap.capabilities import CapabilityRewriter, Scram, Words, may_hold_list, without_list

HIDE = Words(hide_starttls=True, hide_logindisabled=True, hide_external=True)
OFFER = Words(offer_starttls=True)
STRIP = Words(hide_compress=True)
PLUS = "* CAPABILITY IMAP4rev1 AUTH=PLAIN AUTH=SCRAM-SHA-1 AUTH=SCRAM-SHA-256-PLUS AUTH=SCRAM-SHA-256"
NO_SCRAM = "* CAPABILITY IMAP4rev1 AUTH=PLAIN"


def seen(line: str, words: Words, *, authenticated: bool = False) -> str:
    """The line as the client sees it; the rewrite fits the line at its offset."""
    rewriter = CapabilityRewriter(words)
    rewriter.authenticated = authenticated
    data = line.encode() + b"\r\n"
    rewrite = rewriter.rewrite(data, 1000)
    if rewrite is None:
        return line
    at = rewrite.offset - 1000
    assert data[at : at + len(rewrite.received)] == rewrite.received
    assert rewrite.received != rewrite.sent
    return (data[:at] + rewrite.sent + data[at + len(rewrite.received) :]).decode().removesuffix("\r\n")


ROWS = [
    # Every place a list occurs in, any case, order and spacing kept.
    (HIDE, "* CAPABILITY IMAP4rev1 STARTTLS IDLE LOGINDISABLED", "* CAPABILITY IMAP4rev1 IDLE"),
    (HIDE, "* capability imap4rev1 StartTLS  idle", "* capability imap4rev1  idle"),
    (HIDE, "*  CAPABILITY STARTTLS X", "*  CAPABILITY X"),
    (HIDE, "* CAPABILITY STARTTLS ", "* CAPABILITY "),
    (HIDE, "* OK [CAPABILITY IMAP4rev1 STARTTLS] hello", "* OK [CAPABILITY IMAP4rev1] hello"),
    (HIDE, "* ok [Capability IMAP4rev1 starttls] hello", "* ok [Capability IMAP4rev1] hello"),
    (HIDE, "* OK  [CAPABILITY A STARTTLS B] two spaces", "* OK  [CAPABILITY A B] two spaces"),
    (HIDE, "* PREAUTH [CAPABILITY A STARTTLS] in", "* PREAUTH [CAPABILITY A] in"),
    (HIDE, "* BYE [CAPABILITY A STARTTLS] out", "* BYE [CAPABILITY A] out"),
    (HIDE, "a1 OK [CAPABILITY A LOGINDISABLED B] in", "a1 OK [CAPABILITY A B] in"),
    (HIDE, ". NO [CAPABILITY A AUTH=EXTERNAL] no", ". NO [CAPABILITY A] no"),
    (HIDE, "a BAD [CAPABILITY A STARTTLS]", "a BAD [CAPABILITY A]"),
    # Words that only look alike, and lines that are no lists.
    (HIDE, "* CAPABILITY XSTARTTLS STARTTLS2 X-LOGINDISABLED AUTH=EXTERNALLY", None),
    (HIDE, "* CAPABILITYX STARTTLS", None),
    (HIDE, "* OK [CAPABILITYX STARTTLS] no", None),
    (HIDE, "* OK STARTTLS is the thing [CAPABILITY STARTTLS]", None),
    (HIDE, '* LIST () "/" STARTTLS', None),
    (HIDE, "+ OK [CAPABILITY STARTTLS]", None),
    (HIDE, "* 1 FETCH (FLAGS (STARTTLS))", None),
    (HIDE, "* OK [CAPABILITY STARTTLS", None),
    # Offering.
    (OFFER, "* CAPABILITY IMAP4rev1 IDLE", "* CAPABILITY IMAP4rev1 IDLE STARTTLS"),
    (OFFER, "* CAPABILITY IMAP4rev1 ", "* CAPABILITY IMAP4rev1 STARTTLS"),
    (OFFER, "* CAPABILITY starttls IMAP4rev1", None),
    (OFFER, "* OK [CAPABILITY IMAP4rev1] hi", "* OK [CAPABILITY IMAP4rev1 STARTTLS] hi"),
    (OFFER, "a NO [CAPABILITY IMAP4rev1] no", "a NO [CAPABILITY IMAP4rev1 STARTTLS] no"),
    (OFFER, "a OK [CAPABILITY IMAP4rev1] logged in", None),
    (OFFER, "* PREAUTH [CAPABILITY IMAP4rev1] in", None),
    (OFFER, "* BYE [CAPABILITY IMAP4rev1] out", None),
    # COMPRESS, EXTERNAL, SCRAM.
    (STRIP, "* CAPABILITY A COMPRESS=DEFLATE COMPRESS=ZSTD", "* CAPABILITY A COMPRESS=ZSTD"),
    (Words(), "* CAPABILITY A COMPRESS=DEFLATE AUTH=EXTERNAL STARTTLS LOGINDISABLED", None),
    (Words(), "* CAPABILITY AUTH=SCRAM-SHA-256 AUTH=PLAIN", None),
    (Words(), PLUS, NO_SCRAM),
    (Words(), "* CAPABILITY auth=scram-sha-1-plus auth=scram-sha-1 X", "* CAPABILITY X"),
    (Words(), "* CAPABILITY AUTH=GS2-KRB5-PLUS AUTH=GS2-KRB5", "* CAPABILITY AUTH=GS2-KRB5"),
    (Words(scram=Scram.PASS), PLUS, None),
    (Words(scram=Scram.HIDE), PLUS, NO_SCRAM),
    (Words(scram=Scram.HIDE), "* CAPABILITY AUTH=SCRAM-SHA-256 X", "* CAPABILITY X"),
]


@pytest.mark.parametrize(("words", "line", "expected"), ROWS)
def test_rows(words: Words, line: str, expected: str | None) -> None:
    """What the client sees; None stands for the line as it is."""
    assert seen(line, words) == (line if expected is None else expected)


@pytest.mark.parametrize("line", ["* CAPABILITY IMAP4rev1", "* OK [CAPABILITY IMAP4rev1] hi"])
def test_starttls_is_not_offered_after_login(line: str) -> None:
    """RFC 9051 6.2.1: only in the not authenticated state."""
    assert seen(line, OFFER, authenticated=True) == line


def test_a_plus_that_was_seen_once_hides_scram_in_later_lists() -> None:
    """And not in the ones before it, which are gone."""
    rewriter = CapabilityRewriter(Words())
    assert rewriter.rewrite(b"* CAPABILITY AUTH=SCRAM-SHA-1\r\n", 0) is None
    assert not rewriter.plus_seen
    assert rewriter.rewrite(b"* CAPABILITY AUTH=SCRAM-SHA-1-PLUS X\r\n", 0)
    assert rewriter.plus_seen
    rewrite = rewriter.rewrite(b"* CAPABILITY AUTH=SCRAM-SHA-1\r\n", 0)
    assert rewrite
    assert rewrite.sent == b""


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (b"* OK [CAPABILITY IMAP4rev1 STARTTLS] hello\r\n", b"* OK hello\r\n"),
        (b"* OK [CAPABILITY IMAP4rev1]\r\n", b"* OK \r\n"),
        (b"* OK [ALERT] hello\r\n", None),
        (b"* OK hello [CAPABILITY X]\r\n", None),
        (b"* CAPABILITY X\r\n", None),
    ],
)
def test_a_greeting_without_its_list(line: bytes, expected: bytes | None) -> None:
    """M 6.3: what was said in clear about capabilities does not reach the client."""
    rewrite = without_list(line, 7)
    if expected is None:
        assert rewrite is None
        return
    assert rewrite
    at = rewrite.offset - 7
    assert rewrite.sent == b""
    assert line[:at] + line[at + len(rewrite.received) :] == expected


@pytest.mark.parametrize("line", [row[1] for row in ROWS if row[2] is not None])
def test_every_beginning_of_a_list_is_recognised(line: str) -> None:
    """Else a list that is cut there would pass as it is."""
    assert all(may_hold_list(line[:end].encode()) for end in range(1, len(line)))


@pytest.mark.parametrize(
    "start", [b"* 1 FETCH", b"* LIST (", b"+ ", b"+", b"a1 OK Done", b"* OK [ALERT", b"* CAPABILITX", b"* BYES"]
)
def test_other_lines_are_not_waited_for(start: bytes) -> None:
    """Nothing is held back that is known not to be a list."""
    assert not may_hold_list(start)


@given(st.lists(st.sampled_from([b"STARTTLS", b"IDLE", b"X", b"LOGINDISABLED", b"AUTH=PLAIN", b"starttls"])))
def test_all_other_words_stay_in_order(words: list[bytes]) -> None:
    """Whatever the list."""
    rewriter = CapabilityRewriter(HIDE)
    line = b" ".join([b"* CAPABILITY", *words]) + b"\r\n"
    rewrite = rewriter.rewrite(line, 0)
    sent = rewrite.sent if rewrite else line[len("* CAPABILITY") :]
    assert sent.split() == [word for word in words if word.upper() not in {b"STARTTLS", b"LOGINDISABLED"}]
